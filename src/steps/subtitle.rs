//! `subtitle`: what is said, as a file.
//!
//! The file is the step's output and nothing else; `GET /api/tasks/{id}/files/{step}.{format}` serves it from there.

use serde_json::{Value, json};

use super::{Job, Outcome, owned};
use crate::{
    domain::{MediaId, Segment, TaskId, Transcript, TranscriptId, Zh},
    error::{Code, Error, Result},
    subtitle::{Format, Layout, render},
    transcribe,
    workflow::kinds::subtitle::{Line, Output, With},
    zh,
};

pub(super) async fn run(job: &Job<'_>) -> Result<Outcome> {
    let mut with: With = job.input()?;
    let format: Format = with.format.as_deref().map_or(Ok(Format::Srt), str::parse)?;
    let layout = Layout {
        max_chars: with.max_chars,
        max_lines: with.max_lines,
        max_seconds: with.max_seconds,
        max_cps: with.max_cps,
        words: with.words,
    };
    layout.check()?;
    let (mut transcript, script) = match (with.segments.take(), with.transcript.take()) {
        (Some(lines), Value::Null) => (of_lines(lines, with.language.take()), Zh::None),
        (None, Value::Null) | (Some(_), _) => return Err(wrong("needs one of `segments` and `transcript`")),
        (None, given) => given_transcript(job, given).await?,
    };
    let script = with.zh.as_deref().map(zh::read).transpose()?.unwrap_or(script);
    // Laying out hours of words takes a while.
    let rendered = tokio::task::spawn_blocking(move || {
        zh::convert(&mut transcript, script);
        render(&transcript, format, &layout)
    });
    let text = rendered.await.map_err(|error| Error::new(Code::Internal, "The file was lost").with_source(error))?;
    let file = path(job.task.id, &job.work.row.step.key, format);
    Ok(json!(Output { file, format: format.extension().to_owned(), text }).into())
}

/// Where the file is served.
fn path(task: TaskId, step: &str, format: Format) -> String {
    // Items of a list are `step[3]`.
    let step = step.replace('[', "%5B").replace(']', "%5D");
    format!("/api/tasks/{task}/files/{step}.{format}")
}

/// A transcript that is here already, and the script that it is shown in.
async fn given_transcript(job: &Job<'_>, given: Value) -> Result<(Transcript, Zh)> {
    let script = given.get("zh").and_then(|word| serde_json::from_value(word.clone()).ok()).unwrap_or_default();
    let found = match &given {
        Value::Object(fields) => match (fields.get("transcript_id").and_then(Value::as_i64), fields.get("segments")) {
            (Some(id), _) => stored(job, TranscriptId(id)).await?,
            (None, Some(segments)) => {
                let lines = serde_json::from_value(segments.clone());
                let lines = lines.map_err(|_| wrong("has a `transcript` whose segments are none"))?;
                let language = fields.get("language").and_then(Value::as_str).map(str::to_owned);
                Some(of_lines(lines, language))
            }
            (None, None) => return Err(wrong("has a `transcript` without segments")),
        },
        Value::String(text) => match (text.strip_prefix("media:"), text.parse()) {
            (Some(media), _) => match media.parse().map(MediaId) {
                Ok(media) if owned::may_use_media(job, media).await? => {
                    job.services.queue.store().transcript_of_media(media).await?
                }
                Ok(_) | Err(_) => None,
            },
            (None, Ok(id)) => stored(job, TranscriptId(id)).await?,
            (None, Err(_)) => None,
        },
        Value::Number(number) => match number.as_i64() {
            Some(id) => stored(job, TranscriptId(id)).await?,
            None => None,
        },
        _ => return Err(wrong("takes as `transcript` the output of a step, an id, or media:<id>")),
    };
    let gone = || Error::new(Code::NotFound, "The transcript that the step is given is not here");
    Ok((found.ok_or_else(gone)?, script))
}

async fn stored(job: &Job<'_>, id: TranscriptId) -> Result<Option<Transcript>> {
    if owned::may_use_transcript(job, id).await? { job.services.queue.store().transcript(id).await } else { Ok(None) }
}

fn of_lines(lines: Vec<Line>, language: Option<String>) -> Transcript {
    let segments = lines.into_iter().enumerate().map(|(id, line)| {
        let words = line.words.into_iter().filter_map(|word| serde_json::from_value(word).ok()).collect();
        Segment { id, start: line.start, end: line.end, text: line.text, words, ..Segment::default() }
    });
    let segments: Vec<Segment> = segments.collect();
    let text = transcribe::join(segments.iter().map(|segment| segment.text.as_str()));
    let guess = || transcribe::language::by_script(&text).unwrap_or_default().to_owned();
    let language = language.filter(|language| !language.is_empty()).unwrap_or_else(guess);
    let duration = segments.iter().map(|segment| segment.end).fold(0.0, f64::max);
    Transcript { text, language, duration, segments, ..Transcript::default() }
}

fn wrong(rule: &str) -> Error {
    Error::new(Code::InvalidWorkflow, format!("A `subtitle` step {rule}"))
}
