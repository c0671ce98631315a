//! One request in its slot: a window is read, heard, and reported.

use std::{
    ops::Range,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::lock;
use crate::{
    domain::{Options, Segment},
    error::{Code, Error, Result},
    transcribe::{
        audio::{Pcm, SAMPLE_RATE, SHORTEST, seconds},
        engine::Heard,
        protocol::Event,
        whisper::{self, Settings, Slot, Watch},
    },
};

/// A window has 30 seconds; one of more than a minute is a mistake, and would take memory.
const LONGEST: u64 = SAMPLE_RATE * 60;

/// How often progress is told at most.
const BEAT: Duration = Duration::from_millis(500);

/// One request.
pub(super) struct Task {
    pub(super) id: u64,
    pub(super) pcm: PathBuf,
    pub(super) range: Range<u64>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) goal: Goal,
}

/// What is asked for.
pub(super) enum Goal {
    Detect,
    Recognise { language: Option<String>, previous: String, options: Box<Options> },
}

/// Does a task and gives its last event. Segments and progress are sent on the way.
pub(super) fn run(slot: &mut Slot, task: &Task, send: &(dyn Fn(Event) + Sync)) -> Result<Event> {
    let begun = Instant::now();
    let id = task.id;
    if task.range.end.saturating_sub(task.range.start) > LONGEST {
        return Err(Error::new(Code::Internal, "The window is too long"));
    }
    let mut samples = Pcm::open(&task.pcm, task.range.end)?.read_floats(task.range.clone())?;
    samples.resize(samples.len().max(SHORTEST as usize), 0.0);
    let (language, previous, options) = match &task.goal {
        Goal::Detect => {
            let probabilities = slot.detect(&samples)?;
            return Ok(Event::Languages { id, inference_ms: milliseconds(begun), probabilities });
        }
        Goal::Recognise { language, previous, options } => (language.as_deref(), previous, options),
    };
    let (start, end) = (seconds(task.range.start), seconds(task.range.end));
    let last_beat = Mutex::new(None::<Instant>);
    let heard = |heard: Heard| match heard {
        Heard::Alive(value) => {
            let mut last = lock(&last_beat);
            if last.is_none_or(|last| last.elapsed() >= BEAT) {
                *last = Some(Instant::now());
                send(Event::Progress { id, value: value.clamp(0.0, 1.0) });
            }
        }
        Heard::Segment(segment) => send(Event::Segment { id, segment: shift(segment, start, end) }),
    };
    let stop = || task.stop.load(Ordering::Relaxed);
    let ran = slot.run(&samples, &Settings { language, previous, options }, &Watch { stop: &stop, heard: &heard })?;
    let mut warnings = Vec::new();
    if options.beam_size > whisper::MAX_BEAM {
        let most = whisper::MAX_BEAM;
        warnings.push(format!("beam_size was lowered to {most}, the most that whisper.cpp can do"));
    }
    if ran.is_short_of_hotwords {
        warnings.push("There are too many hotwords for the model: the last ones were left out".to_owned());
    }
    for (at, text) in ran.repeated {
        let (at, text) = (round(start + at), beginning(&text));
        warnings.push(format!("At {at} s the text repeats itself at every temperature; it was kept: \"{text}\""));
    }
    warnings.extend(silence(&ran.silent, start));
    Ok(Event::Done { id, inference_ms: milliseconds(begun), probabilities: ran.probabilities, warnings })
}

fn milliseconds(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// One warning for all the texts of a window that were taken for silence. `start` is the window's, in seconds.
fn silence(dropped: &[(f64, String)], start: f64) -> Option<String> {
    let (at, text) = dropped.first()?;
    let (at, text) = (start + at, beginning(text));
    Some(match dropped.len() {
        1 => format!("A text was taken for silence and dropped: \"{text}\" at {at:.1} s"),
        count => format!("{count} texts were taken for silence and dropped, the first at {at:.1} s: \"{text}\""),
    })
}

/// So much of a text that a reader knows which one is meant.
fn beginning(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

/// Moves a segment from its window's time to the audio's, and keeps it inside the window.
fn shift(mut segment: Segment, start: f64, end: f64) -> Segment {
    let moved = |time: f64| round((start + time).clamp(start, end));
    (segment.start, segment.end) = (moved(segment.start), moved(segment.end));
    for word in &mut segment.words {
        (word.start, word.end) = (moved(word.start), moved(word.end));
    }
    segment
}

/// Whole milliseconds: a window's start is a whole sample, which is no round number of seconds.
fn round(time: f64) -> f64 {
    (time * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropped_texts_are_told_briefly() {
        let text = |at: f64, text: &str| (at, text.to_owned());
        assert_eq!(silence(&[], 30.0), None);
        assert_eq!(
            silence(&[text(2.34, "Thank you.")], 10.0).unwrap(),
            "A text was taken for silence and dropped: \"Thank you.\" at 12.3 s"
        );
        assert_eq!(
            silence(&[text(0.0, &"很长".repeat(30)), text(5.0, "you")], 60.0).unwrap(),
            format!("2 texts were taken for silence and dropped, the first at 60.0 s: \"{}…\"", "很长".repeat(20))
        );
    }
}
