//! `llm`: a question to a language model about a text.
//!
//! Input and output: `workflow::kinds::llm`. Words of streamed answers are told as they come, unless the step has a key
//! of its own. Answers are kept in the task's
//! working folder until it ends, so that another try asks only for those that are missing.

use super::{Job, Outcome, stopped};
use crate::{
    error::{Code, Error, Result},
    llm::{Context, Heard},
    workflow::kinds::llm::With,
};

pub(super) async fn run(job: &Job<'_>) -> Result<Outcome> {
    let mut with: With = job.input()?;
    if with.api_key.is_some() {
        let host = job.services.llm.host(with.model.as_deref())?;
        let key = job.services.secrets.reveal(job.template("api_key"), job.scope, &host).await?;
        with.api_key = key.as_str().map(str::to_owned);
    }
    // Whoever has seen a key may say it, in pieces that hide it from who looks for it.
    let is_quiet = with.api_key.is_some();
    let hear = |heard: Heard<'_>| match heard {
        Heard::Text { .. } if is_quiet => {}
        Heard::Text { part, parts, text } => job.reporter.words(part, parts, text),
        Heard::Progress(fraction) => job.reporter.progress(fraction),
    };
    let context = Context {
        key: job.idempotency_key(),
        folder: job.services.files.task_dir(job.task.id).join(format!("{}.llm", job.work.row.step.id)),
        hear: &hear,
        hide: &|text| job.services.secrets.revealed().text(text),
    };
    let asked = job.cancel.run_until_cancelled(job.services.llm.run(with, &context)).await;
    let output = serde_json::to_value(asked.ok_or_else(stopped)??)
        .map_err(|error| Error::new(Code::Internal, "An answer cannot be written as JSON").with_source(error))?;
    Ok(output.into())
}
