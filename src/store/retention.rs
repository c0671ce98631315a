//! What retention looks at and takes away. What goes is decided elsewhere; here it is found and removed, a little at a time.

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, Func, JoinType, Order, Query, SimpleExpr},
};

use serde_json::Map;

use super::{
    Store, Tx,
    entities::{
        delivery, delivery_attempt as attempt, event, event_fire, fire, idempotency_key, media, step, task, task_media,
        upload, watched_file,
    },
    rows,
    source_items::IDS_AT_ONCE,
};
use crate::{
    domain::{EventFireState, FireState, StepKind, StepState, TaskId, TaskStatus},
    error::Result,
};

/// The cursor that says up to which number events may be gone.
const PRUNED: &str = "events_pruned";
/// The cursor of whoever starts workflows by events.
const TRIGGERS: &str = "triggers";

/// The states of a task that is at work, and of a delivery that is.
const OPEN: [TaskStatus; 2] = [TaskStatus::Queued, TaskStatus::Processing];
const SENDING: [&str; 3] = ["pending", "sending", "held"];

/// Why a task that has ended is needed still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// It or a task of its steps has not ended.
    Open,
    /// A worker has not let go of one of its steps yet.
    Working,
    /// Its end is still being told.
    Telling,
    /// What came of a watched file is not written yet.
    Writing,
    /// A schedule or a trigger is still at it.
    Firing,
    /// A task that is at work repeats it and may take its results over.
    Repeated,
}

/// What is known of a task with the tasks of its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskFacts {
    /// When it ended, in milliseconds since 1970; none when it has not.
    pub finished_at: Option<i64>,
    /// Whether it is the work of another task's step: it goes with that one.
    pub is_child: bool,
    /// Why it is needed.
    pub hold: Option<Hold>,
    /// The number of its newest event, 0 when there is none.
    pub last_event: i64,
}

/// What is known of a kept file, whatever media are made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFacts {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: i64,
    /// When the newest task that uses it ended, in milliseconds since 1970.
    pub last_used: i64,
    /// Whether a task at work uses it.
    pub is_live: bool,
}

/// A row of a log: an event, or an attempt of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogFacts {
    /// Its number.
    pub id: i64,
    /// When it was written, in milliseconds since 1970.
    pub at: i64,
    /// Whether what it is about is still going on.
    pub is_live: bool,
}

impl Tx {
    /// What is known of a task; none when it is not there.
    pub async fn task_facts(&self, id: TaskId) -> Result<Option<TaskFacts>> {
        task_facts(&self.inner, id).await
    }

    /// What is known of a kept file; none when no media is made of it. Uploads that tasks at work name are looked at, too.
    pub async fn file_facts(&self, key: &str) -> Result<Option<FileFacts>> {
        let Some(mut facts) = files(&self.inner, Some(key), None, 1).await?.pop() else { return Ok(None) };
        let uploads = upload::Entity::find().select_only().column(upload::Column::Id);
        let ids: Vec<String> = uploads.filter(upload::Column::File.eq(key)).into_tuple().all(&self.inner).await?;
        for id in ids {
            let link = format!("upload:{id}");
            let named = task::Column::Params.like(format!("%{link}%"));
            let names = task::Entity::find().filter(is_open()).filter(task::Column::Link.eq(link).or(named));
            facts.is_live |= any(&self.inner, names).await?;
        }
        Ok(Some(facts))
    }

    /// Takes a kept file away from everything that is made of it: media stay without it, uploads go. The file itself is
    /// still there.
    pub async fn give_file_up(&self, key: &str) -> Result<()> {
        media::Entity::update_many()
            .col_expr(media::Column::File, Expr::value(Option::<String>::None))
            .col_expr(media::Column::FileRemovedAt, Expr::value(self.now))
            .filter(media::Column::File.eq(key))
            .exec(&self.inner)
            .await?;
        upload::Entity::delete_many().filter(upload::Column::File.eq(key)).exec(&self.inner).await?;
        Ok(())
    }

    /// Removes these events, except those of tasks that are at work again, and notes how far events may be gone.
    pub async fn delete_events(&self, ids: &[i64]) -> Result<u64> {
        let open = task::Entity::find().select_only().column(task::Column::Id).filter(is_open()).into_query();
        let gone = event::Entity::delete_many()
            .filter(event::Column::Id.is_in(ids.iter().copied()))
            .filter(event::Column::TaskId.not_in_subquery(open))
            .exec(&self.inner)
            .await?;
        if let Some(last) = ids.iter().max() {
            self.note_pruned(*last).await?;
        }
        Ok(gone.rows_affected)
    }

    /// Notes that events up to this number may be gone.
    pub(super) async fn note_pruned(&self, last: i64) -> Result<()> {
        self.set_cursor(PRUNED, last).await
    }

    /// Removes these lines from the log of deliveries, except those of deliveries that are sent again.
    pub async fn delete_attempts(&self, ids: &[i64]) -> Result<u64> {
        let sending = delivery::Entity::find()
            .select_only()
            .column(delivery::Column::Id)
            .filter(delivery::Column::State.is_in(SENDING))
            .into_query();
        let gone = attempt::Entity::delete_many()
            .filter(attempt::Column::Id.is_in(ids.iter().copied()))
            .filter(attempt::Column::DeliveryId.not_in_subquery(sending))
            .exec(&self.inner)
            .await?;
        Ok(gone.rows_affected)
    }

    /// Removes at most `limit` messages about no task that ended before this time (milliseconds since 1970), with their
    /// attempts.
    pub async fn delete_alerts(&self, before: i64, limit: u64) -> Result<u64> {
        let ids: Vec<String> = old_alerts(before).limit(limit).into_tuple().all(&self.inner).await?;
        let gone = delivery::Entity::delete_many().filter(delivery::Column::Id.is_in(ids)).exec(&self.inner).await?;
        Ok(gone.rows_affected)
    }

    /// Forgets the Idempotency-Keys of before this time, in milliseconds since 1970.
    pub async fn prune_keys(&self, before: i64) -> Result<u64> {
        let old = idempotency_key::Entity::delete_many().filter(idempotency_key::Column::CreatedAt.lt(before));
        Ok(old.exec(&self.inner).await?.rows_affected)
    }

    /// Removes what other tables say about a task that is deleted: parameters that were made of its results, and why it
    /// failed. A trigger that has not made its task of them yet makes none.
    pub(super) async fn forget_task(&self, id: TaskId) -> Result<()> {
        use event_fire::Column;
        let of_it = || event_fire::Entity::update_many().filter(Column::SourceTask.eq(id.0));
        of_it()
            .col_expr(Column::State, Expr::value(EventFireState::Refused.as_str()))
            .col_expr(Column::Note, Expr::value("The task of the event was deleted"))
            .col_expr(Column::StartedAt, Expr::value(self.now))
            .filter(Column::State.eq(EventFireState::Pending.as_str()))
            .exec(&self.inner)
            .await?;
        of_it().col_expr(Column::Params, Expr::value(rows::json(&Map::new())?)).exec(&self.inner).await?;
        fire::Entity::update_many()
            .col_expr(fire::Column::Error, Expr::null())
            .filter(fire::Column::TaskId.eq(id.0))
            .exec(&self.inner)
            .await?;
        self.note_deleted().await
    }
}

impl Store {
    /// What is known of a task; none when it is not there.
    pub async fn task_facts(&self, id: TaskId) -> Result<Option<TaskFacts>> {
        task_facts(&self.read, id).await
    }

    /// At most `limit` tasks that ended before this time (milliseconds since 1970) and are nobody's work, the earliest first:
    /// when and which. `after` is the last one of the page before.
    pub async fn ended_before(
        &self,
        before: i64,
        after: Option<(i64, TaskId)>,
        limit: u64,
    ) -> Result<Vec<(i64, TaskId)>> {
        use task::Column;
        let query = task::Entity::find()
            .select_only()
            .columns([Column::FinishedAt, Column::Id])
            .filter(Column::FinishedAt.lt(before))
            .filter(Column::ParentStep.is_null())
            .apply_if(after, |query, (at, id)| {
                let same = Column::FinishedAt.eq(at).and(Column::Id.gt(id.0));
                query.filter(Condition::any().add(Column::FinishedAt.gt(at)).add(same))
            })
            .order_by_asc(Column::FinishedAt)
            .order_by_asc(Column::Id)
            .limit(limit);
        let found: Vec<(i64, i64)> = query.into_tuple().all(&self.read).await?;
        Ok(found.into_iter().map(|(at, id)| (at, TaskId(id))).collect())
    }

    /// At most `limit` kept files, those first that were used last the longest ago. `after` is the last one of the page before.
    pub async fn files_by_use(&self, after: Option<&FileFacts>, limit: u64) -> Result<Vec<FileFacts>> {
        files(&self.read, None, after, limit).await
    }

    /// How many bytes the kept files of all media have.
    pub async fn kept_bytes(&self) -> Result<i64> {
        let mut bytes = 0;
        let mut last = String::new();
        loop {
            let page: Vec<(String, Option<i64>)> = media::Entity::find()
                .select_only()
                .column(media::Column::File)
                .column_as(media::Column::Size.max(), "bytes")
                .filter(media::Column::File.gt(last.as_str()))
                .group_by(media::Column::File)
                .order_by_asc(media::Column::File)
                .limit(IDS_AT_ONCE as u64)
                .into_tuple()
                .all(&self.read)
                .await?;
            let Some((file, _)) = page.last() else { return Ok(bytes) };
            last.clone_from(file);
            bytes += page.iter().filter_map(|(_, size)| *size).sum::<i64>();
        }
    }

    /// At most `limit` events after number `after`, the oldest first.
    pub async fn event_log(&self, after: i64, limit: u64) -> Result<Vec<LogFacts>> {
        use event::Column;
        let page: Vec<(i64, i64, i64)> = event::Entity::find()
            .select_only()
            .columns([Column::Id, Column::CreatedAt, Column::TaskId])
            .filter(Column::Id.gt(after))
            .order_by_asc(Column::Id)
            .limit(limit)
            .into_tuple()
            .all(&self.read)
            .await?;
        let tasks = task::Column::Id.is_in(page.iter().map(|(_, _, task)| *task));
        let open = task::Entity::find().select_only().column(task::Column::Id).filter(tasks).filter(is_open());
        let open: Vec<i64> = open.into_tuple().all(&self.read).await?;
        Ok(page.into_iter().map(|(id, at, task)| LogFacts { id, at, is_live: open.contains(&task) }).collect())
    }

    /// At most `limit` attempts of deliveries after number `after`, the oldest first.
    pub async fn attempt_log(&self, after: i64, limit: u64) -> Result<Vec<LogFacts>> {
        use attempt::Column;
        let page: Vec<(i64, i64, String)> = attempt::Entity::find()
            .select_only()
            .columns([Column::Id, Column::StartedAt, Column::DeliveryId])
            .filter(Column::Id.gt(after))
            .order_by_asc(Column::Id)
            .limit(limit)
            .into_tuple()
            .all(&self.read)
            .await?;
        let theirs = delivery::Column::Id.is_in(page.iter().map(|(_, _, delivery)| delivery.as_str()));
        let sending = delivery::Entity::find().select_only().column(delivery::Column::Id).filter(theirs);
        let sending: Vec<String> =
            sending.filter(delivery::Column::State.is_in(SENDING)).into_tuple().all(&self.read).await?;
        let facts = |(id, at, delivery)| LogFacts { id, at, is_live: sending.contains(&delivery) };
        Ok(page.into_iter().map(facts).collect())
    }

    /// How many messages about no task ended before this time, in milliseconds since 1970.
    pub async fn count_alerts(&self, before: i64) -> Result<u64> {
        Ok(old_alerts(before).count(&self.read).await?)
    }

    /// Up to which number the events were looked at by whoever starts workflows; none when nothing waits for events.
    pub async fn events_read(&self) -> Result<Option<i64>> {
        let triggers = self.event_triggers().await?;
        let Some(since) = triggers.iter().map(|trigger| trigger.since).min() else { return Ok(None) };
        let read = self.cursor(TRIGGERS).await?;
        Ok(Some(Ord::max(read, since)))
    }

    /// The highest number of an event that was removed because of its age, 0 when none was. Events of tasks at work stay, so
    /// older ones may be there.
    pub async fn events_pruned(&self) -> Result<i64> {
        self.cursor(PRUNED).await
    }

    /// The oldest event of a task: its number and its time in milliseconds since 1970.
    pub async fn first_event(&self, task: TaskId) -> Result<Option<(i64, i64)>> {
        let query = event::Entity::find().select_only().columns([event::Column::Id, event::Column::CreatedAt]);
        let query = query.filter(event::Column::TaskId.eq(task.0)).order_by_asc(event::Column::Id).limit(1);
        Ok(query.into_tuple().one(&self.read).await?)
    }
}

fn is_open() -> SimpleExpr {
    task::Column::Status.is_in(OPEN.map(TaskStatus::as_str))
}

fn old_alerts(before: i64) -> Select<delivery::Entity> {
    delivery::Entity::find()
        .select_only()
        .column(delivery::Column::Id)
        .filter(delivery::Column::TaskId.is_null())
        .filter(delivery::Column::FinishedAt.lt(before))
        .filter(delivery::Column::State.is_not_in(SENDING))
}

/// Whether there is such a row.
async fn any<E: EntityTrait>(on: &impl ConnectionTrait, query: Select<E>) -> Result<bool>
where
    E::Model: FromQueryResult + Send + Sync,
{
    Ok(query.limit(1).count(on).await? > 0)
}

async fn task_facts(on: &impl ConnectionTrait, id: TaskId) -> Result<Option<TaskFacts>> {
    let Some(root) = task::Entity::find_by_id(id.0).one(on).await? else { return Ok(None) };
    let tree = tree(on, id).await?;
    let mut facts =
        TaskFacts { finished_at: root.finished_at, is_child: root.parent_step.is_some(), hold: None, last_event: 0 };
    for some in tree.chunks(IDS_AT_ONCE) {
        if facts.hold.is_none() {
            facts.hold = hold(on, some).await?;
        }
        let newest = event::Entity::find().select_only().column_as(event::Column::Id.max(), "newest");
        let newest = newest.filter(event::Column::TaskId.is_in(some.iter().copied()));
        let newest: Option<Option<i64>> = newest.into_tuple().one(on).await?;
        facts.last_event = Ord::max(facts.last_event, newest.flatten().unwrap_or(0));
    }
    Ok(Some(facts))
}

/// Why one of these tasks is needed.
async fn hold(on: &impl ConnectionTrait, tasks: &[i64]) -> Result<Option<Hold>> {
    let ids = || tasks.iter().copied();
    if any(on, task::Entity::find().filter(task::Column::Id.is_in(ids())).filter(is_open())).await? {
        return Ok(Some(Hold::Open));
    }
    let running = step::Entity::find().filter(step::Column::TaskId.is_in(ids()));
    if any(on, running.filter(step::Column::State.eq(StepState::Running.as_str()))).await? {
        return Ok(Some(Hold::Working));
    }
    let telling = delivery::Entity::find().filter(delivery::Column::TaskId.is_in(ids()));
    if any(on, telling.filter(delivery::Column::State.is_in(SENDING))).await? {
        return Ok(Some(Hold::Telling));
    }
    let writing = watched_file::Entity::find().filter(watched_file::Column::TaskId.is_in(ids()));
    if any(on, writing.filter(watched_file::Column::Written.eq(false))).await? {
        return Ok(Some(Hold::Writing));
    }
    let started = fire::Entity::find().filter(fire::Column::TaskId.is_in(ids()));
    let pending = event_fire::Entity::find().filter(event_fire::Column::SourceTask.is_in(ids()));
    if any(on, started.filter(fire::Column::State.eq(FireState::Started.as_str()))).await?
        || any(on, pending.filter(event_fire::Column::State.eq(EventFireState::Pending.as_str()))).await?
    {
        return Ok(Some(Hold::Firing));
    }
    let repeats = task::Entity::find().filter(task::Column::RerunOf.is_in(ids())).filter(is_open());
    Ok(any(on, repeats).await?.then_some(Hold::Repeated))
}

/// A task and the tasks of its steps, theirs too.
async fn tree(on: &impl ConnectionTrait, id: TaskId) -> Result<Vec<i64>> {
    let mut tree = vec![id.0];
    let mut seen = 0;
    while seen < tree.len() {
        let some: Vec<i64> = tree[seen..].iter().take(IDS_AT_ONCE).copied().collect();
        seen += some.len();
        let steps = step::Entity::find()
            .select_only()
            .column(step::Column::Id)
            .filter(step::Column::TaskId.is_in(some))
            .filter(step::Column::Kind.eq(StepKind::Workflow.as_str()))
            .into_query();
        let children = task::Entity::find().select_only().column(task::Column::Id);
        let children = children.filter(task::Column::ParentStep.in_subquery(steps));
        tree.extend(children.into_tuple::<i64>().all(on).await?);
    }
    Ok(tree)
}

/// Kept files by their last use: that one, or a page of all.
async fn files(
    on: &impl ConnectionTrait,
    only: Option<&str>,
    after: Option<&FileFacts>,
    limit: u64,
) -> Result<Vec<FileFacts>> {
    let (task, medium) = (|column| Expr::col((task::Entity, column)), |column| Expr::col((media::Entity, column)));
    let at = [task(task::Column::FinishedAt), task(task::Column::UpdatedAt), medium(media::Column::CreatedAt)];
    let used = || SimpleExpr::from(Func::max(Func::coalesce(at.clone().map(SimpleExpr::from))));
    let file = || medium(media::Column::File);
    let open = task(task::Column::Status).is_in(OPEN.map(TaskStatus::as_str));
    let open = Expr::case(open, 1).finally(0);
    let mut query = Query::select()
        .expr_as(file(), "file")
        .expr_as(Func::max(medium(media::Column::Size)), "bytes")
        .expr_as(used(), "used")
        .expr_as(Func::max(open), "open")
        .from(media::Entity)
        .join(
            JoinType::LeftJoin,
            task_media::Entity,
            Expr::col((task_media::Entity, task_media::Column::MediaId)).equals((media::Entity, media::Column::Id)),
        )
        .join(
            JoinType::LeftJoin,
            task::Entity,
            task(task::Column::Id).equals((task_media::Entity, task_media::Column::TaskId)),
        )
        .and_where(file().is_not_null())
        .add_group_by([file()])
        .order_by_expr(used(), Order::Asc)
        .order_by((media::Entity, media::Column::File), Order::Asc)
        .limit(limit)
        .to_owned();
    if let Some(only) = only {
        query.and_where(file().eq(only));
    }
    if let Some(after) = after {
        let same = used().eq(after.last_used).and(file().gt(after.key.as_str()));
        query.cond_having(Condition::any().add(used().gt(after.last_used)).add(same));
    }
    let mut found = Vec::new();
    for row in on.query_all(&query).await? {
        found.push(FileFacts {
            key: row.try_get("", "file")?,
            size: row.try_get::<Option<i64>>("", "bytes")?.unwrap_or(0),
            last_used: row.try_get("", "used")?,
            is_live: row.try_get::<i32>("", "open")? > 0,
        });
    }
    Ok(found)
}
