//! One job on the slots of this machine: find speech, cut windows, have them recognised, put the results together.
//!
//! Callers may rely on: segments come in order with exact times, whatever order windows are done in; the transcript does
//! not depend on the number of slots; no more windows are handed over than [`Slots::width`] and one that waits; when a
//! window fails, the others are stopped before the job ends; nothing that was heard is dropped without a warning.

mod crew;
pub(super) mod merge;
mod phrases;
mod plan;
mod recipe;
mod repeats;
mod speech;
mod vad;
mod vote;
mod windows;

use std::sync::atomic::{AtomicU64, Ordering};

use tokio_util::sync::CancellationToken;

pub use self::recipe::recipe;
use self::{
    crew::{Crew, cancelled},
    merge::Merge,
    plan::Plan,
    vote::{Verdict, verdict, voters},
};
use super::{
    audio::seconds,
    engine::{Ask, Detected, Events, Job, Probabilities, Slots, Transcribed, Window},
    language::{Allowed, allowed},
    models::ModelRef,
    text, whisper,
};
use crate::{
    domain::{Options, Transcript},
    error::{Code, Error, Result},
};

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
    let languages = allowed(options)?;
    let plan = plan(job, cancel).await?;
    let id = NEXT_JOB.fetch_add(1, Ordering::Relaxed);
    let window =
        |range| Window { job: id, is_urgent: job.is_urgent, model: model.clone(), pcm: job.pcm.clone(), range };
    let windows: Vec<Window> = plan.windows.iter().cloned().map(window).collect();
    let listed: Vec<String> = plan.windows.iter().map(|range| format!("{}-{}", range.start, range.end)).collect();
    tracing::debug!(samples = job.samples, windows = listed.join(","), "planned");
    let crew = Crew { slots, stop: cancel.child_token() };
    let silence = options.hallucination_silence_threshold.map(|least| (&plan.speech, least));
    let merge = Merge::new(&plan.windows, silence, events);

    let mut verdict = languages.given.map(Verdict::given);
    let (mut inference_ms, mut is_makeshift, mut warnings) = (0, false, Vec::new());
    if !windows.is_empty() {
        // A single window votes while it is recognised, which saves a pass of the encoder.
        if verdict.is_none() && windows.len() > 1 {
            let votes = vote(&crew, &windows, &plan).await?;
            inference_ms += votes.iter().map(|(_, vote)| vote.inference_ms).sum::<u64>();
            let votes: Vec<_> = votes.into_iter().map(|(weight, vote)| (weight, vote.probabilities)).collect();
            verdict = Some(settle(&votes, &languages, &job.model)?);
        }
        let language = verdict.as_ref().map(|verdict| verdict.language.clone());
        let ask = |index: usize| ask(options, language.as_deref(), index, &merge);
        for recognised in crew.recognise(&windows, &ask, options.is_sequential(), &merge).await? {
            inference_ms += recognised.inference_ms;
            is_makeshift |= recognised.is_makeshift;
            if verdict.is_none() {
                verdict = Some(settle(&[(1, recognised.probabilities)], &languages, &job.model)?);
            }
            for warning in recognised.warnings {
                if !warnings.contains(&warning) {
                    warnings.push(warning);
                }
            }
        }
    }
    let (segments, dropped) = merge.finish();
    warnings.extend(dropped);
    if segments.is_empty() {
        verdict = None;
        warnings.push("No speech was found".to_owned());
    }
    let verdict = verdict.unwrap_or_default();
    let transcript = Transcript {
        text: text::join(segments.iter().map(|segment| segment.text.as_str())),
        language: verdict.language,
        language_probability: verdict.probability,
        language_probs: verdict.probabilities,
        duration: seconds(job.samples),
        duration_after_vad: plan.duration,
        model: job.model.clone(),
        engine: whisper::ENGINE.to_owned(),
        segments,
        warnings,
    };
    Ok(Transcribed { transcript, inference_ms, is_makeshift })
}

/// What to ask of a window. A conditioned one hears the text before it, which has taken the place of the initial prompt.
fn ask(options: &Options, language: Option<&str>, index: usize, merge: &Merge<'_>) -> Ask {
    let mut ask = Ask { language: language.map(str::to_owned), previous: String::new(), options: options.clone() };
    if options.is_conditioned() && index > 0 {
        ask.previous = merge.context();
        ask.options.initial_prompt = None;
    }
    ask
}

/// What some windows say of the language, each with the weight of its vote.
async fn vote(crew: &Crew<'_>, windows: &[Window], plan: &Plan) -> Result<Vec<(u64, Detected)>> {
    let voiced: Vec<u64> = windows.iter().map(|window| plan.speech.voiced(&window.range)).collect();
    let voters = voters(&voiced);
    let asked: Vec<&Window> = voters.iter().map(|at| &windows[*at]).collect();
    let votes = crew.detect(&asked).await?;
    Ok(voters.iter().map(|at| voiced[*at]).zip(votes).collect())
}

/// The language that votes are for.
fn settle(votes: &[(u64, Probabilities)], languages: &Allowed, model: &str) -> Result<Verdict> {
    verdict(votes, &languages.among).ok_or_else(|| {
        let detail = format!("The model {model} knows none of the languages {}", languages.among.join(", "));
        Error::new(Code::InvalidValue, detail).with_field("languages")
    })
}

/// Listens for speech and cuts windows, beside the async threads.
pub(super) async fn plan(job: &Job, cancel: &CancellationToken) -> Result<Plan> {
    let (pcm, samples, options, stop) = (job.pcm.clone(), job.samples, job.options.clone(), cancel.clone());
    let work = move || plan::plan(&pcm, samples, &options, &|| stop.is_cancelled());
    let plan = tokio::task::spawn_blocking(work).await;
    let plan =
        plan.map_err(|error| Error::new(Code::Internal, "The search for speech broke off").with_source(error))?;
    if cancel.is_cancelled() { Err(cancelled()) } else { plan }
}

#[cfg(test)]
mod tests;
