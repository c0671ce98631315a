//! The body of a task's callback, written into the outbox with the task's end.

use serde_json::{Value, json};

use super::{
    scope,
    services::{self, Known},
};
use crate::{
    domain::{Facade, Media, Task, TaskId, TaskStatus},
    error::Result,
    fault,
    store::{NewDelivery, Tx},
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
    tx.add_event(id, "delivery", json!({ "id": delivery.id, "event": event, "state": "pending" }));
    fault::point("outbox::before");
    tx.insert_delivery(delivery, 0).await?;
    fault::point("outbox::after");
    Ok(())
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

/// What is left of a message's data when all of it is too large.
const NAMES: [&str; 7] = ["id", "task_id", "status", "workflow", "step", "created_at", "finished_at"];

/// The body as text; one that is too large says where it can be read instead: first of the result, then of all but names.
pub fn fit(mut body: Value, task: TaskId) -> String {
    let text = body.to_string();
    if text.len() <= MAX_BODY {
        return text;
    }
    let path = json!(format!("/api/tasks/{task}"));
    if let Some(data) = body["data"].as_object_mut() {
        data.remove("result");
        data.remove("data");
        data.insert("result_path".to_owned(), path);
    }
    if body.to_string().len() > MAX_BODY
        && let Some(data) = body["data"].as_object_mut()
    {
        data.retain(|name, _| name == "result_path" || NAMES.contains(&name.as_str()));
    }
    body.to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_too_large_is_a_link() {
        let body = |data: Value| json!({ "type": "task.completed", "timestamp": "2026-01-31T12:00:00Z", "data": data });
        let long = "é".repeat(MAX_BODY);
        let fitted = |data| serde_json::from_str::<Value>(&fit(body(data), TaskId(7))).unwrap()["data"].clone();
        let whole = json!({ "id": 7, "params": { "a": 1 }, "result": { "text": "short" } });
        assert_eq!(fitted(whole.clone()), whole);
        let large = json!({ "id": 7, "params": { "a": 1 }, "result": { "text": long } });
        assert_eq!(fitted(large), json!({ "id": 7, "params": { "a": 1 }, "result_path": "/api/tasks/7" }));
        let larger = json!({ "id": 7, "status": "failed", "params": { "a": long }, "result": 1 });
        assert_eq!(fitted(larger), json!({ "id": 7, "status": "failed", "result_path": "/api/tasks/7" }));
    }

    proptest! {
        #[test]
        fn no_body_is_larger_than_promised(
            sizes in proptest::collection::vec((0..12_usize, 0..30_000_usize), 0..6),
        ) {
            let names = ["result", "data", "params", "options", "media", "error", "link", "warnings", "x", "y", "z", "w"];
            let fields = sizes.into_iter().map(|(name, size)| (names[name].to_owned(), json!("\"".repeat(size / 2))));
            let mut data: serde_json::Map<String, Value> = fields.collect();
            data.insert("id".to_owned(), json!(7));
            let text = fit(json!({ "type": "task.completed", "timestamp": "", "data": data }), TaskId(7));
            prop_assert!(text.len() <= MAX_BODY, "{}", text.len());
            let read: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&read["data"]["id"], 7);
        }
    }
}
