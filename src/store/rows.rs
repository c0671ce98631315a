//! From rows to domain types.

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, ModelTrait, QueryFilter, QuerySelect,
    RuntimeErr, Select, SqlxError, sea_query::ValueType,
};
use serde::de::DeserializeOwned;

use super::{
    date,
    entities::{media, step, task},
    json::Json,
};
use crate::{
    domain::{Media, MediaId, Step, Task, TaskId, TokenId, status::UnknownWord},
    error::{Code, Error, Result},
};

impl From<UnknownWord> for Error {
    fn from(error: UnknownWord) -> Self {
        Self::new(Code::Database, "A row holds a word that this version does not know").with_source(error)
    }
}

/// Whether a row is to blame that this version cannot read, and not the database: it fails again whenever it is read.
pub fn is_unreadable(error: &Error) -> bool {
    let Some(source) = std::error::Error::source(error) else { return false };
    match source.downcast_ref::<DbErr>() {
        Some(DbErr::Type(_) | DbErr::Json(_)) => true,
        Some(DbErr::Query(RuntimeErr::SqlxError(error))) => {
            matches!(error.as_ref(), SqlxError::ColumnDecode { .. } | SqlxError::Decode(_))
        }
        Some(_) => false,
        None => source.is::<UnknownWord>() || source.is::<serde_json::Error>(),
    }
}

/// Rows by their ids, one by one where one of them cannot be read: it hides no other.
pub(super) async fn each<E, T>(
    query: Select<E>,
    id: E::Column,
    connection: &impl ConnectionTrait,
) -> Result<Vec<(i64, Result<T>)>>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E> + FromQueryResult + Send + Sync,
    T: TryFrom<E::Model, Error = Error>,
{
    match query.clone().all(connection).await.map_err(Error::from) {
        // An id is a whole number in every table.
        Ok(found) => Ok(found
            .into_iter()
            .map(|row| (<i64 as ValueType>::try_from(row.get(id)).unwrap_or_default(), T::try_from(row)))
            .collect()),
        Err(error) if is_unreadable(&error) => {
            let ids: Vec<i64> = query.select_only().column(id).into_tuple().all(connection).await?;
            let mut all = Vec::with_capacity(ids.len());
            for number in ids {
                match E::find().filter(id.eq(number)).one(connection).await.map_err(Error::from) {
                    Ok(Some(row)) => all.push((number, T::try_from(row))),
                    Ok(None) => {}
                    Err(error) if is_unreadable(&error) => all.push((number, Err(error))),
                    Err(error) => return Err(error),
                }
            }
            Ok(all)
        }
        Err(error) => Err(error),
    }
}

/// Those of the rows that can be read; the others are told to the log.
pub(super) fn readable<T>(rows: Vec<(i64, Result<T>)>, what: &str) -> Vec<T> {
    let read = |(id, row): (i64, Result<T>)| {
        row.inspect_err(|error| tracing::error!(id, error = %error.chain(), "{what} cannot be read")).ok()
    };
    rows.into_iter().filter_map(read).collect()
}

/// Reads a JSON column.
pub(super) fn read<T: DeserializeOwned>(value: Json) -> Result<T> {
    serde_json::from_value(value.0).map_err(|error| {
        Error::new(Code::Database, "A row holds JSON that this version cannot read").with_source(error)
    })
}

/// Writes a JSON column. Our own types always serialise: their maps have text keys.
pub(super) fn json<T: serde::Serialize>(value: &T) -> Result<Json> {
    serde_json::to_value(value)
        .map(Json)
        .map_err(|error| Error::new(Code::Internal, "A value cannot be written as JSON").with_source(error))
}

impl TryFrom<task::Model> for Task {
    type Error = Error;

    fn try_from(row: task::Model) -> Result<Self> {
        Ok(Self {
            id: TaskId(row.id),
            workflow: row.workflow,
            revision: row.revision,
            status: row.status.parse()?,
            priority: row.priority.parse()?,
            link: row.link,
            params: read(row.params)?,
            options: read(row.options)?,
            media_id: row.media_id.map(MediaId),
            language: row.language,
            progress: row.progress,
            result: row.result.map(|result| result.0),
            error: row.error.map(read).transpose()?,
            waiting: row.waiting.map(read).transpose()?,
            warnings: read(row.warnings)?,
            callback_url: row.callback_url,
            parent_step: row.parent_step,
            owner: row.owner.map(TokenId),
            // What a newer version has noted there is no reason to hide the task.
            facade: row.facade.and_then(|facade| serde_json::from_value(facade.0).ok()),
            rerun_of: row.rerun_of.map(TaskId),
            deadline_at: row.deadline_at.map(date),
            held: row.held.unwrap_or(false),
            created_at: date(row.created_at),
            updated_at: date(row.updated_at),
            started_at: row.started_at.map(date),
            finished_at: row.finished_at.map(date),
        })
    }
}

impl TryFrom<step::Model> for Step {
    type Error = Error;

    fn try_from(row: step::Model) -> Result<Self> {
        Ok(Self {
            id: row.id,
            task_id: TaskId(row.task_id),
            key: row.key,
            kind: row.kind.parse()?,
            lane: row.lane.parse()?,
            state: row.state.parse()?,
            attempt: row.attempt,
            crashes: row.crashes,
            progress: row.progress,
            output: row.output.map(|output| output.0),
            error: row.error.map(read).transpose()?,
            eligible_at: date(row.eligible_at),
            started_at: row.started_at.map(date),
            finished_at: row.finished_at.map(date),
        })
    }
}

impl From<media::Model> for Media {
    fn from(row: media::Model) -> Self {
        Self {
            id: MediaId(row.id),
            platform: row.platform,
            platform_id: row.platform_id,
            page_url: row.page_url,
            title: row.title,
            author: row.author,
            duration_ms: row.duration_ms,
            published_at: row.published_at.map(date),
            file: row.file,
            size: row.size,
            sha256: row.sha256,
            content_type: row.content_type,
            created_at: date(row.created_at),
            file_removed_at: row.file_removed_at.map(date),
        }
    }
}
