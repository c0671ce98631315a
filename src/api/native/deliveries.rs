//! How callbacks fare.

use chrono::Utc;
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};

use super::{Context, Group, views::Report};
use crate::{
    api::{
        body::JsonBody,
        cursor,
        sample::sample,
        who::Who,
        words::{Time, Word},
    },
    domain::{Caller, DeliveryState, Endpoint, TaskId},
    error::{Code, Error, Result},
    store::{Attempt, Delivery, DeliveryFilter, Redelivery},
};

/// Deliveries.
pub(in crate::api) struct Deliveries(pub(super) Context);

/// The callbacks of a task. / 任务的回调。
#[derive(Debug, Object)]
struct DeliveryList {
    /// The callbacks, the oldest first.
    items: Vec<DeliveryView>,
}

/// A page of callbacks. / 一页回调。
#[derive(Debug, Object)]
#[oai(rename = "DeliveryPage")]
struct PageView {
    /// The callbacks, the newest first.
    items: Vec<DeliveryView>,
    /// What to ask for next; null on the last page.
    #[oai(nullable)]
    next_cursor: Option<String>,
}

/// One callback. / 一次回调。
#[derive(Debug, Object)]
#[oai(rename = "Delivery")]
struct DeliveryView {
    /// Its id, the same over all attempts: `webhook-id` for the receiver.
    id: String,
    /// The task that it tells of; null for a message about a schedule.
    #[oai(nullable)]
    task_id: Option<i64>,
    /// The receiver.
    url: String,
    /// The id of its endpoint, see `GET /api/endpoints`.
    endpoint: String,
    /// `task.completed`, `task.failed`, `task.cancelled`, or what a workflow or a schedule tells.
    event: String,
    /// Where it stands; a `dead` one is not tried again by itself, a `held` one when its endpoint is switched on.
    state: Word<DeliveryState>,
    /// When it is tried next; null when nothing more is tried.
    #[oai(nullable)]
    next_at: Option<Time>,
    /// When it was written.
    created_at: Time,
    /// Every attempt, the first one first.
    attempts: Vec<AttemptView>,
}

/// One attempt to deliver. / 一次投递尝试。
#[derive(Debug, Object)]
#[oai(rename = "Attempt")]
struct AttemptView {
    /// Its number, from 1.
    attempt: i64,
    /// When it started.
    started_at: Time,
    /// How long it took, in milliseconds.
    took_ms: i64,
    /// The receiver's status.
    #[oai(nullable)]
    status: Option<u16>,
    /// Why it failed.
    #[oai(nullable)]
    error: Option<Report>,
}

/// Which callbacks to send once more. / 要再次发送的回调。
#[derive(Debug, Object)]
#[oai(rename = "Redelivery", example, skip_serializing_if_is_none)]
struct Wanted {
    /// Written at this time or later.
    since: Time,
    /// Written before this time; now when nothing is said.
    #[oai(nullable)]
    until: Option<Time>,
    /// `dead` (also when nothing is said) or `delivered`.
    #[oai(nullable)]
    state: Option<String>,
    /// To the endpoint of this URL, whatever its query.
    #[oai(nullable)]
    url: Option<String>,
}

/// What was sent once more. / 再次发送的数量。
#[derive(Debug, Object)]
struct Redelivered {
    /// How many callbacks.
    count: u64,
}

sample!(Wanted, {
    "since": "2026-01-31T08:00:00Z", "until": "2026-01-31T12:00:00Z", "state": "dead", "url": "https://hooks.example.org/trawl",
});

fn default_limit() -> u64 {
    50
}

#[OpenApi(tag = "Group::Results")]
impl Deliveries {
    /// List a task's callbacks
    ///
    /// With every attempt to deliver them.
    ///
    /// 列出任务的回调及每次投递尝试。
    #[oai(path = "/api/tasks/:id/deliveries", method = "get", operation_id = "task_deliveries")]
    async fn of_task(
        &self,
        /// The task.
        id: Path<i64>,
    ) -> poem::Result<Json<DeliveryList>> {
        let task = self.0.task(TaskId(id.0)).await?.id;
        let items = self.0.store().deliveries_of(task).await?.into_iter().map(Into::into).collect();
        Ok(Json(DeliveryList { items }))
    }

    /// List callbacks
    ///
    /// Of all tasks, the newest first, with every attempt to deliver them.
    ///
    /// 列出所有任务的回调，最新的在前，含每次投递尝试。
    #[oai(path = "/api/deliveries", method = "get", operation_id = "list_deliveries")]
    async fn list(
        &self,
        /// Of this task.
        task: Query<Option<i64>>,
        /// In this state.
        state: Query<Option<Word<DeliveryState>>>,
        /// To the endpoint with this id.
        endpoint: Query<Option<String>>,
        /// At most this many.
        #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<u64>,
        /// The `next_cursor` of the page before.
        cursor: Query<Option<String>>,
        who: Who,
    ) -> poem::Result<Json<PageView>> {
        let filter = DeliveryFilter {
            task: task.0.map(TaskId),
            state: state.0.map(|word| word.0),
            owner: who.0.only(),
            endpoint: endpoint.0,
            limit: limit.0,
            before: cursor.0.as_deref().map(cursor::decode_text).transpose()?,
        };
        let page = self.0.store().deliveries(&filter).await?;
        let items = page.deliveries.into_iter().map(Into::into).collect();
        Ok(Json(PageView { items, next_cursor: page.next.as_deref().map(cursor::encode_text) }))
    }

    /// Look at a callback
    ///
    /// With every attempt to deliver it.
    ///
    /// 查询一次回调及每次投递尝试。
    #[oai(path = "/api/deliveries/:id", method = "get", operation_id = "get_delivery")]
    async fn get(
        &self,
        /// The callback's id.
        id: Path<String>,
        who: Who,
    ) -> poem::Result<Json<DeliveryView>> {
        Ok(Json(self.0.delivery(&id.0, who.0).await?.into()))
    }

    /// Send a callback once more
    ///
    /// Now, with the same id and the same body, whether it arrived before or not. One that had ended is tried this once,
    /// whatever comes of it; one that still waited goes on as planned if it fails. To an endpoint that is switched off
    /// nothing is sent: it is `held`.
    ///
    /// 立即再次发送回调：id 与内容不变，无论之前是否送达。已结束的回调只再尝试这一次；仍在等待的若失败则按原计划继续。
    #[oai(path = "/api/deliveries/:id/redeliver", method = "post", operation_id = "redeliver")]
    async fn redeliver(
        &self,
        /// The callback's id.
        id: Path<String>,
        who: Who,
    ) -> poem::Result<Json<DeliveryView>> {
        let delivery = self.0.delivery(&id.0, who.0).await?;
        self.0.state.queue.redeliver(&delivery).await?;
        Ok(Json(self.0.delivery(&id.0, who.0).await?.into()))
    }

    /// Send many callbacks once more
    ///
    /// Now, each of them this once: those that were written in a span of time and are `dead`, or were `delivered`; of all
    /// endpoints or of one.
    ///
    /// 立即再次发送某段时间内的多个回调（`dead` 或 `delivered`，可限定接收端），每个只尝试一次。
    #[oai(path = "/api/deliveries/redeliver", method = "post", operation_id = "redeliver_many")]
    async fn redeliver_many(&self, body: JsonBody<Wanted>) -> poem::Result<Json<Redelivered>> {
        let wanted = body.value.read()?;
        Ok(Json(Redelivered { count: self.0.state.queue.redeliver_many(&wanted).await? }))
    }
}

impl Wanted {
    fn read(self) -> Result<Redelivery> {
        let wrong = |field: &str, rule: &str| {
            Err(Error::new(Code::InvalidValue, format!("Field \"{field}\": must be {rule}")).with_field(field))
        };
        let delivered = match self.state.as_deref() {
            None | Some("dead") => false,
            Some("delivered") => true,
            _ => return wrong("state", "dead or delivered"),
        };
        let until = self.until.map_or_else(Utc::now, |time| time.0);
        if until <= self.since.0 {
            return wrong("until", "later than \"since\"");
        }
        let (since, until) = (self.since.0.timestamp_millis(), until.timestamp_millis());
        Ok(Redelivery { since, until, delivered, endpoint: self.url.map(|url| Endpoint::of(&url).id) })
    }
}

impl Context {
    /// One delivery, if this caller may know of it.
    async fn delivery(&self, id: &str, who: Caller) -> Result<Delivery> {
        let none = || Error::new(Code::NotFound, format!("There is no delivery \"{}\"", id.escape_debug()));
        let delivery = self.store().delivery(id).await?.ok_or_else(none)?;
        let owner = match delivery.task_id {
            Some(task) => self.task(task).await?.owner,
            None => None,
        };
        if who.may_see(owner) { Ok(delivery) } else { Err(none()) }
    }
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        let goes_on = matches!(delivery.state, DeliveryState::Pending | DeliveryState::Sending);
        Self {
            id: delivery.id,
            task_id: delivery.task_id.map(|id| id.0),
            url: delivery.url,
            endpoint: delivery.endpoint,
            event: delivery.event,
            state: Word(delivery.state),
            next_at: goes_on.then_some(Time(delivery.next_at)),
            created_at: Time(delivery.created_at),
            attempts: delivery.attempts.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Attempt> for AttemptView {
    fn from(attempt: Attempt) -> Self {
        Self {
            attempt: attempt.attempt,
            started_at: Time(attempt.started_at),
            took_ms: attempt.took_ms,
            status: attempt.status,
            error: attempt.error.map(Into::into),
        }
    }
}
