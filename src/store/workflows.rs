//! Workflow definitions: immutable revisions.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::Value;

use super::{
    Store, Tx,
    entities::workflow::{ActiveModel, Column, Entity},
};
use crate::error::Result;

/// One revision of a workflow.
#[derive(Clone, Debug)]
pub struct WorkflowRevision {
    /// Its number, from 1.
    pub revision: i64,
    /// The definition's JSON.
    pub definition: Value,
}

impl Tx {
    /// Makes `definition` the newest revision of workflow `name` unless it already is; returns the revision's number.
    pub async fn save_workflow(&self, name: &str, definition: Value, sha256: &str) -> Result<i64> {
        let newest =
            Entity::find().filter(Column::Name.eq(name)).order_by_desc(Column::Revision).one(&self.inner).await?;
        let revision = match newest {
            Some(row) if row.sha256 == sha256 => return Ok(row.revision),
            Some(row) => row.revision + 1,
            None => 1,
        };
        let model = ActiveModel {
            name: Set(name.to_owned()),
            revision: Set(revision),
            definition: Set(definition),
            sha256: Set(sha256.to_owned()),
            created_at: Set(self.now),
            ..Default::default()
        };
        Entity::insert(model).exec_without_returning(&self.inner).await?;
        Ok(revision)
    }

    /// One revision of a workflow.
    pub async fn workflow_revision(&self, name: &str, revision: i64) -> Result<Option<Value>> {
        let row = Entity::find_by_id((name.to_owned(), revision)).one(&self.inner).await?;
        Ok(row.map(|row| row.definition))
    }
}

impl Store {
    /// The newest revision of a workflow.
    pub async fn workflow(&self, name: &str) -> Result<Option<WorkflowRevision>> {
        let query = Entity::find().filter(Column::Name.eq(name)).order_by_desc(Column::Revision);
        let row = query.one(&self.read).await?;
        Ok(row.map(|row| WorkflowRevision { revision: row.revision, definition: row.definition }))
    }

    /// The names of every workflow, sorted.
    pub async fn workflow_names(&self) -> Result<Vec<String>> {
        let mut names: Vec<String> = Entity::find().all(&self.read).await?.into_iter().map(|row| row.name).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }
}
