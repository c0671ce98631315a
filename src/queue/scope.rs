//! What references in a workflow can see: `params`, `steps.NAME.output`, `task`.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::{
    domain::{StepKind, StepState, Task, Transcript, TranscriptId, Zh},
    store::StepRow,
    zh,
};

/// The transcripts that the finished steps of a task have made. They are stored once, in their own table.
pub fn transcript_ids(steps: &[StepRow]) -> Vec<TranscriptId> {
    let made = |row: &&StepRow| row.step.kind == StepKind::Transcribe && row.step.state == StepState::Succeeded;
    let id = |row: &StepRow| row.step.output.as_ref()?.get("transcript_id")?.as_i64().map(TranscriptId);
    steps.iter().filter(made).filter_map(id).collect()
}

/// The script that a task shows its transcript in; what is stored is as it was recognised. With several `transcribe`
/// steps, that of the last one.
pub fn script_of(steps: &[StepRow]) -> Zh {
    let made = steps.iter().filter(|row| row.step.kind == StepKind::Transcribe);
    made.filter_map(|row| row.step.output.as_ref()).next_back().map_or(Zh::None, script)
}

/// The script that is noted in the output of a `transcribe` step.
fn script(output: &Value) -> Zh {
    output.get("zh").and_then(|word| serde_json::from_value(word.clone()).ok()).unwrap_or_default()
}

/// The scope of a task as it stands, transcripts in the script that was asked for. `transcripts` holds those named by
/// [`transcript_ids`].
pub fn build(task: &Task, steps: &[StepRow], transcripts: &HashMap<TranscriptId, Transcript>) -> Value {
    let mut outputs = Map::new();
    for row in steps {
        let Some(mut output) = row.step.output.clone() else { continue };
        let id = output.get("transcript_id").and_then(Value::as_i64).map(TranscriptId);
        let script = script(&output);
        if let (Some(fields), Some(transcript)) = (output.as_object_mut(), id.and_then(|id| transcripts.get(&id))) {
            let mut transcript = transcript.clone();
            zh::convert(&mut transcript, script);
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
