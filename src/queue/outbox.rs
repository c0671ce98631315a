//! The body of a task's callback, written into the outbox with the task's end; and a delivery sent once more.

use serde_json::{Value, json};

use super::{
    Queue, scope,
    services::{self, Known},
};
use crate::{
    domain::{DeliveryState, Facade, Media, Task, TaskId, TaskStatus},
    error::{Code, Error, Result},
    store::{Delivery, NewDelivery, Tx},
    zh,
};

/// The largest body in bytes (research/reliability.md §4); a larger result is replaced by the path where it can be read.
const MAX_BODY: usize = 20_000;

/// The largest body in bytes in the shape that has always had the whole result in it.
const MAX_SERVICES_BODY: usize = 4 << 20;

/// A new delivery id.
pub fn message_id() -> String {
    format!("msg_{}", uuid::Uuid::now_v7().simple())
}

impl Queue {
    /// Sends a delivery once more, now.
    ///
    /// # Errors
    /// `conflict` when it is being sent at this moment.
    pub async fn redeliver(&self, delivery: &Delivery) -> Result<()> {
        let tx = self.store.begin().await?;
        if !tx.redeliver(&delivery.id).await? {
            let detail = format!("The delivery {} is being sent", delivery.id);
            return Err(Error::new(Code::Conflict, detail).with_hint("Wait a moment, then look what came of it."));
        }
        if let Some(task) = delivery.task_id {
            let data = json!({ "id": delivery.id, "event": delivery.event, "state": DeliveryState::Pending });
            tx.add_event(task, "delivery", data).await?;
        }
        tx.commit().await?;
        self.wake.event();
        Ok(())
    }
}

/// Writes the delivery that tells a task's end, if someone wants to be told.
pub(super) async fn tell(tx: &Tx, id: TaskId) -> Result<()> {
    let Some(task) = tx.lock_task(id).await? else { return Ok(()) };
    let Some(url) = task.callback_url.clone() else { return Ok(()) };
    let event = match task.status {
        TaskStatus::Completed => "task.completed",
        TaskStatus::Cancelled => "task.cancelled",
        _ => "task.failed",
    };
    let media = match task.media_id {
        Some(media) => tx.media(media).await?,
        None => None,
    };
    let body = match task.facade.as_ref().and_then(Facade::services) {
        Some(said) => services_body(tx, &task, media.as_ref(), &said.base).await?,
        None => body(event, tx.now(), &task, media.as_ref()),
    };
    let delivery = NewDelivery { id: message_id(), task_id: id, url, event: event.to_owned(), body, secret: None };
    tx.add_event(id, "delivery", json!({ "id": delivery.id, "event": event, "state": "pending" })).await?;
    tx.insert_delivery(delivery, 0).await
}

/// The task in the shape of the routes that it came through: whole, or without its result when that is very large.
async fn services_body(tx: &Tx, task: &Task, media: Option<&Media>, base: &str) -> Result<String> {
    let steps = tx.steps_of(task.id).await?;
    let transcript = match task.status {
        TaskStatus::Completed => tx.transcript_of(task.id).await?,
        _ => None,
    };
    let transcript = transcript.map(|(id, mut transcript)| {
        zh::convert(&mut transcript, scope::script_of(&steps, id));
        transcript
    });
    let known = Known { task, media, transcript: transcript.as_ref(), delivery: None, steps: &steps, base };
    let body = services::shown(known).to_string();
    if body.len() <= MAX_SERVICES_BODY {
        return Ok(body);
    }
    // `output_url` says where it can be read.
    Ok(services::shown(Known { transcript: None, ..known }).to_string())
}

/// `{type, timestamp, data}` with the task as data.
pub fn body(event: &str, now_ms: i64, task: &Task, media: Option<&Media>) -> String {
    let mut data = json!(task);
    data["media"] = json!(media);
    if let Some(media) = data["media"].as_object_mut() {
        // Where the file lies is nobody's business outside.
        media.remove("file");
    }
    let timestamp = chrono::DateTime::from_timestamp_millis(now_ms).unwrap_or_default();
    fit(json!({ "type": event, "timestamp": timestamp, "data": data }), task.id)
}

/// The body as text; one that is too large says where its result can be read instead.
pub fn fit(mut body: Value, task: TaskId) -> String {
    let text = body.to_string();
    if text.len() <= MAX_BODY {
        return text;
    }
    if let Some(data) = body["data"].as_object_mut() {
        data.remove("result");
        data.remove("data");
        data.insert("result_path".to_owned(), json!(format!("/api/tasks/{task}")));
    }
    body.to_string()
}
