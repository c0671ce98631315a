//! Secrets by their names. Their values arrive here encrypted.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder,
    sea_query::Expr,
};

use super::{
    Store, Tx, date,
    entities::secret::{ActiveModel, Column, Entity, Model},
    rows,
};
use crate::error::{Error, Result};

/// A secret as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSecret {
    /// What it is called: unique.
    pub name: String,
    /// Who may see it: hosts, and `exec:<name>` for programs.
    pub hosts: Vec<String>,
    /// Its value, encrypted.
    pub value: Vec<u8>,
    /// When it was first set.
    pub created_at: DateTime<Utc>,
    /// When it was last set.
    pub updated_at: DateTime<Utc>,
    /// When a step last used it.
    pub last_used_at: Option<DateTime<Utc>>,
    /// The value that it had before, encrypted, and when that was replaced.
    pub previous: Option<(Vec<u8>, DateTime<Utc>)>,
}

impl Tx {
    /// One secret.
    pub async fn secret(&self, name: &str) -> Result<Option<StoredSecret>> {
        Entity::find_by_id(name).one(&self.inner).await?.map(TryInto::try_into).transpose()
    }

    /// Stores a secret under a name in the place of the one that has it; whether there was none.
    pub async fn put_secret(
        &self,
        name: &str,
        hosts: &[String],
        value: Vec<u8>,
        previous: Option<(Vec<u8>, DateTime<Utc>)>,
    ) -> Result<bool> {
        let is_new = Entity::find_by_id(name).one(&self.inner).await?.is_none();
        let (previous, replaced_at) = previous.map(|(value, at)| (value, at.timestamp_millis())).unzip();
        let model = ActiveModel {
            name: Set(name.to_owned()),
            hosts: Set(rows::json(&hosts)?),
            value: Set(value),
            created_at: if is_new { Set(self.now) } else { NotSet },
            updated_at: Set(self.now),
            last_used_at: if is_new { Set(None) } else { NotSet },
            previous: Set(previous),
            replaced_at: Set(replaced_at),
        };
        if is_new {
            Entity::insert(model).exec_without_returning(&self.inner).await?;
        } else {
            model.update(&self.inner).await?;
        }
        Ok(is_new)
    }

    /// Removes a secret; false when there is none.
    pub async fn delete_secret(&self, name: &str) -> Result<bool> {
        Ok(Entity::delete_by_id(name).exec(&self.inner).await?.rows_affected > 0)
    }

    /// Notes that secrets are used now.
    pub async fn note_secrets(&self, names: &[&str]) -> Result<()> {
        let update = Entity::update_many().col_expr(Column::LastUsedAt, Expr::value(self.now));
        update.filter(Column::Name.is_in(names.iter().copied())).exec(&self.inner).await?;
        Ok(())
    }
}

impl Store {
    /// One secret.
    pub async fn secret(&self, name: &str) -> Result<Option<StoredSecret>> {
        Entity::find_by_id(name).one(&self.read).await?.map(TryInto::try_into).transpose()
    }

    /// Every secret, by name.
    pub async fn secrets(&self) -> Result<Vec<StoredSecret>> {
        let rows = Entity::find().order_by_asc(Column::Name).all(&self.read).await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}

impl TryFrom<Model> for StoredSecret {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        Ok(Self {
            name: row.name,
            hosts: rows::read(row.hosts)?,
            value: row.value,
            created_at: date(row.created_at),
            updated_at: date(row.updated_at),
            last_used_at: row.last_used_at.map(date),
            previous: row.previous.zip(row.replaced_at.map(date)),
        })
    }
}
