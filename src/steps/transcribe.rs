//! `transcribe`: samples become a transcript; the second half of a definition's `transcribe`.
//!
//! Input `{media, …options}`; options of the task win over those of the workflow. Output `{transcript_id, language,
//! duration, model, warnings, zh}`; `text` and `segments` are read from the stored transcript when something refers to
//! them, and shown in the script `zh`.

use std::{path::Path, time::Duration};

use serde_json::{Map, Value, json};

use super::{
    Job, Outcome,
    extract::{Extracted, extract, samples},
};
use crate::{
    domain::Options,
    error::{Code, Error, Result},
    queue::Done,
    store::NewTranscript,
    transcribe::{self, EngineEvent},
};

/// How often a missing model is looked for; a finished download wakes the queue at once.
const MODEL_POLL: Duration = Duration::from_secs(10);
/// A model file that is not whole counts as missing for so long after the last write to it.
const STILL_COPIED: Duration = Duration::from_secs(60);

pub(super) async fn run(job: &Job<'_>) -> Result<Outcome> {
    let given = options(job);
    let options = Options::from_json(&given)?;
    let model = match job.services.models.resolve(options.model.as_deref()) {
        Ok(model) => model,
        Err(error) if error.code == Code::ModelMissing => {
            return Ok(Outcome::Wait { why: error.report(), wait: MODEL_POLL });
        }
        Err(error) => return Err(error),
    };
    model.validate(&options)?;
    if is_arriving(&model.path).await {
        let error = Error::new(Code::ModelMissing, format!("The file of the model {} is not complete yet", model.name))
            .with_hint("The task goes on when the file is complete; if nobody is copying it, pull the model again.");
        return Ok(Outcome::Wait { why: error.report(), wait: MODEL_POLL });
    }
    let key = format!("{}:extract", job.work.row.step.key);
    let audio = audio(job, &key).await?;
    let pcm = samples(job, &key);
    let events = |event| match event {
        EngineEvent::Progress(fraction) => job.reporter.progress(fraction),
        EngineEvent::Segment(segment) => job.reporter.segment(segment),
    };
    let name = model.name.clone();
    let zh = options.zh;
    let request = transcribe::Job { model: name, file: Some(model), pcm: pcm.clone(), samples: audio.samples, options };
    let made = job.services.pool.transcribe(request, &events, job.cancel).await?;
    let mut transcript = made.transcript;
    transcript.warnings.extend(audio.warnings);
    tracing::info!(
        task = %job.task.id, inference_ms = made.inference_ms, audio_ms = audio.duration_ms, model = transcript.model,
        "transcribed"
    );
    let output = json!({
        "language": transcript.language, "duration": transcript.duration, "model": transcript.model,
        "warnings": transcript.warnings, "inference_ms": made.inference_ms, "zh": zh,
    });
    let transcript = NewTranscript { audio_sha256: audio.sha256, options: Value::Object(given), transcript };
    Ok(Outcome::Done(Box::new(Done { output, transcript: Some(transcript), delivery: None })))
}

/// Whether somebody seems to be copying the file just now: it is no whole model, and was written to a moment ago.
async fn is_arriving(path: &Path) -> bool {
    let path = path.to_owned();
    let look = move || {
        let age = path.metadata().ok()?.modified().ok()?.elapsed().unwrap_or_default();
        Some(age < STILL_COPIED && transcribe::models::check_file(&path).is_err())
    };
    tokio::task::spawn_blocking(look).await.ok().flatten().unwrap_or(false)
}

fn options(job: &Job<'_>) -> Map<String, Value> {
    let mut options = job.input.clone();
    options.remove("media");
    options.extend(job.task.options.clone());
    options
}

/// What the first half made. Its samples are decoded again when they are gone (a swept folder, another machine).
async fn audio(job: &Job<'_>, key: &str) -> Result<Extracted> {
    let row = job.steps.iter().find(|row| row.step.key == key);
    let output = row.and_then(|row| row.step.output.clone());
    let made = output.and_then(|output| serde_json::from_value::<Extracted>(output).ok());
    let made = made.ok_or_else(|| Error::new(Code::Internal, "The step that decodes the audio has left no output"))?;
    let size = tokio::fs::metadata(samples(job, key)).await.map(|file| file.len()).unwrap_or(0);
    if size == made.samples * 2 { Ok(made) } else { extract(job, key).await }
}
