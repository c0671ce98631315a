//! Transcripts: written with the step that made them, and found again for the same audio. What people make of them:
//! [`super::revisions`].

use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
};
use serde_json::Value;

use super::{
    Store, Tx,
    entities::{
        task,
        transcript::{ActiveModel, Column, Entity, Model},
    },
    rows,
    search::Searched,
};
use crate::{
    domain::{MediaId, TaskId, TokenId, Transcript, TranscriptId},
    error::Result,
};

/// A transcript to be written.
#[derive(Clone, Debug, Default)]
pub struct NewTranscript {
    /// The media that is heard in it.
    pub media_id: Option<MediaId>,
    /// The hash of the decoded samples.
    pub audio_sha256: String,
    /// The options it was made with.
    pub options: Value,
    /// The hash of what decided what was heard; none when the transcript is not to be found again.
    pub recipe: Option<String>,
    /// How many of the transcript's last warnings are about this task, such as the file that its audio came from, and
    /// not about the audio.
    pub file_warnings: usize,
    /// The transcript.
    pub transcript: Transcript,
}

impl Tx {
    /// Writes a task's transcript.
    pub async fn insert_transcript(&self, task: TaskId, new: &NewTranscript) -> Result<TranscriptId> {
        let model = ActiveModel {
            task_id: Set(task.0),
            media_id: Set(new.media_id.map(|id| id.0)),
            audio_sha256: Set(new.audio_sha256.clone()),
            model: Set(new.transcript.model.clone()),
            options: Set(new.options.clone().into()),
            body: Set(rows::json(&new.transcript)?),
            recipe: Set(new.recipe.clone()),
            file_warnings: Set(Some(i32::try_from(new.file_warnings).unwrap_or(i32::MAX))),
            created_at: Set(self.now),
            ..Default::default()
        };
        let id = Entity::insert(model).exec(&self.inner).await?.last_insert_id;
        self.set_words(Searched::Transcript, id, &new.transcript.text).await?;
        Ok(TranscriptId(id))
    }

    /// Reads a transcript inside the transaction.
    pub async fn transcript(&self, id: TranscriptId) -> Result<Option<Transcript>> {
        Entity::find_by_id(id.0).one(&self.inner).await?.map(|row| rows::read(row.body)).transpose()
    }

    /// The newest transcript of a task.
    pub async fn transcript_of(&self, task: TaskId) -> Result<Option<(TranscriptId, Transcript)>> {
        let read = |row: Model| Ok((TranscriptId(row.id), rows::read(row.body)?));
        newest(task).one(&self.inner).await?.map(read).transpose()
    }
}

impl Store {
    /// One transcript.
    pub async fn transcript(&self, id: TranscriptId) -> Result<Option<Transcript>> {
        Entity::find_by_id(id.0).one(&self.read).await?.map(|row| rows::read(row.body)).transpose()
    }

    /// The token with which the task of a transcript came.
    pub async fn transcript_owner(&self, id: TranscriptId) -> Result<Option<TokenId>> {
        let of = Entity::find_by_id(id.0).select_only().column(Column::TaskId).into_query();
        let query = task::Entity::find().filter(task::Column::Id.in_subquery(of));
        Ok(query.one(&self.read).await?.and_then(|row| row.owner).map(TokenId))
    }

    /// One transcript as it is written for another task.
    pub async fn transcript_to_copy(&self, id: TranscriptId) -> Result<Option<NewTranscript>> {
        let Some(row) = Entity::find_by_id(id.0).one(&self.read).await? else { return Ok(None) };
        let about_file = row.file_warnings.and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
        Ok(Some(NewTranscript {
            media_id: row.media_id.map(MediaId),
            audio_sha256: row.audio_sha256,
            options: row.options.0,
            recipe: row.recipe,
            file_warnings: about_file,
            transcript: rows::read(row.body)?,
        }))
    }

    /// The newest transcript of the same audio by the same recipe, without what was said about the file at that time.
    pub async fn transcript_by(&self, audio_sha256: &str, recipe: &str) -> Result<Option<Transcript>> {
        let query = Entity::find().filter(Column::AudioSha256.eq(audio_sha256)).filter(Column::Recipe.eq(recipe));
        let Some(row) = query.order_by_desc(Column::Id).one(&self.read).await? else { return Ok(None) };
        let mut transcript: Transcript = rows::read(row.body)?;
        let about_file = row.file_warnings.and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
        transcript.warnings.truncate(transcript.warnings.len().saturating_sub(about_file));
        Ok(Some(transcript))
    }

    /// The newest transcript of a media as it was recognised, whichever task has made it.
    pub async fn transcript_of_media(&self, media: MediaId) -> Result<Option<Transcript>> {
        let tasks = task::Entity::find().select_only().column(task::Column::Id);
        let tasks = tasks.filter(task::Column::MediaId.eq(media.0)).into_query();
        // Older transcripts do not say of which media they are: of the one that their task is about.
        let is_older = Column::MediaId.is_null().and(Column::TaskId.in_subquery(tasks));
        let made = Entity::find().filter(Column::MediaId.eq(media.0).or(is_older)).filter(Column::EditOf.is_null());
        let query = made.order_by_desc(Column::Id);
        query.one(&self.read).await?.map(|row| rows::read(row.body)).transpose()
    }

    /// The newest transcript of a task, edited or not.
    pub async fn transcript_of(&self, task: TaskId) -> Result<Option<(TranscriptId, Transcript)>> {
        Ok(self.revision_of(task, None).await?.map(|revision| (revision.id, revision.transcript)))
    }
}

/// The revisions of all transcripts of a task, the newest of the newest first.
pub(super) fn newest(task: TaskId) -> Select<Entity> {
    Entity::find().filter(Column::TaskId.eq(task.0)).order_by_desc(Column::Id)
}
