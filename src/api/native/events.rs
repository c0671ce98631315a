//! Live views: server-sent events from the stored ones.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use chrono::Utc;
use futures_util::stream::{self, BoxStream, StreamExt};
use poem::web::sse;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::EventStream,
    types::ToJSON,
};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{Context, Group, wait::POLL};
use crate::{
    api::{who::Who, words::Time},
    domain::{Task, TaskId, TokenId},
    error::{Code, Error, Result},
    store::Event,
};

/// How many events are read at once.
const PAGE: u64 = 200;

/// How often a silent view says that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Live views.
pub(in crate::api) struct Events(pub(super) Context);

/// The data of one event, besides what its kind brings: `created` {workflow, priority}, `status` {status, error?, waiting?}, `step` {step, state, attempt,
/// error?}, `progress` {step, step_progress, progress}, `segment` {step, segment}, `llm` {step, part, parts, text},
/// `delivery` {id, event, state, endpoint?}, `deleted` {}; and `gap` {status?}, which has no number: events that were asked for are not kept any more.
/// / 一个事件的数据；各类事件另有自己的字段。`gap` 没有编号，表示所请求的部分事件已不再保留。
#[derive(Debug, Object)]
struct TaskEvent {
    #[oai(skip)]
    id: Option<i64>,
    #[oai(skip)]
    kind: String,
    /// The task; null for a `gap` in the events of all tasks.
    /// / 任务；在全部任务的事件流中，`gap` 的此字段为 null。
    #[oai(nullable)]
    task_id: Option<i64>,
    /// When it happened.
    created_at: Time,
    #[oai(flatten)]
    data: BTreeMap<String, Value>,
}

type View = EventStream<BoxStream<'static, TaskEvent>>;

#[OpenApi(tag = "Group::Events")]
impl Events {
    /// Watch a task
    ///
    /// Server-sent events `created`, `status`, `step`, `progress`, `segment`, `llm` and `delivery`; `id` is the event's number.
    /// Starts at the beginning, or after `Last-Event-ID`. Ends when the task has ended and everything up to then was sent: how
    /// its callback fares later is told by `GET /api/tasks/{id}/deliveries`; of a task that is deleted meanwhile the last event
    /// is `deleted`. Where events that should come are not kept any more,
    /// the first one is `gap`, which tells the task's `status`.
    ///
    /// 任务的实时事件（SSE），可用 `Last-Event-ID` 续传；任务结束且事件发送完毕后流结束，任务被删除时以 `deleted` 结束。若部分事件已不再保留，则首先发送 `gap`。
    #[oai(path = "/api/tasks/:id/events", method = "get", operation_id = "task_events")]
    async fn of_task(
        &self,
        /// The task.
        id: Path<i64>,
        /// The number of the last event that was received.
        #[oai(name = "Last-Event-ID")]
        last: Header<Option<String>>,
        /// The same, for clients that cannot set headers.
        last_event_id: Query<Option<i64>>,
    ) -> poem::Result<View> {
        let task = self.0.task(TaskId(id.0)).await?;
        let after = after(last.0, last_event_id.0)?.unwrap_or(0);
        let gap = self.0.gap_of(&task, after).await?;
        Ok(view(&self.0, Watched::Task(task.id), after, gap))
    }

    /// Watch all tasks
    ///
    /// The same events for every task that the caller may see, from now on, or after `Last-Event-ID`. `created` comes first of
    /// each task and `deleted` last, so a list that follows them need not be read again. Does not end by itself. Where events after that number are not kept any more, the first one is `gap`: read the tasks anew.
    ///
    /// 调用者可见的所有任务的实时事件，从现在开始，或从 `Last-Event-ID` 之后开始；每个任务以 `created` 开始，删除时以 `deleted` 结束。若其后的部分事件已不再保留，则首先发送 `gap`。
    #[oai(path = "/api/events", method = "get", operation_id = "all_events")]
    async fn of_all(
        &self,
        who: Who,
        /// The number of the last event that was received.
        #[oai(name = "Last-Event-ID")]
        last: Header<Option<String>>,
        /// The same, for clients that cannot set headers.
        last_event_id: Query<Option<i64>>,
    ) -> poem::Result<View> {
        let after = match after(last.0, last_event_id.0)? {
            Some(after) => after,
            None => self.0.store().last_event().await?,
        };
        let gap = (after < self.0.store().events_pruned().await?).then(|| TaskEvent::gap(None));
        Ok(view(&self.0, who.0.only().map_or(Watched::All, Watched::Owner), after, gap))
    }
}

/// Where to start: what a browser sends by itself when it comes back counts more than what the address says.
fn after(header: Option<String>, query: Option<i64>) -> Result<Option<i64>> {
    match header.as_deref().map(str::trim) {
        None | Some("") => Ok(query),
        Some(text) => text.parse().map(Some).map_err(|_| {
            Error::new(Code::InvalidValue, "Last-Event-ID is no event's number").with_field("Last-Event-ID")
        }),
    }
}

impl Context {
    /// Word of it where events of a task after number `after` are not kept any more: its first one is written with it.
    async fn gap_of(&self, task: &Task, after: i64) -> Result<Option<TaskEvent>> {
        let store = self.store();
        if after >= store.events_pruned().await? {
            return Ok(None);
        }
        let is_whole = match store.first_event(task.id).await? {
            Some((id, at)) => id <= after || at <= task.created_at.timestamp_millis(),
            None => false,
        };
        Ok((!is_whole).then(|| TaskEvent::gap(Some(task))))
    }
}

fn view(context: &Context, watched: Watched, after: i64, gap: Option<TaskEvent>) -> View {
    let feed = Feed::new(context, watched, after);
    let events = stream::unfold(feed, |mut feed| async move { feed.next().await.map(|event| (event, feed)) });
    EventStream::new(stream::iter(gap).chain(events.map(TaskEvent::from)).boxed()).keep_alive(KEEP_ALIVE).to_event(
        |event| {
            let told = sse::Event::message(event.to_json_string()).event_type(event.kind);
            match event.id {
                Some(id) => told.id(id.to_string()),
                None => told,
            }
        },
    )
}

/// What a look for events has come to.
enum Loaded {
    /// There is nothing new.
    Nothing,
    /// There are new events, be they for this view or not.
    Something,
    /// There may be new events, and no others will follow when there are none.
    Over,
}

/// Whose events are shown.
#[derive(Clone, Copy)]
pub(in crate::api) enum Watched {
    /// Those of one task.
    Task(TaskId),
    /// Those of a token's tasks.
    Owner(TokenId),
    /// Everyone's.
    All,
}

/// Reads the stored events one after the other and waits for new ones.
pub(in crate::api) struct Feed {
    context: Context,
    wake: watch::Receiver<u64>,
    watched: Watched,
    after: i64,
    ready: VecDeque<Event>,
}

impl Feed {
    /// The events after number `after`.
    pub(in crate::api) fn new(context: &Context, watched: Watched, after: i64) -> Self {
        let wake = context.state.queue.wake().events();
        Self { context: context.clone(), wake, watched, after, ready: VecDeque::new() }
    }

    /// The next event; none when the task has ended and all was told, or when the daemon stops.
    pub(in crate::api) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.context.stop.is_cancelled() {
                return None;
            }
            self.wake.mark_unchanged();
            let loaded = match self.load().await {
                Ok(loaded) => loaded,
                Err(error) => {
                    tracing::error!(error = %error.chain(), "a live view has ended early");
                    return None;
                }
            };
            match loaded {
                Loaded::Over if self.ready.is_empty() => return None,
                Loaded::Nothing => self.wait().await,
                Loaded::Over | Loaded::Something => {}
            }
        }
    }

    /// Reads what is new. The task is looked at before its events, so that a task that has ended has all of them stored.
    async fn load(&mut self) -> Result<Loaded> {
        let store = self.context.store();
        let task = match self.watched {
            Watched::Task(id) => Some(id),
            Watched::Owner(_) | Watched::All => None,
        };
        let (is_over, mut events) = match task {
            None => (false, store.told(self.after, PAGE).await?),
            Some(id) => match store.task(id).await? {
                Some(task) => (task.status.is_final(), store.events(Some(id), self.after, PAGE).await?),
                None => {
                    (true, store.deletion_of(id).await?.filter(|event| event.id > self.after).into_iter().collect())
                }
            },
        };
        let Some(last) = events.last() else {
            return Ok(if is_over { Loaded::Over } else { Loaded::Nothing });
        };
        self.after = last.id;
        if let Watched::Owner(owner) = self.watched {
            events = store.own_events(owner, events).await?;
        }
        self.ready = events.into();
        Ok(if is_over { Loaded::Over } else { Loaded::Something })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.wake.changed() => {}
            () = tokio::time::sleep(POLL) => {}
            () = self.context.stop.cancelled() => {}
        }
    }
}

impl TaskEvent {
    fn gap(task: Option<&Task>) -> Self {
        let data = task.map(|task| ("status".to_owned(), json!(task.status)));
        let (kind, created_at) = ("gap".to_owned(), Time(Utc::now()));
        Self { id: None, kind, task_id: task.map(|task| task.id.0), created_at, data: data.into_iter().collect() }
    }
}

impl From<Event> for TaskEvent {
    fn from(event: Event) -> Self {
        let data = match event.data {
            Value::Object(fields) => fields.into_iter().collect(),
            other => BTreeMap::from([("data".to_owned(), other)]),
        };
        Self {
            id: Some(event.id),
            kind: event.kind,
            task_id: Some(event.task_id.0),
            created_at: Time(event.created_at),
            data,
        }
    }
}
