//! Cookie identities. What is secret about them arrives here encrypted.

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder,
};

use super::{
    Store, Tx, date,
    entities::identity::{ActiveModel, Column, Entity, Model},
};
use crate::{
    domain::{Health, Identity},
    error::{Code, Error, Result},
};

/// An identity with its secret.
#[derive(Clone, Debug)]
pub struct StoredIdentity {
    /// What may be shown.
    pub identity: Identity,
    /// What may not, encrypted.
    pub secret: Vec<u8>,
}

impl Tx {
    /// Stores a new identity, made now. A name that its platform has already is a conflict.
    pub async fn insert_identity(&self, new: &StoredIdentity) -> Result<()> {
        self.refuse_taken(&new.identity).await?;
        let model = ActiveModel { created_at: Set(self.now), ..columns(new) };
        Entity::insert(model).exec_without_returning(&self.inner).await?;
        Ok(())
    }

    /// Stores what has changed about an identity. A name that another one of its platform has is a conflict.
    pub async fn update_identity(&self, changed: &StoredIdentity) -> Result<()> {
        self.refuse_taken(&changed.identity).await?;
        columns(changed).update(&self.inner).await?;
        Ok(())
    }

    /// One identity.
    pub async fn identity(&self, id: &str) -> Result<Option<StoredIdentity>> {
        Entity::find_by_id(id).one(&self.inner).await?.map(TryInto::try_into).transpose()
    }

    /// Removes an identity; false when there is none.
    pub async fn delete_identity(&self, id: &str) -> Result<bool> {
        Ok(Entity::delete_by_id(id).exec(&self.inner).await?.rows_affected > 0)
    }

    async fn refuse_taken(&self, identity: &Identity) -> Result<()> {
        let same = Entity::find()
            .filter(Column::Platform.eq(&identity.platform))
            .filter(Column::Name.eq(&identity.name))
            .filter(Column::Id.ne(&identity.id));
        if same.one(&self.inner).await?.is_none() {
            return Ok(());
        }
        let detail = format!("There is another identity of that name for {}", identity.platform);
        Err(Error::new(Code::Conflict, detail).with_hint("Choose another name, or change that one.").with_field("name"))
    }
}

impl Store {
    /// Every identity, by platform and name.
    pub async fn identities(&self) -> Result<Vec<StoredIdentity>> {
        let query = Entity::find().order_by_asc(Column::Platform).order_by_asc(Column::Name);
        query.all(&self.read).await?.into_iter().map(TryInto::try_into).collect()
    }
}

/// The columns that may change, and the key.
fn columns(of: &StoredIdentity) -> ActiveModel {
    let Identity { id, platform, name, user_agent, health, last_used_at, created_at: _ } = of.identity.clone();
    let Health { state, cool_until, failures, last_error } = health;
    ActiveModel {
        id: Set(id),
        platform: Set(platform),
        name: Set(name),
        secret: Set(of.secret.clone()),
        user_agent: Set(user_agent),
        state: Set(state.as_str().to_owned()),
        cool_until: Set(cool_until.map(|at| at.timestamp_millis())),
        failures: Set(failures.into()),
        last_error: Set(last_error),
        last_used_at: Set(last_used_at.map(|at| at.timestamp_millis())),
        created_at: NotSet,
    }
}

impl TryFrom<Model> for StoredIdentity {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        let health = Health {
            state: row.state.parse()?,
            cool_until: row.cool_until.map(date),
            failures: u32::try_from(row.failures).unwrap_or_default(),
            last_error: row.last_error,
        };
        let identity = Identity {
            id: row.id,
            platform: row.platform,
            name: row.name,
            user_agent: row.user_agent,
            health,
            last_used_at: row.last_used_at.map(date),
            created_at: date(row.created_at),
        };
        Ok(Self { identity, secret: row.secret })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(id: &str, platform: &str, name: &str) -> StoredIdentity {
        let identity = Identity {
            id: id.to_owned(),
            platform: platform.to_owned(),
            name: name.to_owned(),
            user_agent: "UA".to_owned(),
            health: Health::default(),
            last_used_at: None,
            created_at: date(0),
        };
        StoredIdentity { identity, secret: vec![0, 255, 7] }
    }

    #[tokio::test]
    async fn identities_are_kept_as_given_and_names_are_unique_within_a_platform() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&crate::store::test_url::test_url(folder.path())).await.unwrap();
        let tx = store.begin().await.unwrap();
        for one in [identity("2", "tiktok", "me"), identity("1", "douyin", "me"), identity("3", "douyin", "you")] {
            tx.insert_identity(&one).await.unwrap();
        }
        assert_eq!(tx.insert_identity(&identity("4", "douyin", "me")).await.unwrap_err().code, Code::Conflict);
        assert_eq!(tx.update_identity(&identity("3", "douyin", "me")).await.unwrap_err().code, Code::Conflict);
        let mut changed = tx.identity("1").await.unwrap().unwrap();
        changed.identity.health.failures = 3;
        changed.identity.health.last_error = Some("captcha".to_owned());
        changed.identity.last_used_at = Some(date(tx.now()));
        tx.update_identity(&changed).await.unwrap();
        assert!(tx.delete_identity("3").await.unwrap() && !tx.delete_identity("3").await.unwrap());
        let now = tx.now();
        tx.commit().await.unwrap();
        let all = store.identities().await.unwrap();
        assert_eq!(all.iter().map(|one| one.identity.id.as_str()).collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!((all[0].secret.as_slice(), all[0].identity.created_at), (&[0, 255, 7][..], date(now)));
        assert_eq!(all[0].identity, Identity { created_at: date(now), ..changed.identity });
    }
}
