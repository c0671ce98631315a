//! What references in a workflow can see: `params`, `steps.NAME.{output,status,error}`, `task`, and an item of a list.
//!
//! Only what is referred to is loaded: not the items of other lists, and no transcript whose words nobody asks for.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value, json};

use super::Queue;
use crate::{
    domain::{StepKind, StepState, Task, Transcript, TranscriptId, Zh},
    error::Result,
    store::StepRow,
    workflow::{
        Rule, expr,
        plan::{first_half, whole_of},
        template,
    },
    zh,
};

/// What a piece of a definition refers to.
pub struct Sight(Vec<Vec<String>>);

impl Sight {
    /// What `value` refers to in its strings, and `bare` expressions by themselves.
    pub fn of(value: &Value, bare: &[&str]) -> Self {
        let mut found = Vec::new();
        template::references(value, "", &mut found);
        let filled = found.into_iter().filter_map(|(_, reference)| reference.ok());
        let bare = bare.iter().filter_map(|source| expr::references(source).ok()).flatten();
        Self(filled.chain(bare).map(|reference| reference.path).collect())
    }

    /// What a row refers to.
    pub fn of_row(row: &StepRow) -> Self {
        let rule = Rule::read(&row.rule);
        let list = rule.foreach.as_ref().map(|list| list.list.as_str());
        let cases = row.with.get("cases").filter(|_| row.step.kind == StepKind::Condition).and_then(Value::as_array);
        let cases = cases.into_iter().flatten().filter_map(|case| case.get("when")?.as_str());
        let bare: Vec<&str> = [rule.when.as_deref(), list].into_iter().flatten().chain(cases).collect();
        Self::of(&Value::Object(row.with.clone()), &bare)
    }

    /// The names of the steps in it.
    pub fn steps(&self) -> Vec<String> {
        let named = self.0.iter().filter(|path| path[0] == "steps").filter_map(|path| path.get(1));
        named.cloned().collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The transcripts whose words are in it. They are stored once, in their own table.
    pub fn transcripts(&self, steps: &[StepRow]) -> Vec<TranscriptId> {
        let made = |row: &&StepRow| row.step.kind == StepKind::Transcribe && row.step.state == StepState::Succeeded;
        steps.iter().filter(made).filter(|row| self.wants_words(row)).flat_map(ids_in).collect()
    }

    /// Whether more is asked of a step than what is stored with it.
    fn wants_words(&self, row: &StepRow) -> bool {
        let of_step = self.0.iter().filter(|path| path[0] == "steps" && path.get(1) == Some(&row.step.key));
        let is_stored = |field: &String| row.step.output.as_ref().is_some_and(|output| output.get(field).is_some());
        let mut fields = of_step.filter(|path| path.get(2).is_none_or(|part| part == "output"));
        fields.any(|path| path.get(3).is_none_or(|field| field == "ok" || !is_stored(field)))
    }
}

impl Queue {
    /// What a row's expressions can see, and the rows that this is made of.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn scope(&self, task: &Task, row: &StepRow) -> Result<(Value, Vec<StepRow>)> {
        let sight = Sight::of_row(row);
        let steps = if row.step.kind == StepKind::Download && row.list.is_none() {
            // What comes after it decides what is fetched.
            self.store.main_steps_of(task.id).await?
        } else {
            let mut keys = sight.steps();
            // A transcription may have failed in its first half.
            keys.extend(sight.steps().iter().map(|key| first_half(key)));
            keys.extend(row.needs.iter().cloned());
            if row.step.kind == StepKind::Transcribe {
                keys.push(first_half(&row.step.key));
            }
            self.store.steps_named(task.id, &keys).await?
        };
        let mut transcripts = HashMap::new();
        for id in sight.transcripts(&steps) {
            if let Some(transcript) = self.store.transcript(id).await? {
                transcripts.insert(id, transcript);
            }
        }
        let mut scope = build(task, &steps, &transcripts);
        add_item(&mut scope, row);
        Ok((scope, steps))
    }
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

/// The transcripts that a row has made: one, or one for each item of its list.
fn ids_in(row: &StepRow) -> Vec<TranscriptId> {
    let Some(output) = &row.step.output else { return Vec::new() };
    let items = output.as_array().or_else(|| output.get("ok").and_then(Value::as_array));
    items.map_or_else(|| id_in(output).into_iter().collect(), |items| items.iter().filter_map(id_in).collect())
}

/// The script that is noted in the output of a `transcribe` step.
fn script(output: &Value) -> Zh {
    output.get("zh").and_then(|word| serde_json::from_value(word.clone()).ok()).unwrap_or_default()
}

/// The scope of a task as it stands, transcripts in the script that was asked for. `transcripts` holds those whose words
/// are wanted.
pub fn build(task: &Task, steps: &[StepRow], transcripts: &HashMap<TranscriptId, Transcript>) -> Value {
    let mut seen = Map::new();
    for row in steps {
        let mut step = json!({ "status": row.step.state });
        if let Some(mut output) = row.step.output.clone() {
            add_words(&mut output, transcripts);
            step["output"] = output;
        }
        if let Some(error) = row.step.error.as_ref().filter(|_| row.step.state == StepState::Failed) {
            step["error"] = json!(error);
        }
        seen.insert(row.step.key.clone(), step);
    }
    // What has failed in its first half has failed, though its own row never ran.
    for row in steps.iter().filter(|row| row.step.state == StepState::Failed) {
        let whole = whole_of(&row.step.key);
        if whole != row.step.key {
            seen.insert(whole.to_owned(), json!({ "status": row.step.state, "error": row.step.error }));
        }
    }
    let mut about = json!({
        "id": task.id, "workflow": task.workflow, "revision": task.revision, "started_at": task.started_at,
    });
    if let Some(error) = &task.error {
        about["error"] = json!(error);
    }
    json!({ "params": task.params, "steps": seen, "task": about })
}

/// Puts the words of its transcript into an output that names one, and into those of a list.
fn add_words(output: &mut Value, transcripts: &HashMap<TranscriptId, Transcript>) {
    if transcripts.is_empty() {
        return;
    }
    if let Some(transcript) = id_in(output).and_then(|id| transcripts.get(&id)) {
        let mut transcript = transcript.clone();
        zh::convert(&mut transcript, script(output));
        output["text"] = json!(transcript.text);
        output["segments"] = json!(transcript.segments);
        return;
    }
    let items = if output.is_array() { Some(output) } else { output.get_mut("ok") };
    for item in items.and_then(Value::as_array_mut).into_iter().flatten().filter(|item| item.is_object()) {
        add_words(item, transcripts);
    }
}

/// Adds the row's item under the name that its list gives it, and `index`.
pub(super) fn add_item(scope: &mut Value, row: &StepRow) {
    let Some(list) = Rule::read(&row.rule).foreach.filter(|_| row.list.is_some()) else { return };
    scope[list.name] = row.item.clone().unwrap_or(Value::Null);
    scope["index"] = json!(row.item_index);
}
