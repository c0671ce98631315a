//! `transcribe`: samples become a transcript; the second half of a definition's `transcribe`.
//!
//! Input `{media, …options}`; options of the task win over those of the workflow. Output `{transcript_id, language,
//! duration, model, warnings, zh, inference_ms, cached}`; `text` and `segments` are read from the stored transcript when
//! something refers to them, and shown in the script `zh`. Audio that was transcribed before, with the same model and
//! options, is not recognised again: the task gets a copy of that transcript (`cached`). Where the platform's subtitles
//! are to be taken, or there is nothing to hear, nothing is recognised and no model is needed.

use std::{path::Path, time::Duration};

use serde_json::{Map, Value, json};

use super::{
    Job, Outcome,
    extract::{Extracted, extract, samples},
    owned,
    words::{self, Fetched, Source},
};
use crate::{
    domain::{Options, Priority, Transcript},
    error::{Code, Error, Report, Result},
    metrics,
    queue::Done,
    store::NewTranscript,
    transcribe::{self, EngineEvent, ModelRef, Transcribed},
    zh,
};

/// How often a missing model is looked for; a finished download wakes the queue at once.
const MODEL_POLL: Duration = Duration::from_secs(10);
/// A model file that is not whole counts as missing for so long after the last write to it.
const STILL_COPIED: Duration = Duration::from_secs(60);

pub(super) async fn run(job: &Job<'_>) -> Result<Outcome> {
    let given = options(job);
    let mut options = Options::from_json(&given)?;
    if let Some(only) = transcribe::language::allowed(&options)?.given {
        options.language = Some(only.to_owned());
    }
    let name = match job.services.models.name(options.model.as_deref()) {
        Err(error) if is_elsewhere(job, &error, options.model.as_deref()).await? => {
            let detail = format!("This node does not have the model that another one has: {}", error.detail);
            return Ok(Outcome::Wait { why: Error::new(Code::ModelMissing, detail).report(), wait: MODEL_POLL });
        }
        name => name?,
    };
    transcribe::models::validate(&name, &options)?;
    let fetched = words::fetched(job).await?;
    let key = format!("{}:extract", job.work.row.step.key);
    let extracted = extracted(job, &key)?;
    let transcript = match words::source(&options, &fetched, extracted.silent.as_deref()) {
        Source::Recognition => match recognised(job, &name, &options, &given, &fetched, &key, extracted).await {
            Err(error) if job.services.queue.is_last_try(job.work, &error) => {
                let Some(captions) = words::stand_in(&options, &fetched) else { return Err(error) };
                let why = format!("Recognition failed: {}", error.detail);
                let audio = Extracted { duration_ms: fetched.duration_ms.unwrap_or_default(), ..Extracted::default() };
                words::of_platform(captions, Some(&why), &audio)
            }
            outcome => return outcome,
        },
        Source::Platform(captions, why) => words::of_platform(captions, why, &extracted),
        Source::Silence(why) => words::of_silence(why, &extracted),
    };
    Ok(given_words(job, &options, given, &fetched, transcript))
}

/// A transcript that nobody has recognised. Other tasks do not get it.
fn given_words(
    job: &Job<'_>,
    options: &Options,
    given: Map<String, Value>,
    fetched: &Fetched,
    mut transcript: Transcript,
) -> Outcome {
    let zh = options.zh;
    metrics::transcript("given");
    transcript.warnings.extend(fetched.warnings.iter().cloned().chain(zh::unwritten(&transcript, zh)));
    for segment in &transcript.segments {
        job.reporter.segment(segment.clone());
    }
    let output = json!({
        "language": transcript.language, "duration": transcript.duration, "model": transcript.model,
        "warnings": transcript.warnings, "inference_ms": 0, "cached": false, "zh": zh,
    });
    let media_id = Some(fetched.media_id);
    let transcript = NewTranscript { media_id, options: Value::Object(given), transcript, ..NewTranscript::default() };
    Outcome::Done(Box::new(Done { output, transcript: Some(transcript), ..Done::default() }))
}

async fn recognised(
    job: &Job<'_>,
    name: &str,
    options: &Options,
    given: &Map<String, Value>,
    fetched: &Fetched,
    key: &str,
    extracted: Extracted,
) -> Result<Outcome> {
    let file = match model(job, name, options).await? {
        Model::Here(file) => Some(file),
        Model::Elsewhere => None,
        Model::Missing(why) => return Ok(Outcome::Wait { why, wait: MODEL_POLL }),
    };
    let audio = audio(job, key, extracted).await?;
    let recipe = recipe(job, name, file.as_ref(), options)?;
    let earlier =
        if options.no_cache { None } else { job.services.queue.store().transcript_by(&audio.sha256, &recipe).await? };
    let (cached, zh) = (earlier.is_some(), options.zh);
    let made = match earlier {
        Some(transcript) => {
            metrics::transcript("cached");
            for segment in &transcript.segments {
                job.reporter.segment(segment.clone());
            }
            Transcribed { transcript, inference_ms: 0, is_makeshift: false }
        }
        None => {
            owned::may_hear(job).await?;
            let pcm = samples(job, key);
            let events = |event| match event {
                EngineEvent::Progress(fraction) => job.reporter.progress(fraction),
                EngineEvent::Segment(segment) => job.reporter.segment(segment),
                EngineEvent::LastBegun => job.leave.notify_one(),
            };
            let is_urgent = job.task.priority == Priority::High;
            let (model, options) = (name.to_owned(), options.clone());
            let request = transcribe::Job { model, file, pcm, samples: audio.samples, options, is_urgent };
            let made = job.services.pool.transcribe(request, &events, job.cancel).await?;
            let audio = Duration::from_millis(audio.duration_ms);
            metrics::recognised(audio, Duration::from_millis(made.inference_ms));
            made
        }
    };
    let mut transcript = made.transcript;
    let about_file = fetched.warnings.iter().cloned().chain(audio.warnings);
    let about_task: Vec<String> = about_file.chain(zh::unwritten(&transcript, zh)).collect();
    let file_warnings = about_task.len();
    transcript.warnings.extend(about_task);
    tracing::info!(
        task = %job.task.id, inference_ms = made.inference_ms, audio_ms = audio.duration_ms, model = transcript.model,
        cached, "transcribed"
    );
    let output = json!({
        "language": transcript.language, "duration": transcript.duration, "model": transcript.model,
        "warnings": transcript.warnings, "inference_ms": made.inference_ms, "cached": cached, "zh": zh,
    });
    let transcript = NewTranscript {
        media_id: Some(fetched.media_id),
        audio_sha256: audio.sha256,
        options: Value::Object(given.clone()),
        // What is made by a stand-in is not what others should get.
        recipe: Some(recipe).filter(|_| !made.is_makeshift),
        file_warnings,
        transcript,
    };
    Ok(Outcome::Done(Box::new(Done { output, transcript: Some(transcript), ..Done::default() })))
}

/// Where the model is.
enum Model {
    Here(ModelRef),
    /// Only an engine elsewhere has it.
    Elsewhere,
    Missing(Report),
}

async fn model(job: &Job<'_>, name: &str, options: &Options) -> Result<Model> {
    let error = match job.services.models.resolve(options.model.as_deref()) {
        Ok(model) if !is_arriving(&model.path).await => return Ok(Model::Here(model)),
        Ok(_) => {
            let detail = format!("The file of the model {name} is not complete yet");
            let hint = "The task goes on when the file is complete; if nobody is copying it, pull the model again.";
            Error::new(Code::ModelMissing, detail).with_hint(hint)
        }
        Err(error) if error.code == Code::ModelMissing => error,
        Err(error) => return Err(error),
    };
    if job.services.pool.is_remote(name) { Ok(Model::Elsewhere) } else { Ok(Model::Missing(error.report())) }
}

/// Whether a model that is not known here is one of another node's, which may take the step then.
async fn is_elsewhere(job: &Job<'_>, error: &Error, model: Option<&str>) -> Result<bool> {
    let name = model.unwrap_or_default().trim();
    Ok(error.code == Code::UnknownModel && job.services.queue.is_model_elsewhere(name, false).await?)
}

/// What the transcript depends on besides the audio.
fn recipe(job: &Job<'_>, name: &str, file: Option<&ModelRef>, options: &Options) -> Result<String> {
    let engines = job.services.pool.recipe(name);
    transcribe::recipe(&engines, name, file.map(|file| (file.version.size, file.version.changed)), options)
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

pub(super) fn options(job: &Job<'_>) -> Map<String, Value> {
    let mut options = job.input.clone();
    options.remove("media");
    options.extend(job.task.options.clone());
    options
}

/// What the first half made.
fn extracted(job: &Job<'_>, key: &str) -> Result<Extracted> {
    let row = job.steps.iter().find(|row| row.step.key == key);
    let output = row.and_then(|row| row.step.output.clone());
    let made = output.and_then(|output| serde_json::from_value(output).ok());
    made.ok_or_else(|| Error::new(Code::Internal, "The step that decodes the audio has left no output"))
}

/// The samples that the first half made, decoded again when they are gone (a swept folder, another machine).
async fn audio(job: &Job<'_>, key: &str, made: Extracted) -> Result<Extracted> {
    let size = tokio::fs::metadata(samples(job, key)).await.map(|file| file.len()).unwrap_or(0);
    if size == made.samples * 2 { Ok(made) } else { extract(job, key).await }
}
