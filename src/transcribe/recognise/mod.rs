//! One job on the slots of this machine: find speech, cut windows, have them recognised, put the results together.
//!
//! Callers may rely on: segments come in order with exact times, whatever order windows are done in; never more windows
//! are in work than [`Slots::width`]; nothing that was heard is dropped without a warning.

mod merge;
mod repeats;
mod vad;
mod windows;

use std::sync::atomic::{AtomicU64, Ordering};

use tokio_util::sync::CancellationToken;

use self::merge::Merge;
use super::{
    audio::{Pcm, SAMPLE_RATE, seconds},
    engine::{Ask, EngineEvent, Events, Heard, Job, Slots, Transcribed, Window},
    language::language,
    models::ModelRef,
    text, whisper,
};
use crate::{
    domain::{Options, Transcript},
    error::{Code, Error, Result},
};

/// whisper.cpp says nothing about less than a tenth of a second.
const SHORTEST: u64 = SAMPLE_RATE / 10 + 160;

static NEXT_JOB: AtomicU64 = AtomicU64::new(1);

/// Does a job whose model's file is `model`.
pub(super) async fn transcribe(
    slots: &dyn Slots,
    model: &ModelRef,
    job: &Job,
    events: &Events<'_>,
    cancel: &CancellationToken,
) -> Result<Transcribed> {
    let options = &job.options;
    let plan = plan(job, cancel).await?;
    let id = NEXT_JOB.fetch_add(1, Ordering::Relaxed);
    let windows: Vec<Window> = plan
        .windows
        .into_iter()
        .map(|range| Window { job: id, model: model.clone(), pcm: job.pcm.clone(), range })
        .collect();
    let list: Vec<String> =
        windows.iter().map(|window| format!("{}-{}", window.range.start, window.range.end)).collect();
    tracing::debug!(samples = job.samples, windows = list.join(","), "planned");
    let mut transcript = Transcript {
        duration: seconds(job.samples),
        duration_after_vad: plan.speech,
        model: job.model.clone(),
        engine: whisper::ENGINE.to_owned(),
        ..Transcript::default()
    };
    let total: u64 = windows.iter().map(|window| window.range.end - window.range.start).sum();
    let (mut done, mut inference_ms) = (0, 0);
    let merge = Merge::new(events);
    for window in &windows {
        let length = window.range.end - window.range.start;
        if transcript.language.is_empty() {
            find_language(slots, window, options, &mut transcript, cancel).await?;
        }
        let ask = Ask { language: transcript.language.clone(), previous: String::new(), options: options.clone() };
        let listener = |heard: Heard| match heard {
            Heard::Alive(part) => {
                events(EngineEvent::Progress((done as f64 + part * length as f64) / total as f64));
            }
            Heard::Segment(segment) => merge.push(segment),
        };
        let recognised = slots.recognise(window, &ask, &listener, cancel).await?;
        inference_ms += recognised.inference_ms;
        for warning in recognised.warnings {
            if !transcript.warnings.contains(&warning) {
                transcript.warnings.push(warning);
            }
        }
        done += length;
    }
    let (segments, warnings) = merge.finish();
    transcript.text = text::join(segments.iter().map(|segment| segment.text.as_str()));
    transcript.segments = segments;
    transcript.warnings.extend(warnings);
    if transcript.segments.is_empty() {
        transcript.language.clear();
        transcript.language_probability = 0.0;
        transcript.language_probs.clear();
        transcript.warnings.push("No speech was found".to_owned());
    }
    Ok(Transcribed { transcript, inference_ms })
}

async fn find_language(
    slots: &dyn Slots,
    window: &Window,
    options: &Options,
    transcript: &mut Transcript,
    cancel: &CancellationToken,
) -> Result<()> {
    let (code, probability) = match &options.language {
        Some(given) => (language(given)?.to_owned(), 1.0),
        None => {
            transcript.language_probs = slots.detect(window, cancel).await?;
            transcript.language_probs.first().cloned().unwrap_or(("en".to_owned(), 0.0))
        }
    };
    (transcript.language, transcript.language_probability) = (code, probability);
    Ok(())
}

/// What to recognise.
struct Plan {
    windows: Vec<std::ops::Range<u64>>,
    /// Seconds of speech.
    speech: f64,
}

/// Listens for speech and cuts windows, beside the async threads.
async fn plan(job: &Job, cancel: &CancellationToken) -> Result<Plan> {
    let (pcm, samples, vad, stop) = (job.pcm.clone(), job.samples, job.options.vad, cancel.clone());
    let work = move || {
        let whole = || std::iter::once(0..samples).collect::<Vec<_>>();
        let mut pcm = Pcm::open(&pcm, samples)?;
        let (regions, scores) = if samples < SHORTEST {
            (Vec::new(), Vec::new())
        } else if vad {
            let scores = vad::scores(&mut pcm, &|| stop.is_cancelled())?;
            (vad::regions(&scores, samples), scores)
        } else if samples > windows::LONGEST {
            (whole(), vad::scores(&mut pcm, &|| stop.is_cancelled())?)
        } else {
            (whole(), Vec::new())
        };
        if stop.is_cancelled() {
            return Err(Error::new(Code::Cancelled, "The transcription was cancelled"));
        }
        let speech = seconds(regions.iter().map(|region| region.end - region.start).sum());
        Ok(Plan { windows: windows::windows(&regions, &scores, samples), speech })
    };
    let work = tokio::task::spawn_blocking(work).await;
    work.map_err(|error| Error::new(Code::Internal, "The search for speech broke off").with_source(error))?
}
