//! What a language model says while a step waits for all of it.

use futures_util::FutureExt;
use serde_json::json;

use super::{Queue, Work};
use crate::{error::Result, store::Tx};

/// More words of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// To which part of a text it is the answer, from 1; none: it merges those to all parts.
    pub part: Option<usize>,
    /// How many parts there are.
    pub parts: usize,
    /// The words.
    pub text: String,
}

impl Queue {
    /// Tells what a language model has said since the last call, as `llm` events; `fraction` is how far the step is.
    pub async fn say(&self, work: &Work, fraction: f64, said: &[Said]) -> Result<bool> {
        if said.is_empty() {
            return Ok(true);
        }
        let ours = self.store.beside(|tx| tell(tx, work, fraction, said).boxed()).await?;
        if ours {
            self.wake.event();
        }
        Ok(ours)
    }
}

async fn tell(tx: Tx, work: &Work, fraction: f64, said: &[Said]) -> Result<bool> {
    let (task, key) = (work.row.step.task_id, &work.row.step.key);
    let is_open = tx.lock_task(task).await?.is_some_and(|task| !task.status.is_final());
    if !is_open || !tx.set_progress(&work.fence, fraction).await? {
        return Ok(false);
    }
    for Said { part, parts, text } in said {
        tx.add_event(task, "llm", json!({ "step": key, "part": part, "parts": parts, "text": text }));
    }
    tx.commit().await?;
    Ok(true)
}
