//! What references in a workflow can see: `params`, `steps.NAME.output`, `task`.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::{
    domain::{StepKind, StepState, Task, Transcript, TranscriptId},
    store::StepRow,
};

/// The transcripts that the finished steps of a task have made. They are stored once, in their own table.
pub fn transcript_ids(steps: &[StepRow]) -> Vec<TranscriptId> {
    let made = |row: &&StepRow| row.step.kind == StepKind::Transcribe && row.step.state == StepState::Succeeded;
    let id = |row: &StepRow| row.step.output.as_ref()?.get("transcript_id")?.as_i64().map(TranscriptId);
    steps.iter().filter(made).filter_map(id).collect()
}

/// The scope of a task as it stands. `transcripts` holds those named by [`transcript_ids`].
pub fn build(task: &Task, steps: &[StepRow], transcripts: &HashMap<TranscriptId, Transcript>) -> Value {
    let mut outputs = Map::new();
    for row in steps {
        let Some(mut output) = row.step.output.clone() else { continue };
        let id = output.get("transcript_id").and_then(Value::as_i64).map(TranscriptId);
        if let (Some(fields), Some(transcript)) = (output.as_object_mut(), id.and_then(|id| transcripts.get(&id))) {
            fields.insert("text".to_owned(), json!(transcript.text));
            fields.insert("segments".to_owned(), json!(transcript.segments));
        }
        outputs.insert(row.step.key.clone(), json!({ "output": output, "status": row.step.state }));
    }
    json!({
        "params": task.params,
        "steps": outputs,
        "task": { "id": task.id, "workflow": task.workflow, "revision": task.revision },
    })
}
