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
    steps.iter().filter(made).filter_map(|row| id_in(row.step.output.as_ref()?)).collect()
}

/// The script that a task shows one of its transcripts in: that of the step which made it. What is stored is as it was
/// recognised.
pub fn script_of(steps: &[StepRow], transcript: TranscriptId) -> Zh {
    let mut outputs = steps.iter().filter_map(|row| row.step.output.as_ref());
    outputs.find(|output| id_in(output) == Some(transcript)).map_or(Zh::None, script)
}

/// The transcript that a step's output names.
fn id_in(output: &Value) -> Option<TranscriptId> {
    output.get("transcript_id")?.as_i64().map(TranscriptId)
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
        let id = id_in(&output);
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
