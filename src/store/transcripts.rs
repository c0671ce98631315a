//! Transcripts: written with the step that made them.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::Value;

use super::{
    Store, Tx,
    entities::transcript::{ActiveModel, Column, Entity},
    rows,
};
use crate::{
    domain::{TaskId, Transcript, TranscriptId},
    error::Result,
};

/// A transcript to be written.
#[derive(Clone, Debug)]
pub struct NewTranscript {
    /// The hash of the decoded samples.
    pub audio_sha256: String,
    /// The options it was made with.
    pub options: Value,
    /// The transcript.
    pub transcript: Transcript,
}

impl Tx {
    /// Writes a task's transcript.
    pub async fn insert_transcript(&self, task: TaskId, new: &NewTranscript) -> Result<TranscriptId> {
        let model = ActiveModel {
            task_id: Set(task.0),
            audio_sha256: Set(new.audio_sha256.clone()),
            model: Set(new.transcript.model.clone()),
            options: Set(new.options.clone()),
            body: Set(rows::json(&new.transcript)?),
            created_at: Set(self.now),
            ..Default::default()
        };
        Ok(TranscriptId(Entity::insert(model).exec(&self.inner).await?.last_insert_id))
    }

    /// Reads a transcript inside the transaction.
    pub async fn transcript(&self, id: TranscriptId) -> Result<Option<Transcript>> {
        Entity::find_by_id(id.0).one(&self.inner).await?.map(|row| rows::read(row.body)).transpose()
    }
}

impl Store {
    /// One transcript.
    pub async fn transcript(&self, id: TranscriptId) -> Result<Option<Transcript>> {
        Entity::find_by_id(id.0).one(&self.read).await?.map(|row| rows::read(row.body)).transpose()
    }

    /// The newest transcript of a task.
    pub async fn transcript_of(&self, task: TaskId) -> Result<Option<Transcript>> {
        let query = Entity::find().filter(Column::TaskId.eq(task.0)).order_by_desc(Column::Id);
        query.one(&self.read).await?.map(|row| rows::read(row.body)).transpose()
    }
}
