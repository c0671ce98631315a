//! Which rows of the events tell that something has happened which a workflow can wait for, and what they tell.

use serde_json::{Value, json};

use super::sync::word;
use crate::{
    domain::{MediaId, StepKind, StepState, TaskId, TaskStatus, TranscriptId},
    error::Result,
    store::{Event, Store},
    workflow::definition::EventKind,
};

/// What has happened, with what expressions can see of it as `event`.
pub(super) struct Fact {
    /// Its word in definitions.
    pub word: &'static str,
    /// The event's number.
    pub event_id: i64,
    /// The task it happened to.
    pub task: TaskId,
    /// `{event: {type, time, task, media, transcript?}}`.
    pub scope: Value,
}

/// What a row tells; none for most. `is_wanted` says whether anybody waits for a word.
pub(super) async fn read(store: &Store, event: &Event, is_wanted: impl Fn(&str) -> bool) -> Result<Option<Fact>> {
    let text = |name: &str| event.data.get(name).and_then(Value::as_str).unwrap_or_default();
    let is_failure = event.kind == "status" && text("status") == TaskStatus::Failed.as_str();
    // What was only taken over has happened in another task.
    let is_reused = event.data.get("reused").and_then(Value::as_bool).unwrap_or(false);
    let is_step = event.kind == "step" && text("state") == StepState::Succeeded.as_str() && !is_reused;
    let mut output = None;
    let kind = if is_failure {
        EventKind::TaskFailed
    } else if is_step && (is_wanted(word(EventKind::MediaCreated)) || is_wanted(word(EventKind::TranscriptCreated))) {
        let Some(step) = store.step_of(event.task_id, text("step")).await? else { return Ok(None) };
        output = step.output;
        match step.kind {
            StepKind::Download => EventKind::MediaCreated,
            StepKind::Transcribe => EventKind::TranscriptCreated,
            _ => return Ok(None),
        }
    } else {
        return Ok(None);
    };
    if !is_wanted(word(kind)) {
        return Ok(None);
    }
    let Some(task) = store.task(event.task_id).await? else { return Ok(None) };
    // What was here before is only passed on by `download`.
    if kind == EventKind::MediaCreated && task.link.starts_with("media:") {
        return Ok(None);
    }
    let mut about = task.media_id;
    if kind == EventKind::MediaCreated {
        // A list tells nothing: its items do.
        let made = output.as_ref().and_then(|output| output.get("media_id")).and_then(Value::as_i64);
        let Some(made) = made else { return Ok(None) };
        about = Some(MediaId(made));
    }
    let media = match about {
        Some(id) => store.media(id).await?,
        None => None,
    };
    let mut media = json!(media);
    if let Some(media) = media.as_object_mut() {
        // Where the file lies is nobody's business outside.
        media.remove("file");
    }
    let mut told = json!({
        "type": word(kind),
        "time": event.created_at,
        "task": {
            "id": task.id, "workflow": task.workflow, "revision": task.revision, "link": task.link,
            "params": task.params, "status": task.status, "error": task.error,
        },
        "media": media,
    });
    if kind == EventKind::TranscriptCreated {
        let id = output.as_ref().and_then(|output| output.get("transcript_id")).and_then(Value::as_i64);
        let Some(id) = id.map(TranscriptId) else { return Ok(None) };
        let Some(transcript) = store.transcript(id).await? else { return Ok(None) };
        told["transcript"] = json!({
            "id": id, "language": transcript.language, "duration": transcript.duration, "model": transcript.model,
            "text": transcript.text,
        });
    }
    let scope = json!({ "event": told });
    Ok(Some(Fact { word: word(kind), event_id: event.id, task: event.task_id, scope }))
}
