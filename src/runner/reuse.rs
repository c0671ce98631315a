//! Taking over what the same step made in the task that this one repeats.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    domain::{StepKind, StepState, Task, TranscriptId},
    error::Result,
    queue::{Done, Work},
    steps::Services,
    store::StepRow,
    workflow::Rule,
};

/// The SHA-256, in hex, of what a step is and works on.
pub(super) fn hash(row: &StepRow, input: &Value) -> String {
    let whole = json!([row.step.kind, Rule::read(&row.rule).program, row.with, input]);
    Sha256::digest(whole.to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The earlier result, if the step may take it and worked on the same.
pub(super) async fn earlier(services: &Services, task: &Task, work: &Work, hash: &str) -> Result<Option<Done>> {
    let row = &work.row;
    let Some(before) = task.rerun_of.filter(|_| row.reuse) else { return Ok(None) };
    let store = services.queue.store();
    let found = store.steps_named(before, std::slice::from_ref(&row.step.key)).await?.pop();
    let same = found.filter(|old| old.step.state == StepState::Succeeded && old.input_hash.as_deref() == Some(hash));
    let Some(output) = same.and_then(|old| old.step.output) else { return Ok(None) };
    match row.step.kind {
        StepKind::Download => {
            let file = output.get("file").and_then(Value::as_str);
            let is_here = match file {
                Some(file) => services.files.is_whole(file, output.get("size").and_then(Value::as_i64)).await?,
                None => true,
            };
            Ok(is_here.then(|| Done { output, reused: true, ..Done::default() }))
        }
        StepKind::Transcribe => {
            let id = output.get("transcript_id").and_then(Value::as_i64).map(TranscriptId);
            let transcript = match id {
                Some(id) => store.transcript_to_copy(id).await?,
                None => None,
            };
            Ok(transcript.map(|transcript| Done {
                output,
                transcript: Some(transcript),
                reused: true,
                ..Done::default()
            }))
        }
        // They depend on more than their input, or name a file of that task.
        StepKind::Condition | StepKind::Subtitle => Ok(None),
        _ => Ok(Some(Done { output, reused: true, ..Done::default() })),
    }
}
