//! `llm`: a question to a language model about a text.
//!
//! Input and output: `workflow::kinds::llm`. Words of streamed answers are told as they come. Answers are kept in the task's
//! working folder until it ends, so that another try asks only for those that are missing.

use serde_json::Value;

use super::{Job, Outcome, stopped};
use crate::{
    error::{Code, Error, Result},
    llm::{Context, Heard},
    workflow::kinds::llm::With,
};

pub(super) async fn run(job: &Job<'_>) -> Result<Outcome> {
    let step = &job.work.row.step;
    let with: With = serde_json::from_value(Value::Object(job.input.clone())).map_err(|error| {
        // It may quote what it does not like, and that may be long.
        let why: String = error.to_string().chars().take(200).collect();
        Error::new(
            Code::InvalidWorkflow,
            format!("Step \"{}\" cannot use its `with`: {}", step.key, why.escape_debug()),
        )
    })?;
    let hear = |heard: Heard<'_>| match heard {
        Heard::Text { part, parts, text } => job.reporter.words(part, parts, text),
        Heard::Progress(fraction) => job.reporter.progress(fraction),
    };
    let row = &job.work.row;
    let name = match (&row.list, row.item_index) {
        (Some(list), Some(index)) => format!("{list}/{index}"),
        _ => step.key.clone(),
    };
    let context = Context {
        key: format!("{}/{name}", job.task.id),
        folder: job.services.files.task_dir(job.task.id).join(format!("{}.llm", step.id)),
        hear: &hear,
    };
    let asked = job.cancel.run_until_cancelled(job.services.llm.run(with, &context)).await;
    let output = serde_json::to_value(asked.ok_or_else(stopped)??)
        .map_err(|error| Error::new(Code::Internal, "An answer cannot be written as JSON").with_source(error))?;
    Ok(output.into())
}
