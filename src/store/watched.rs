//! Files of watched folders: which content was taken in, and whether its result lies where it should.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, sea_query::OnConflict,
};
use sha2::{Digest, Sha256};

use super::{
    Store, Tx,
    entities::watched_file::{ActiveModel, Column, Entity, Model},
};
use crate::{domain::TaskId, error::Result};

/// A file of a watched folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchedFile {
    /// Where it is.
    pub path: String,
    /// The watched folder, as configured.
    pub folder: String,
    /// Its size in bytes.
    pub size: i64,
    /// When it was last written to, in milliseconds since 1970.
    pub changed_at: i64,
    /// The SHA-256 of its content, in hex.
    pub sha256: String,
    /// What is done with it; none when it was refused.
    pub task_id: Option<TaskId>,
    /// Whether what came of it lies where it should.
    pub written: bool,
}

impl Tx {
    /// Writes what is known of a file, in the place of what was known of that path.
    pub async fn put_watched(&self, file: &WatchedFile) -> Result<()> {
        let model = ActiveModel {
            place: Set(place(&file.path)),
            path: Set(file.path.clone()),
            folder: Set(file.folder.clone()),
            size: Set(file.size),
            changed_at: Set(file.changed_at),
            sha256: Set(file.sha256.clone()),
            task_id: Set(file.task_id.map(|id| id.0)),
            written: Set(file.written),
        };
        let rest = [
            Column::Path,
            Column::Folder,
            Column::Size,
            Column::ChangedAt,
            Column::Sha256,
            Column::TaskId,
            Column::Written,
        ];
        let newer = OnConflict::column(Column::Place).update_columns(rest).to_owned();
        Entity::insert(model).on_conflict(newer).exec_without_returning(&self.inner).await?;
        Ok(())
    }
}

impl Store {
    /// What is known of the file at a path.
    pub async fn watched(&self, path: &str) -> Result<Option<WatchedFile>> {
        Ok(Entity::find_by_id(place(path)).one(&self.read).await?.map(Into::into))
    }

    /// The newest task made of a content that lay in a folder.
    pub async fn task_of_content(&self, folder: &str, sha256: &str) -> Result<Option<TaskId>> {
        let made = Entity::find()
            .filter(Column::Sha256.eq(sha256))
            .filter(Column::Folder.eq(folder))
            .filter(Column::TaskId.is_not_null())
            .order_by_desc(Column::TaskId)
            .limit(1);
        Ok(made.one(&self.read).await?.and_then(|row| row.task_id).map(TaskId))
    }

    /// The files whose results are still to be written: all, or those of one task.
    pub async fn watched_waiting(&self, task: Option<TaskId>) -> Result<Vec<WatchedFile>> {
        let waiting = Entity::find()
            .filter(Column::Written.eq(false))
            .apply_if(task, |query, task| query.filter(Column::TaskId.eq(task.0)))
            .order_by_asc(Column::TaskId);
        Ok(waiting.all(&self.read).await?.into_iter().map(Into::into).collect())
    }
}

impl From<Model> for WatchedFile {
    fn from(row: Model) -> Self {
        Self {
            path: row.path,
            folder: row.folder,
            size: row.size,
            changed_at: row.changed_at,
            sha256: row.sha256,
            task_id: row.task_id.map(TaskId),
            written: row.written,
        }
    }
}

fn place(path: &str) -> String {
    Sha256::digest(path.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
