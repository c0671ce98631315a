//! How a task's callbacks fare.

use poem_openapi::{Object, OpenApi, param::Path, payload::Json};

use super::{Context, Group, views::Report};
use crate::{
    api::words::Time,
    domain::TaskId,
    store::{Attempt, Delivery},
};

/// Deliveries.
pub(in crate::api) struct Deliveries(pub(super) Context);

/// The callbacks of a task. / 任务的回调。
#[derive(Debug, Object)]
struct DeliveryList {
    /// The callbacks, the oldest first.
    items: Vec<DeliveryView>,
}

/// One callback. / 一次回调。
#[derive(Debug, Object)]
#[oai(rename = "Delivery")]
struct DeliveryView {
    /// Its id, the same over all attempts: `webhook-id` for the receiver.
    id: String,
    /// The receiver.
    url: String,
    /// `task.completed`, `task.failed` or `task.cancelled`.
    event: String,
    /// `pending`, `sending`, `delivered` or `dead`.
    state: String,
    /// When it is tried next; null when nothing more is tried.
    #[oai(nullable)]
    next_at: Option<Time>,
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

#[OpenApi(tag = "Group::Results")]
impl Deliveries {
    /// List a task's callbacks
    ///
    /// With every attempt to deliver them.
    ///
    /// 列出任务的回调及每次投递尝试。
    #[oai(path = "/api/tasks/:id/deliveries", method = "get", operation_id = "task_deliveries")]
    async fn list(
        &self,
        /// The task.
        id: Path<i64>,
    ) -> poem::Result<Json<DeliveryList>> {
        let task = self.0.task(TaskId(id.0)).await?.id;
        let items = self.0.store().deliveries_of(task).await?.into_iter().map(Into::into).collect();
        Ok(Json(DeliveryList { items }))
    }
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        let goes_on = matches!(delivery.state.as_str(), "pending" | "sending");
        Self {
            id: delivery.id,
            url: delivery.url,
            event: delivery.event,
            state: delivery.state,
            next_at: goes_on.then_some(Time(delivery.next_at)),
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
