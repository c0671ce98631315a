//! A task as Fast-Powerful-Whisper-AI-Services-API shows it: in the answers of its routes and in their callbacks. Pure.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::{
    domain::{Media, Options, Segment, Services, StepKind, Task, TaskStatus, Transcript, Word, options::Goal},
    store::{Delivery, StepRow},
};

/// What is known of a task.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The task.
    pub task: &'a Task,
    /// Its media, once resolved.
    pub media: Option<&'a Media>,
    /// What was recognised, once completed.
    pub transcript: Option<&'a Transcript>,
    /// Its callback, once there is one.
    pub delivery: Option<&'a Delivery>,
    /// Its steps.
    pub steps: &'a [StepRow],
    /// The address that the daemon is called at.
    pub base: &'a str,
}

/// Its word for where a task stands; it knows no cancelled ones.
pub fn status(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Cancelled => TaskStatus::Failed.as_str(),
        status => status.as_str(),
    }
}

/// A time as it writes one: without a zone, which is UTC.
pub fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

/// The task.
pub fn shown(known: Known<'_>) -> Value {
    let Known { task, media, transcript, .. } = known;
    let said = said(task);
    let attempt = known.delivery.and_then(|delivery| delivery.attempts.last());
    let error = task.error.as_ref().map(|error| error.detail.clone());
    let error = error.or_else(|| (task.status == TaskStatus::Cancelled).then(|| "The task was cancelled".to_owned()));
    let language = transcript.map(|transcript| transcript.language.clone()).filter(|code| !code.is_empty());
    json!({
        "id": task.id,
        "status": status(task.status),
        "callback_url": task.callback_url.as_deref().unwrap_or_default(),
        "callback_status_code": attempt.and_then(|attempt| attempt.status),
        "callback_message": attempt.and_then(|attempt| attempt.error.as_ref()).map(|error| error.detail.clone()),
        "callback_time": attempt.map(|attempt| time(attempt.started_at)),
        "priority": task.priority,
        "engine_name": transcript.map_or("whisper.cpp", |transcript| transcript.engine.as_str()),
        "task_type": said.task_type,
        "created_at": time(task.created_at),
        "updated_at": time(task.updated_at),
        "task_processing_time": processing(known.steps),
        // Where a file lies here is nobody's business outside.
        "file_path": null,
        "file_url": said.file_url,
        "file_name": said.file_name,
        "file_size_bytes": media.and_then(|media| media.size),
        "file_duration": transcript.map(|transcript| transcript.duration).or_else(|| length(media?)),
        "language": language.or_else(|| said.decode_options.get("language")?.as_str().map(str::to_owned)),
        "platform": said.platform.or_else(|| media.map(|media| media.platform.clone())),
        "decode_options": said.decode_options,
        "error_message": error,
        "output_url": format!("{}/api/whisper/tasks/result?task_id={}", known.base, task.id),
        "result": transcript.map(|transcript| result(task, transcript)),
    })
}

/// What was said when the task was made; of a task that came another way, what can be told of it.
fn said(task: &Task) -> Services {
    if let Some(said) = task.facade.as_ref().and_then(|facade| facade.services()) {
        return said.clone();
    }
    let is_link = !task.link.starts_with("upload:") && !task.link.starts_with("media:");
    let translates = task.options.get("task").and_then(Value::as_str) == Some("translate");
    Services {
        file_url: Some(task.link.clone()).filter(|link| is_link && !link.is_empty()),
        task_type: if translates { Goal::Translate } else { Goal::Transcribe },
        decode_options: task.options.clone(),
        ..Services::default()
    }
}

fn length(media: &Media) -> Option<f64> {
    media.duration_ms.map(|ms| ms as f64 / 1000.0)
}

/// How long recognition took, in seconds.
fn processing(steps: &[StepRow]) -> Option<f64> {
    let recognised = steps.iter().filter(|row| row.step.kind == StepKind::Transcribe);
    let took = recognised.filter_map(|row| Some(row.step.finished_at? - row.step.started_at?));
    took.map(|span| span.num_milliseconds() as f64 / 1000.0).reduce(|one, other| one + other)
}

/// What was recognised, as its faster engine told it.
fn result(task: &Task, transcript: &Transcript) -> Value {
    let options = Options::from_json(&task.options).unwrap_or_default();
    json!({
        "text": transcript.text,
        "segments": transcript.segments.iter().map(|one| segment(one, options.word_timestamps)).collect::<Vec<_>>(),
        "info": {
            "language": transcript.language,
            "language_probability": transcript.language_probability,
            "duration": transcript.duration,
            "duration_after_vad": transcript.duration_after_vad,
            "all_language_probs": transcript.language_probs,
            "transcription_options": {
                "beam_size": options.beam_size,
                "best_of": options.best_of,
                "patience": options.patience,
                "log_prob_threshold": options.logprob_threshold,
                "no_speech_threshold": options.no_speech_threshold,
                "compression_ratio_threshold": options.compression_ratio_threshold,
                "condition_on_previous_text": options.is_conditioned(),
                "temperatures": options.temperature,
                "initial_prompt": options.initial_prompt,
                "word_timestamps": options.word_timestamps,
                "prepend_punctuations": options.prepend_punctuations,
                "append_punctuations": options.append_punctuations,
                "clip_timestamps": options.clip_timestamps,
                "hallucination_silence_threshold": options.hallucination_silence_threshold,
                "hotwords": options.hotwords,
            },
            "vad_options": options.vad.then(|| json!({
                "threshold": options.vad_threshold,
                "min_speech_duration_ms": options.vad_min_speech_ms,
                "min_silence_duration_ms": options.vad_min_silence_ms,
                "speech_pad_ms": options.vad_pad_ms,
            })),
        },
    })
}

fn segment(segment: &Segment, with_words: bool) -> Value {
    let word = |word: &Word| json!({ "start": word.start, "end": word.end, "word": word.word, "probability": word.probability });
    json!({
        "id": segment.id + 1,
        // In frames of ten milliseconds.
        "seek": (segment.start * 100.0).round() as i64,
        "start": segment.start,
        "end": segment.end,
        "text": segment.text,
        "tokens": segment.tokens,
        "temperature": segment.temperature,
        "avg_logprob": segment.avg_logprob,
        "compression_ratio": segment.compression_ratio,
        "no_speech_prob": segment.no_speech_prob,
        "words": with_words.then(|| segment.words.iter().map(word).collect::<Vec<_>>()),
    })
}
