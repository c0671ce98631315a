//! Tasks: written by intake, moved by the queue, looked at by everyone.

use std::collections::HashSet;

use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, Select, sea_query::Expr,
};
use serde_json::{Map, Value};

use super::{
    Store, Tx,
    dialect::Dialect,
    entities::{
        idempotency_key, media, step,
        task::{ActiveModel, Column, Entity, Model},
    },
    json::Json,
    rows,
    search::{self, Searched},
};
use crate::{
    domain::{Facade, MediaId, Priority, StepKind, Task, TaskId, TaskStatus, TokenId, media::UPLOAD},
    error::{Report, Result},
};

/// A task to be written.
#[derive(Clone, Debug, Default)]
pub struct NewTask {
    /// The workflow's name.
    pub workflow: String,
    /// Its revision.
    pub revision: i64,
    /// How urgent.
    pub priority: Priority,
    /// What was pasted.
    pub link: String,
    /// Parameters with their defaults.
    pub params: Map<String, Value>,
    /// Transcription options as given.
    pub options: Map<String, Value>,
    /// The media, when the link names one that is here.
    pub media_id: Option<MediaId>,
    /// Where its end is told.
    pub callback_url: Option<String>,
    /// The `workflow` step (its row's id) that it is the work of.
    pub parent_step: Option<String>,
    /// The access token that it came with.
    pub owner: Option<TokenId>,
    /// The system whose routes it came through.
    pub facade: Option<Facade>,
    /// The task that it repeats.
    pub rerun_of: Option<TaskId>,
    /// How long it may take from now, in milliseconds.
    pub deadline_ms: Option<i64>,
    /// Whether its steps wait until another task of its workflow has ended.
    pub held: bool,
}

/// Which tasks to list.
#[derive(Clone, Debug, Default)]
pub struct TaskFilter {
    /// In this state.
    pub status: Option<TaskStatus>,
    /// Of this platform.
    pub platform: Option<String>,
    /// Whose transcript is in this language.
    pub language: Option<String>,
    /// Of this workflow.
    pub workflow: Option<String>,
    /// Of this priority.
    pub priority: Option<Priority>,
    /// With this link.
    pub link: Option<String>,
    /// With all of these words in the link, the title, the author or the transcripts; each may have several spellings.
    pub words: Vec<Vec<String>>,
    /// Made after, in milliseconds since 1970.
    pub created_after: Option<i64>,
    /// Made before, in milliseconds since 1970.
    pub created_before: Option<i64>,
    /// With this token's tasks only.
    pub owner: Option<TokenId>,
    /// At most this many.
    pub limit: u64,
    /// Only tasks with a smaller id: the last one of the page before.
    pub before: Option<TaskId>,
}

/// One page of tasks, the newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The tasks.
    pub tasks: Vec<Task>,
    /// What to ask for next.
    pub next: Option<TaskId>,
    /// How many there are in all.
    pub total: u64,
}

/// How many steps are named in one query.
const STEPS_AT_ONCE: usize = 1_000;

impl Tx {
    /// Writes a task and returns its id.
    pub async fn insert_task(&self, task: NewTask) -> Result<TaskId> {
        let link = task.link.clone();
        let model = ActiveModel {
            workflow: Set(task.workflow),
            revision: Set(task.revision),
            status: Set(TaskStatus::Queued.to_string()),
            priority: Set(task.priority.to_string()),
            link: Set(task.link),
            params: Set(rows::json(&task.params)?),
            options: Set(rows::json(&task.options)?),
            progress: Set(0.0),
            warnings: Set(rows::json(&Vec::<String>::new())?),
            media_id: Set(task.media_id.map(|id| id.0)),
            callback_url: Set(task.callback_url),
            created_at: Set(self.now),
            updated_at: Set(self.now),
            parent_step: Set(task.parent_step),
            owner: Set(task.owner.map(|id| id.0)),
            facade: Set(task.facade.as_ref().map(rows::json).transpose()?),
            rerun_of: Set(task.rerun_of.map(|id| id.0)),
            deadline_at: Set(task.deadline_ms.map(|ms| self.now.saturating_add(ms))),
            held: Set(Some(task.held)),
            ..Default::default()
        };
        let id = Entity::insert(model).exec(&self.inner).await?.last_insert_id;
        self.set_words(Searched::Task, id, &link).await?;
        Ok(TaskId(id))
    }

    /// Reads a task and keeps every other writer from changing it or its steps until the transaction ends.
    ///
    /// SQLite's transactions are alone by themselves; a database with several writers needs a row lock here.
    pub async fn lock_task(&self, id: TaskId) -> Result<Option<Task>> {
        self.locked(Entity::find_by_id(id.0)).one(&self.inner).await?.map(TryInto::try_into).transpose()
    }

    /// Notes that the work of these tasks has begun; returns those of which that is news.
    pub async fn start_tasks(&self, ids: &HashSet<TaskId>) -> Result<Vec<TaskId>> {
        let queued = Column::Status.eq(TaskStatus::Queued.as_str()).and(Column::Id.is_in(ids.iter().map(|id| id.0)));
        let new = Entity::find().filter(queued).select_only().column(Column::Id).order_by_asc(Column::Id);
        let new: Vec<i64> = self.locked(new).into_tuple().all(&self.inner).await?;
        if !new.is_empty() {
            Entity::update_many()
                .col_expr(Column::Status, Expr::value(TaskStatus::Processing.as_str()))
                .col_expr(Column::StartedAt, Expr::value(self.now))
                .col_expr(Column::UpdatedAt, Expr::value(self.now))
                .filter(Column::Id.is_in(new.iter().copied()))
                .exec(&self.inner)
                .await?;
        }
        Ok(new.into_iter().map(TaskId).collect())
    }

    /// What `query` finds stays as it is until the transaction ends, beside whomever it runs.
    pub(super) fn locked<E: EntityTrait>(&self, query: Select<E>) -> Select<E> {
        if self.is_alone { query } else { query.lock_exclusive() }
    }

    /// Notes how far a task is and why it waits, if it does.
    pub async fn set_task_progress(&self, id: TaskId, progress: f64, waiting: Option<&Report>) -> Result<()> {
        let waiting = waiting.map(rows::json).transpose()?;
        Entity::update_many()
            .col_expr(Column::Progress, Expr::value(progress))
            .col_expr(Column::Waiting, Expr::value(waiting))
            .col_expr(Column::UpdatedAt, Expr::value(self.now))
            .filter(Column::Id.eq(id.0))
            .exec(&self.inner)
            .await?;
        Ok(())
    }

    /// Notes which media a task is about, which it then uses.
    pub async fn set_task_media(&self, id: TaskId, media: MediaId) -> Result<()> {
        let update = Entity::update_many().col_expr(Column::MediaId, Expr::value(media.0));
        update.filter(Column::Id.eq(id.0)).exec(&self.inner).await?;
        self.use_media(id, &[media].into()).await
    }

    /// Notes what a transcript says about a task; `warnings` take the place of those before.
    pub async fn set_task_transcribed(&self, id: TaskId, language: &str, warnings: &[String]) -> Result<()> {
        Entity::update_many()
            .col_expr(Column::Language, Expr::value(language))
            .col_expr(Column::Warnings, Expr::value(rows::json(&warnings)?))
            .filter(Column::Id.eq(id.0))
            .exec(&self.inner)
            .await?;
        Ok(())
    }

    /// Ends a task.
    pub async fn end_task(
        &self,
        id: TaskId,
        status: TaskStatus,
        result: Option<&Value>,
        error: Option<&Report>,
    ) -> Result<()> {
        let error = error.map(rows::json).transpose()?;
        let update = Entity::update_many()
            .col_expr(Column::Status, Expr::value(status.as_str()))
            .col_expr(Column::Result, Expr::value(result.cloned().map(Json)))
            .col_expr(Column::Error, Expr::value(error))
            .col_expr(Column::Waiting, Expr::value(Option::<Json>::None))
            .col_expr(Column::Held, Expr::value(false))
            .col_expr(Column::UpdatedAt, Expr::value(self.now))
            .col_expr(Column::FinishedAt, Expr::value(self.now));
        let done = status == TaskStatus::Completed;
        let update = if done { update.col_expr(Column::Progress, Expr::value(1.0)) } else { update };
        update.filter(Column::Id.eq(id.0)).exec(&self.inner).await?;
        Ok(())
    }

    /// Notes why a task will fail, while the steps of its workflow's `on_error` have still to run.
    pub async fn fail_task(&self, id: TaskId, error: &Report) -> Result<()> {
        Entity::update_many()
            .col_expr(Column::Status, Expr::value(TaskStatus::Processing.as_str()))
            .col_expr(Column::Error, Expr::value(rows::json(error)?))
            .col_expr(Column::Held, Expr::value(false))
            .col_expr(Column::Waiting, Expr::value(Option::<Json>::None))
            .col_expr(Column::UpdatedAt, Expr::value(self.now))
            .filter(Column::Id.eq(id.0))
            .exec(&self.inner)
            .await?;
        Ok(())
    }

    /// Replaces what a reader of a task should know.
    pub async fn set_task_warnings(&self, id: TaskId, warnings: &[String]) -> Result<()> {
        let update = Entity::update_many().col_expr(Column::Warnings, Expr::value(rows::json(&warnings)?));
        update.filter(Column::Id.eq(id.0)).exec(&self.inner).await?;
        Ok(())
    }

    /// The task that is the work of a `workflow` step.
    pub async fn child_of(&self, step: &str) -> Result<Option<Task>> {
        let query = Entity::find().filter(Column::ParentStep.eq(step));
        query.one(&self.inner).await?.map(TryInto::try_into).transpose()
    }

    /// The tasks that are the work of these steps.
    pub async fn children_of(&self, steps: &[String]) -> Result<Vec<Task>> {
        let mut found = Vec::new();
        for some in steps.chunks(STEPS_AT_ONCE) {
            let query = Entity::find().filter(Column::ParentStep.is_in(some.iter().cloned()));
            for row in query.all(&self.inner).await? {
                found.push(row.try_into()?);
            }
        }
        Ok(found)
    }

    /// The tasks that are the work of any of a task's steps.
    pub async fn children_of_task(&self, id: TaskId) -> Result<Vec<Task>> {
        children_of(&self.inner, id).await
    }

    /// How many tasks of a workflow are at work or may be at any time.
    pub async fn active_tasks(&self, workflow: &str) -> Result<u64> {
        let open = [TaskStatus::Queued.as_str(), TaskStatus::Processing.as_str()];
        let active = Entity::find()
            .filter(Column::Workflow.eq(workflow))
            .filter(Column::Status.is_in(open))
            .filter(Column::Held.eq(false).or(Column::Held.is_null()));
        Ok(active.count(&self.inner).await?)
    }

    /// The task of a workflow that waits longest for the end of another one.
    pub async fn oldest_held(&self, workflow: &str) -> Result<Option<Task>> {
        let held = Entity::find()
            .filter(Column::Workflow.eq(workflow))
            .filter(Column::Status.eq(TaskStatus::Queued.as_str()))
            .filter(Column::Held.eq(true))
            .order_by_asc(Column::Id);
        held.one(&self.inner).await?.map(TryInto::try_into).transpose()
    }

    /// Notes whether a task waits for the end of another one.
    pub async fn set_held(&self, id: TaskId, held: bool) -> Result<()> {
        let update = Entity::update_many().col_expr(Column::Held, Expr::value(held));
        update.filter(Column::Id.eq(id.0)).exec(&self.inner).await?;
        Ok(())
    }

    /// Sends a task that has ended back to the start, with a new deadline.
    pub async fn reopen_task(&self, id: TaskId, deadline_ms: Option<i64>) -> Result<()> {
        let deadline_at = deadline_ms.map(|ms| self.now.saturating_add(ms));
        Entity::update_many()
            .col_expr(Column::Status, Expr::value(TaskStatus::Queued.as_str()))
            .col_expr(Column::DeadlineAt, Expr::value(deadline_at))
            .col_expr(Column::Error, Expr::value(Option::<Json>::None))
            .col_expr(Column::FinishedAt, Expr::value(Option::<i64>::None))
            .col_expr(Column::UpdatedAt, Expr::value(self.now))
            .filter(Column::Id.eq(id.0))
            .exec(&self.inner)
            .await?;
        Ok(())
    }

    /// Removes a task with its steps, events, transcripts and deliveries, and what other tables say of it.
    pub async fn delete_task(&self, id: TaskId) -> Result<()> {
        self.drop_events(id);
        self.note_deletion(id).await?;
        self.forget_task(id).await?;
        Entity::delete_by_id(id.0).exec(&self.inner).await?;
        idempotency_key::Entity::delete_many()
            .filter(idempotency_key::Column::TaskId.eq(id.0))
            .exec(&self.inner)
            .await?;
        Ok(())
    }

    /// The task that an Idempotency-Key made, with the hash of the request's body, if it is not older than `max_age_ms`.
    pub async fn idempotent(&self, key: &str, max_age_ms: i64) -> Result<Option<(TaskId, String)>> {
        use idempotency_key::Column as Key;
        idempotency_key::Entity::delete_many()
            .filter(Key::CreatedAt.lt(self.now - max_age_ms))
            .exec(&self.inner)
            .await?;
        let row = idempotency_key::Entity::find_by_id(key).one(&self.inner).await?;
        Ok(row.map(|row| (TaskId(row.task_id), row.body_sha256)))
    }

    /// Forgets an Idempotency-Key.
    pub async fn forget_key(&self, key: &str) -> Result<()> {
        idempotency_key::Entity::delete_by_id(key).exec(&self.inner).await?;
        Ok(())
    }

    /// Remembers which task an Idempotency-Key made.
    pub async fn remember_key(&self, key: &str, body_sha256: &str, task: TaskId) -> Result<()> {
        idempotency_key::Entity::insert(idempotency_key::ActiveModel {
            key: Set(key.to_owned()),
            body_sha256: Set(body_sha256.to_owned()),
            task_id: Set(task.0),
            created_at: Set(self.now),
        })
        .exec(&self.inner)
        .await?;
        Ok(())
    }
}

async fn children_of(on: &impl ConnectionTrait, id: TaskId) -> Result<Vec<Task>> {
    let steps = step::Entity::find().select_only().column(step::Column::Id).filter(step::Column::TaskId.eq(id.0));
    let steps = steps.filter(step::Column::Kind.eq(StepKind::Workflow.as_str())).into_query();
    let children = Entity::find().filter(Column::ParentStep.in_subquery(steps)).all(on).await?;
    children.into_iter().map(TryInto::try_into).collect()
}

impl Store {
    /// The tasks that are the work of any of a task's steps.
    pub async fn children_of_task(&self, id: TaskId) -> Result<Vec<Task>> {
        children_of(&self.read, id).await
    }

    /// One task.
    pub async fn task(&self, id: TaskId) -> Result<Option<Task>> {
        Entity::find_by_id(id.0).one(&self.read).await?.map(TryInto::try_into).transpose()
    }

    /// Those of some tasks that came with a token.
    pub async fn owned_by(&self, owner: TokenId, tasks: &[TaskId]) -> Result<HashSet<TaskId>> {
        let query = Entity::find().select_only().column(Column::Id).filter(Column::Owner.eq(owner.0));
        let query = query.filter(Column::Id.is_in(tasks.iter().map(|id| id.0)));
        Ok(query.into_tuple::<i64>().all(&self.read).await?.into_iter().map(TaskId).collect())
    }

    /// Whether a media is a token's: one of its tasks is about it, or it is one of its uploads.
    pub async fn has_media(&self, owner: TokenId, media: MediaId) -> Result<bool> {
        let query = Entity::find().filter(Column::Owner.eq(owner.0)).filter(Column::MediaId.eq(media.0));
        if query.count(&self.read).await? > 0 {
            return Ok(true);
        }
        let found = self.media(media).await?.filter(|media| media.platform == UPLOAD);
        let Some(media) = found else { return Ok(false) };
        Ok(self.upload(&media.platform_id).await?.is_some_and(|(upload, _)| upload.owner == Some(owner)))
    }

    /// Whether a task is there and has not ended.
    pub async fn is_open(&self, id: TaskId) -> Result<bool> {
        let open = [TaskStatus::Queued.as_str(), TaskStatus::Processing.as_str()];
        let found = Entity::find_by_id(id.0).filter(Column::Status.is_in(open)).count(&self.read).await?;
        Ok(found > 0)
    }

    /// A page of tasks.
    pub async fn tasks(&self, filter: &TaskFilter) -> Result<Page> {
        let query = matching(self.dialect, filter);
        if !filter.words.is_empty() || filter.link.is_some() {
            return self.found(query, filter).await;
        }
        let total = query.clone().count(&self.read).await?;
        let found = query
            .apply_if(filter.before, |query, before| query.filter(Column::Id.lt(before.0)))
            .order_by_desc(Column::Id)
            .limit(filter.limit + 1)
            .all(&self.read)
            .await?;
        page(found, filter.limit, total)
    }

    /// A page of tasks that were searched for. The search is the expensive part and is made once.
    async fn found(&self, query: Select<Entity>, filter: &TaskFilter) -> Result<Page> {
        let ids = query.select_only().column(Column::Id).order_by_desc(Column::Id).into_tuple::<i64>();
        let ids = ids.all(&self.read).await?;
        let total = ids.len() as u64;
        let most = usize::try_from(filter.limit).unwrap_or(usize::MAX).saturating_add(1);
        let ids = ids.into_iter().filter(|id| filter.before.is_none_or(|before| *id < before.0)).take(most);
        let found = Entity::find().filter(Column::Id.is_in(ids)).order_by_desc(Column::Id).all(&self.read).await?;
        page(found, filter.limit, total)
    }

    /// The tasks that are late and have not ended; those whose failure is known already are not named again.
    pub async fn overdue_tasks(&self) -> Result<Vec<TaskId>> {
        let now = self.dialect.now(&self.read).await?;
        let open = [TaskStatus::Queued.as_str(), TaskStatus::Processing.as_str()];
        let overdue = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::Status.is_in(open))
            .filter(Column::DeadlineAt.lte(now))
            .filter(Column::Error.is_null());
        Ok(overdue.into_tuple::<i64>().all(&self.read).await?.into_iter().map(TaskId).collect())
    }

    /// The ids of every task that has not ended.
    pub async fn open_tasks(&self) -> Result<Vec<TaskId>> {
        let open = [TaskStatus::Queued.as_str(), TaskStatus::Processing.as_str()];
        let query = Entity::find().select_only().column(Column::Id).filter(Column::Status.is_in(open));
        Ok(query.into_tuple::<i64>().all(&self.read).await?.into_iter().map(TaskId).collect())
    }
}

/// A page of what was found, one row more than its limit if there are more.
fn page(found: Vec<Model>, limit: u64, total: u64) -> Result<Page> {
    let more = found.len() as u64 > limit;
    let mut tasks: Vec<Task> = found.into_iter().map(TryInto::try_into).collect::<Result<_>>()?;
    tasks.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = tasks.last().filter(|_| more).map(|task| task.id);
    Ok(Page { tasks, next, total })
}

/// The tasks that a filter lets through.
pub(super) fn matching(dialect: Dialect, filter: &TaskFilter) -> Select<Entity> {
    let of_media = |condition: Condition| {
        Column::MediaId
            .in_subquery(media::Entity::find().select_only().column(media::Column::Id).filter(condition).into_query())
    };
    let query = Entity::find()
        .apply_if(filter.status, |query, status| query.filter(Column::Status.eq(status.as_str())))
        .apply_if(filter.language.as_ref(), |query, language| query.filter(Column::Language.eq(language)))
        .apply_if(filter.workflow.as_ref(), |query, workflow| query.filter(Column::Workflow.eq(workflow)))
        .apply_if(filter.priority, |query, priority| query.filter(Column::Priority.eq(priority.as_str())))
        .apply_if(filter.created_after, |query, after| query.filter(Column::CreatedAt.gt(after)))
        .apply_if(filter.created_before, |query, before| query.filter(Column::CreatedAt.lt(before)))
        .apply_if(filter.platform.as_ref(), |query, platform| {
            query.filter(of_media(Condition::all().add(media::Column::Platform.eq(platform))))
        })
        .apply_if(filter.link.as_ref(), |query, link| query.filter(Column::Link.eq(link)))
        .apply_if(filter.owner, |query, owner| query.filter(Column::Owner.eq(owner.0)));
    let mut words = filter.words.clone();
    words.extend(filter.link.as_deref().and_then(search::word_of).map(|word| vec![word]));
    let found = if words.is_empty() { Vec::new() } else { search::found(dialect, &words) };
    found.into_iter().fold(query, |query, found| query.filter(found))
}
