//! Traces: when a task has ended, it goes to a collector as one trace, its steps as spans (OTLP over HTTP, as JSON).
//!
//! Callers may rely on this: nothing waits for the collector, and what it does not take is dropped. A span tells kind,
//! times and how the last try of a step ended; no link, no title and no word of what was said. Format: OTLP 1.x over HTTP,
//! JSON encoding (opentelemetry.io/docs/specs/otlp).

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::{
    config::TracesConfig,
    domain::{Step, StepState, Task, TaskId, TaskStatus},
    error::{Code, Error, Result},
    net::{Net, Post},
    queue::Queue,
};

/// For one trace.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How a span ended, in OTLP's numbers.
const OK: u8 = 1;
const FAILED: u8 = 2;

/// Sends traces.
pub struct Traces {
    endpoint: String,
    queue: Queue,
    net: Net,
}

impl Traces {
    /// Sends the traces of a queue's tasks to the collector of a configuration. Fails with `config` when its address is one
    /// that `net` does not let through.
    pub fn new(config: &TracesConfig, queue: Queue, net: Net) -> Result<Self> {
        if !config.endpoint.is_empty() {
            net.check_url(&config.endpoint).map_err(|error| {
                Error::new(Code::Config, format!("`traces.endpoint` cannot be used: {}", error.detail))
                    .with_hint("A collector on this machine or a private network must stand in `net.allow_hosts`.")
            })?;
        }
        Ok(Self { endpoint: config.endpoint.clone(), queue, net })
    }

    /// Sends a trace for each task that ends, until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        if !self.endpoint.is_empty() {
            shutdown.run_until_cancelled(self.work()).await;
        }
    }

    async fn work(&self) {
        let mut ends = self.queue.wake().stops();
        let mut last = None;
        loop {
            match ends.recv().await {
                Ok(stop) => match self.send(stop.task, &mut last).await {
                    Ok(()) => {}
                    Err(error) => tracing::warn!(task = %stop.task, error = %error.chain(), "a trace is dropped"),
                },
                Err(RecvError::Lagged(tasks)) => tracing::warn!(tasks, "the collector is too slow; traces are dropped"),
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Sends a task's trace if it has ended; `last` is the one that was sent before, because an end may be told twice.
    async fn send(&self, id: TaskId, last: &mut Option<(TaskId, DateTime<Utc>)>) -> Result<()> {
        let Some(task) = self.queue.store().task(id).await? else { return Ok(()) };
        let Some(ended) = task.finished_at.filter(|ended| *last != Some((id, *ended))) else { return Ok(()) };
        *last = Some((id, ended));
        let steps = self.queue.store().main_steps_of(id).await?;
        let steps: Vec<&Step> = steps.iter().map(|row| &row.step).collect();
        let Some(trace) = trace(&task, &steps) else { return Ok(()) };
        let post = Post {
            url: self.endpoint.clone(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: trace.to_string().into(),
            timeout: TIMEOUT,
        };
        let status = self.net.post(post).await?.status;
        match status {
            200..300 => Ok(()),
            _ => Err(Error::new(Code::SourceError, format!("The collector answered {status}"))),
        }
    }
}

/// A task that has ended as OTLP. Its id is that of the first step, a UUID that no other task has. None without steps.
fn trace(task: &Task, steps: &[&Step]) -> Option<Value> {
    let hex = |id: &str| id.replace('-', "");
    let trace_id = hex(&steps.first()?.id);
    let (root, ended) = (trace_id.get(..16)?.to_owned(), task.finished_at.unwrap_or(task.updated_at));
    let spans = steps.iter().filter_map(|step| {
        let started = step.started_at?;
        let mut attributes = vec![
            text("trawl.step.kind", step.kind.as_str()),
            text("trawl.step.lane", step.lane.as_str()),
            text("trawl.step.state", step.state.as_str()),
            number("trawl.step.attempt", step.attempt),
            number("trawl.step.waited_ms", (started - step.eligible_at).num_milliseconds().max(0)),
        ];
        attributes.extend(step.error.as_ref().map(|error| text("error.type", &error.code)));
        Some(json!({
            "traceId": trace_id, "spanId": hex(&step.id).get(16..)?, "parentSpanId": root, "kind": 1,
            "name": step.key, "startTimeUnixNano": nanos(started),
            "endTimeUnixNano": nanos(step.finished_at.unwrap_or(ended).max(started)),
            "attributes": attributes, "status": status(step.state == StepState::Failed),
        }))
    });
    let mut attributes = vec![
        number("trawl.task.id", task.id.0),
        text("trawl.task.status", task.status.as_str()),
        text("trawl.task.priority", task.priority.as_str()),
        text("trawl.workflow", &task.workflow),
    ];
    attributes.extend(task.error.as_ref().map(|error| text("error.type", &error.code)));
    let parent = task.parent_step.as_ref().and_then(|step| Some(hex(step).get(16..)?.to_owned()));
    attributes.extend(parent.map(|span| text("trawl.parent.span_id", &span)));
    let whole = json!({
        "traceId": trace_id, "spanId": root, "kind": 1, "name": format!("task {}", task.workflow),
        "startTimeUnixNano": nanos(task.created_at), "endTimeUnixNano": nanos(ended),
        "attributes": attributes, "status": status(task.status == TaskStatus::Failed),
    });
    let spans: Vec<Value> = std::iter::once(whole).chain(spans).collect();
    Some(json!({ "resourceSpans": [{
        "resource": { "attributes": [text("service.name", "trawl"), text("service.version", env!("CARGO_PKG_VERSION"))] },
        "scopeSpans": [{ "scope": { "name": "trawl" }, "spans": spans }],
    }] }))
}

fn status(is_failed: bool) -> Value {
    json!({ "code": if is_failed { FAILED } else { OK } })
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

/// Whole numbers of 64 bits are texts in OTLP's JSON, and so are times.
fn number(key: &str, value: i64) -> Value {
    json!({ "key": key, "value": { "intValue": value.to_string() } })
}

fn nanos(time: DateTime<Utc>) -> String {
    (i128::from(time.timestamp_millis()) * 1_000_000).to_string()
}
