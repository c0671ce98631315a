//! What steps do: one file per kind.
//!
//! A step's function gets a [`Job`] and returns what it made; it writes no queue rows. Callers may rely on this: it stops
//! within a second of its token being cancelled, it may be run again from the beginning at any time, and everything it
//! leaves in the task's working folder may be deleted.

mod callback;
mod condition;
mod dash;
mod decrypt;
mod download;
mod exec;
mod extract;
mod hls;
mod http;
mod llm;
mod machine;
mod owned;
mod reporter;
mod resolve;
mod segments;
mod subtitle;
mod ticket;
mod transcribe;
mod wishes;
mod words;
mod workflow;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub use self::{machine::machine, reporter::Reporter, ticket::Tickets};
use crate::{
    config::ExecConfig,
    crawl::Crawl,
    domain::{StepKind, Task},
    error::{Code, Error, Report, Result},
    files::Files,
    intake::{Checked, Intake},
    llm::Llm,
    media::Ffmpeg,
    net::Net,
    queue::{Done, Queue, Work},
    secrets::{Revealed, Secrets},
    store::StepRow,
    transcribe::{Models, Pool},
    workflow::{Rule, depth},
};

/// How much is told of why an input does not fit, in characters.
const MAX_WHY: usize = 200;

/// Everything that steps work with. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    /// The queue and, below it, the store.
    pub queue: Queue,
    /// The door to the network.
    pub net: Net,
    /// Links and sources.
    pub crawl: Crawl,
    /// What was resolved lately.
    pub tickets: Tickets,
    /// Working folders and kept media.
    pub files: Files,
    /// ffmpeg.
    pub ffmpeg: Ffmpeg,
    /// Model files.
    pub models: Models,
    /// Recognition processes.
    pub pool: Arc<Pool>,
    /// The way in, for steps whose work is a task of its own.
    pub intake: Intake,
    /// Language models.
    pub llm: Llm,
    /// What steps may use and nobody may see.
    pub secrets: Secrets,
    /// The programs that the operator has declared.
    pub exec: Arc<BTreeMap<String, ExecConfig>>,
}

impl Services {
    /// Whether somebody outside could see that a step's work is done twice: it may change something there, or cost money.
    /// What only looks (a link, a download) and what only computes may be done twice.
    pub fn is_seen_outside(&self, row: &StepRow) -> bool {
        match row.step.kind {
            StepKind::Http | StepKind::Llm => true,
            StepKind::Exec => {
                let name = Rule::read(&row.rule).program;
                name.and_then(|name| self.exec.get(&name)).is_some_and(|program| program.network)
            }
            // A callback is only written down here; its courier looks for itself.
            StepKind::Resolve
            | StepKind::Download
            | StepKind::Extract
            | StepKind::Transcribe
            | StepKind::Callback
            | StepKind::Subtitle
            | StepKind::Condition
            | StepKind::Workflow => false,
        }
    }
}

/// One try at one step.
pub struct Job<'a> {
    /// What to work with.
    pub services: &'a Services,
    /// The claim.
    pub work: &'a Work,
    /// The task as it was when the step started.
    pub task: &'a Task,
    /// The steps that this one refers to or waits for; for `download` every step of the task. No items of lists.
    pub steps: &'a [StepRow],
    /// The step's `with`, references filled in.
    pub input: Map<String, Value>,
    /// What its expressions can see; for the fields that hold secrets, which `input` hides.
    pub scope: &'a Value,
    /// Where progress goes.
    pub reporter: &'a Reporter,
    /// To be told when the step's place in its lane may go to another one, though it is not over yet.
    pub leave: &'a Notify,
    /// Whether to stop.
    pub cancel: &'a CancellationToken,
}

impl Job<'_> {
    /// The same try with other services.
    fn with<'b>(&'b self, services: &'b Services) -> Job<'b> {
        let Self { work, task, steps, scope, reporter, leave, cancel, .. } = *self;
        Job { services, work, task, steps, input: self.input.clone(), scope, reporter, leave, cancel }
    }
}

/// How a try ended that did not fail.
pub enum Outcome {
    /// The step is done.
    Done(Box<Done>),
    /// What it needs is not here; it should be looked at again after a while.
    Wait {
        /// What is missing.
        why: Report,
        /// When to look again.
        wait: Duration,
    },
    /// Its work is a task of its own.
    Task(Box<Checked>),
}

impl From<Value> for Outcome {
    fn from(output: Value) -> Self {
        Self::Done(Box::new(Done { output, ..Done::default() }))
    }
}

/// Does a step's work. What it leaves behind holds no secret, whoever told it.
pub async fn run(job: &Job<'_>) -> Result<Outcome> {
    match job.work.row.step.kind {
        StepKind::Llm | StepKind::Http | StepKind::Callback | StepKind::Exec => {
            let services = Services { secrets: job.services.secrets.for_job(), ..job.services.clone() };
            let outcome = work(&job.with(&services)).await;
            checked(without_secrets(outcome, services.secrets.revealed())?)
        }
        _ => checked(work(job).await?),
    }
}

/// What cannot be read again is not kept.
fn checked(outcome: Outcome) -> Result<Outcome> {
    match &outcome {
        Outcome::Done(done) => depth::check(&done.output, "The step's output")?,
        Outcome::Task(run) => {
            run.task.params.values().try_for_each(|value| depth::check(value, "What the task is given"))?;
        }
        Outcome::Wait { .. } => {}
    }
    Ok(outcome)
}

fn without_secrets(outcome: Result<Outcome>, revealed: &Revealed) -> Result<Outcome> {
    match outcome {
        Ok(Outcome::Done(mut done)) => {
            done.output = revealed.json(done.output);
            Ok(Outcome::Done(done))
        }
        Ok(other) => Ok(other),
        Err(error) => Err(revealed.error(error)),
    }
}

/// Each kind's work lies on the heap: the future that may become any of them would be large, and everything around it as well.
fn work<'a>(job: &'a Job<'a>) -> BoxFuture<'a, Result<Outcome>> {
    match job.work.row.step.kind {
        StepKind::Resolve => Box::pin(resolve::run(job)),
        StepKind::Download => Box::pin(download::run(job)),
        StepKind::Extract => Box::pin(extract::run(job)),
        StepKind::Transcribe => Box::pin(transcribe::run(job)),
        StepKind::Callback => Box::pin(callback::run(job)),
        StepKind::Subtitle => Box::pin(subtitle::run(job)),
        StepKind::Llm => Box::pin(llm::run(job)),
        StepKind::Http => Box::pin(http::run(job)),
        StepKind::Condition => Box::pin(condition::run(job)),
        StepKind::Workflow => Box::pin(workflow::run(job)),
        StepKind::Exec => Box::pin(exec::run(job)),
    }
}

impl Job<'_> {
    /// The whole input in the type that the kind takes.
    fn input<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_value(Value::Object(self.input.clone())).map_err(|error| {
            let key = &self.work.row.step.key;
            // It may quote what a stranger said.
            let why: String = error.to_string().chars().take(MAX_WHY).collect();
            Error::new(Code::InvalidWorkflow, format!("Step \"{key}\" cannot use its input: {why}"))
        })
    }

    /// A field as it stands in the definition.
    fn template(&self, name: &str) -> &Value {
        self.work.row.with.get(name).unwrap_or(&Value::Null)
    }

    /// The same for every try of this step, and no other step's: `task/step`, and `task/step/i` for an item of a list.
    fn idempotency_key(&self) -> String {
        let (task, row) = (self.task.id, &self.work.row);
        match (&row.list, row.item_index) {
            (Some(list), Some(index)) => format!("{task}/{list}/{index}"),
            _ => format!("{task}/{}", row.step.key),
        }
    }

    /// A field of the input in the type that the step wants.
    fn field<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        let value = self.input.get(name).cloned().unwrap_or(Value::Null);
        serde_json::from_value(value).map_err(|error| {
            let key = &self.work.row.step.key;
            Error::new(Code::InvalidWorkflow, format!("Step \"{key}\" cannot use its field \"{name}\""))
                .with_source(error)
        })
    }
}

/// The error of work that was told to stop.
fn stopped() -> Error {
    Error::new(Code::Cancelled, "The step was stopped")
}
