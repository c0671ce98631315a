//! Workflow definitions: immutable revisions.
//!
//! Callers may rely on this: no revision is ever changed or removed. A workflow that is deleted is not found any more, but
//! tasks find the revision that they were made of.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};
use serde_json::Value;

use super::{
    Store, Tx, date,
    entities::workflow::{ActiveModel, Column, Entity, Model},
};
use crate::error::Result;

/// Where a revision comes from, in the database.
const FILE: &str = "file";
const API: &str = "api";

/// Where a revision comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The binary or a file of the workflows' folder.
    File,
    /// A request.
    Api,
}

impl Origin {
    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => FILE,
            Self::Api => API,
        }
    }
}

/// One revision of a workflow.
#[derive(Clone, Debug)]
pub struct WorkflowRevision {
    /// The workflow's name.
    pub name: String,
    /// Its number, from 1.
    pub revision: i64,
    /// The definition's JSON, as it was written.
    pub definition: Value,
    /// The SHA-256 of the definition, in hex.
    pub sha256: String,
    /// Where it comes from.
    pub origin: Origin,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When the workflow was deleted.
    pub deleted_at: Option<DateTime<Utc>>,
}

impl From<Model> for WorkflowRevision {
    fn from(row: Model) -> Self {
        Self {
            name: row.name,
            revision: row.revision,
            definition: row.definition.0,
            sha256: row.sha256,
            // Rows of older versions have none; they came with the binary.
            origin: if row.origin.as_deref() == Some(API) { Origin::Api } else { Origin::File },
            created_at: date(row.created_at),
            deleted_at: row.deleted_at.map(date),
        }
    }
}

impl Tx {
    /// Makes `definition`, which comes from a file, the newest revision of workflow `name`; returns the newest revision's
    /// number. Nothing changes when the last revision that came from a file is the same: what was changed or deleted by a
    /// request since then stays so until the file changes.
    pub async fn save_workflow(&self, name: &str, definition: Value, sha256: &str) -> Result<i64> {
        let rows = Entity::find().filter(Column::Name.eq(name)).order_by_desc(Column::Revision);
        let rows: Vec<WorkflowRevision> = rows.all(&self.inner).await?.into_iter().map(Into::into).collect();
        let of_file = rows.iter().find(|row| row.origin == Origin::File);
        match (rows.first(), of_file) {
            (Some(newest), Some(row)) if row.sha256 == sha256 => Ok(newest.revision),
            (newest, _) => {
                let revision = newest.map_or(1, |row| row.revision + 1);
                self.insert_workflow(name, revision, definition, sha256, Origin::File).await?;
                Ok(revision)
            }
        }
    }

    /// Makes `definition` the newest revision of a workflow unless it already is; returns the revision's number.
    pub async fn put_workflow(&self, name: &str, definition: Value, sha256: &str) -> Result<i64> {
        let revision = match newest(&self.inner, name).await? {
            Some(row) if row.sha256 == sha256 && row.deleted_at.is_none() => return Ok(row.revision),
            Some(row) => row.revision + 1,
            None => 1,
        };
        self.insert_workflow(name, revision, definition, sha256, Origin::Api).await?;
        Ok(revision)
    }

    /// Marks a workflow as deleted; false when there is none.
    pub async fn delete_workflow(&self, name: &str) -> Result<bool> {
        let rows = Entity::update_many()
            .col_expr(Column::DeletedAt, Expr::value(self.now))
            .filter(Column::Name.eq(name))
            .filter(Column::DeletedAt.is_null())
            .exec(&self.inner)
            .await?;
        Ok(rows.rows_affected > 0)
    }

    /// One revision of a workflow.
    pub async fn workflow_revision(&self, name: &str, revision: i64) -> Result<Option<Value>> {
        let row = Entity::find_by_id((name.to_owned(), revision)).one(&self.inner).await?;
        Ok(row.map(|row| row.definition.0))
    }

    /// The newest revision of a workflow that is not deleted.
    pub async fn newest_workflow(&self, name: &str) -> Result<Option<WorkflowRevision>> {
        Ok(newest(&self.inner, name).await?.filter(|row| row.deleted_at.is_none()).map(Into::into))
    }

    async fn insert_workflow(
        &self,
        name: &str,
        revision: i64,
        definition: Value,
        sha256: &str,
        origin: Origin,
    ) -> Result<()> {
        let model = ActiveModel {
            name: Set(name.to_owned()),
            revision: Set(revision),
            definition: Set(definition.into()),
            sha256: Set(sha256.to_owned()),
            created_at: Set(self.now),
            origin: Set(Some(origin.as_str().to_owned())),
            deleted_at: Set(None),
        };
        Entity::insert(model).exec_without_returning(&self.inner).await?;
        Ok(())
    }
}

async fn newest(db: &impl ConnectionTrait, name: &str) -> Result<Option<Model>> {
    Ok(Entity::find().filter(Column::Name.eq(name)).order_by_desc(Column::Revision).one(db).await?)
}

impl Store {
    /// The newest revision of a workflow.
    pub async fn workflow(&self, name: &str) -> Result<Option<WorkflowRevision>> {
        Ok(newest(&self.read, name).await?.filter(|row| row.deleted_at.is_none()).map(Into::into))
    }

    /// The newest revision of every workflow, by their names.
    pub async fn workflows(&self) -> Result<Vec<WorkflowRevision>> {
        let newest: Vec<(String, i64)> = Entity::find()
            .select_only()
            .column(Column::Name)
            .column_as(Column::Revision.max(), "newest")
            .group_by(Column::Name)
            .order_by_asc(Column::Name)
            .into_tuple()
            .all(&self.read)
            .await?;
        let mut found = Vec::new();
        for id in newest {
            let row = Entity::find_by_id(id).one(&self.read).await?;
            found.extend(row.filter(|row| row.deleted_at.is_none()).map(WorkflowRevision::from));
        }
        Ok(found)
    }

    /// Every revision of a workflow, the newest first; those of a deleted one, too.
    pub async fn workflow_revisions(&self, name: &str) -> Result<Vec<WorkflowRevision>> {
        let rows = Entity::find().filter(Column::Name.eq(name)).order_by_desc(Column::Revision).all(&self.read).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// The names of every workflow, sorted.
    pub async fn workflow_names(&self) -> Result<Vec<String>> {
        Ok(self.workflows().await?.into_iter().map(|row| row.name).collect())
    }
}
