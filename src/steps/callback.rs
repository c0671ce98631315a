//! `callback`: a workflow's own message to someone.
//!
//! The step ends when the message is in the outbox; delivering it is the business of `delivery`, which also looks up the
//! secret that signs it, so that none is stored with it.

use chrono::{SubsecRound as _, Utc};
use serde_json::{Value, json};

use super::{Job, Outcome};
use crate::{
    error::{Code, Error, Result},
    queue::{Done, outbox},
    secrets,
    store::NewDelivery,
    workflow::kinds::callback::{Output, With},
};

const EVENT: &str = "workflow.callback";
/// The longest type of a message.
const MAX_EVENT: usize = 64;

pub(super) async fn run(job: &Job<'_>) -> Result<Outcome> {
    let with: With = job.input()?;
    let url = job.services.net.check_url(&with.url)?;
    let secret = secret(job, url.host_str().unwrap_or_default()).await?;
    let event = with.event.unwrap_or_else(|| EVENT.to_owned());
    let is_fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
    if event.is_empty() || event.len() > MAX_EVENT || !event.chars().all(is_fit) {
        let detail = format!("The field \"event\" of the step must have 1 to {MAX_EVENT} of a-z, 0-9, . _ and -");
        return Err(Error::new(Code::InvalidWorkflow, detail).with_field("event"));
    }
    let step = &job.work.row.step;
    let body = json!({
        "type": event,
        "timestamp": Utc::now().trunc_subsecs(3),
        "data": { "task_id": job.task.id, "workflow": job.task.workflow, "step": step.key, "data": with.data },
    });
    // The same id for every try of this step, so that a receiver can tell a repetition.
    let id = format!("msg_{}", step.id.replace('-', ""));
    let output = json!(Output { delivery_id: id.clone() });
    let body = outbox::fit(body, job.task.id);
    let delivery = NewDelivery { id, task_id: job.task.id, url: with.url, event, body, secret };
    Ok(Outcome::Done(Box::new(Done { output, delivery: Some(delivery), ..Done::default() })))
}

/// The name of the secret that signs the message; it must be there and bound to the receiver's host.
async fn secret(job: &Job<'_>, host: &str) -> Result<Option<String>> {
    let template = job.template("secret");
    if matches!(template, Value::Null) {
        return Ok(None);
    }
    let name = secrets::named(template).ok_or_else(|| {
        let detail = "The field \"secret\" of the step must be ${secrets.NAME} and nothing else";
        Error::new(Code::InvalidWorkflow, detail).with_field("secret")
    })?;
    job.services.secrets.check(&name, host).await?;
    Ok(Some(name))
}
