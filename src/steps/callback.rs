//! `callback`: a workflow's own message to someone.
//!
//! Input `{url, data?}`; output `{delivery_id}`. The step ends when the message is in the outbox; delivering it is the
//! business of `delivery`.

use chrono::Utc;
use serde_json::{Value, json};

use super::{Job, Outcome};
use crate::{
    error::Result,
    queue::{Done, outbox},
    store::NewDelivery,
};

const EVENT: &str = "workflow.callback";

pub(super) async fn run(job: &Job<'_>) -> Result<Outcome> {
    let url: String = job.field("url")?;
    job.services.net.check_url(&url)?;
    let data = job.input.get("data").cloned().unwrap_or(Value::Null);
    let body = json!({
        "type": EVENT,
        "timestamp": Utc::now(),
        "data": { "task_id": job.task.id, "workflow": job.task.workflow, "step": job.work.row.step.key, "data": data },
    });
    // The same id for every try of this step, so that a receiver can tell a repetition.
    let id = format!("msg_{}", job.work.row.step.id.replace('-', ""));
    let output = json!({ "delivery_id": id });
    let delivery =
        NewDelivery { id, task_id: job.task.id, url, event: EVENT.to_owned(), body: outbox::fit(body, job.task.id) };
    Ok(Outcome::Done(Box::new(Done { output, transcript: None, delivery: Some(delivery) })))
}
