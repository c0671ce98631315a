//! One request in its slot: find speech, cut windows, recognise them one after another, report.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::lock;
use crate::{
    domain::{Options, Segment, Transcript},
    error::{Code, Error, Result},
    transcribe::{
        audio::{Pcm, SAMPLE_RATE, seconds},
        language::language,
        protocol::Event,
        repeats::Repeats,
        text, vad,
        whisper::{self, Heard, Settings, Slot, Watch},
        windows,
    },
};

/// whisper.cpp says nothing about less than a tenth of a second.
const SHORTEST: u64 = SAMPLE_RATE / 10 + 160;

/// How often progress is told at most.
const BEAT: Duration = Duration::from_millis(500);

/// One request.
pub(super) struct Task {
    pub(super) id: u64,
    pub(super) pcm: PathBuf,
    pub(super) samples: u64,
    pub(super) options: Options,
    pub(super) stop: Arc<AtomicBool>,
}

/// The transcript of a task, and how many milliseconds it took. Segments and progress are sent on the way.
pub(super) fn transcribe(
    slot: &mut Slot,
    model: &str,
    multilingual: bool,
    task: &Task,
    send: &(dyn Fn(Event) + Sync),
) -> Result<(Transcript, u64)> {
    let begun = Instant::now();
    let options = &task.options;
    let stop = || task.stop.load(Ordering::Relaxed);
    let mut pcm = Pcm::open(&task.pcm, task.samples)?;
    let mut transcript = Transcript {
        duration: seconds(task.samples),
        model: model.to_owned(),
        engine: whisper::ENGINE.to_owned(),
        ..Transcript::default()
    };
    if options.beam_size > whisper::MAX_BEAM {
        let most = whisper::MAX_BEAM;
        transcript.warnings.push(format!("beam_size was lowered to {most}, the most that whisper.cpp can do"));
    }

    let whole = || std::iter::once(0..task.samples).collect::<Vec<_>>();
    let (regions, scores) = if task.samples < SHORTEST {
        (Vec::new(), Vec::new())
    } else if options.vad {
        let scores = vad::scores(&mut pcm, &stop)?;
        (vad::regions(&scores, task.samples), scores)
    } else if task.samples > windows::LONGEST {
        (whole(), vad::scores(&mut pcm, &stop)?)
    } else {
        (whole(), Vec::new())
    };
    transcript.duration_after_vad = seconds(regions.iter().map(|region| region.end - region.start).sum());
    let windows = windows::windows(&regions, &scores, task.samples);
    let total: u64 = windows.iter().map(|window| window.end - window.start).sum();

    let report = Report { id: task.id, send, last_beat: Mutex::new(None), state: Mutex::default() };
    let mut done = 0;
    for window in windows {
        if stop() {
            return Err(Error::new(Code::Cancelled, "The transcription was cancelled"));
        }
        let share = |part: f64| (done as f64 + part * (window.end - window.start) as f64) / total as f64;
        report.beat(share(0.0));
        let mut samples = pcm.read_floats(window.clone())?;
        samples.resize(samples.len().max(SHORTEST as usize), 0.0);
        if transcript.language.is_empty() {
            find_language(slot, &samples, multilingual, options, &mut transcript)?;
        }
        let (start, end) = (seconds(window.start), seconds(window.end));
        let heard = |heard: Heard| match heard {
            Heard::Alive(part) => report.beat(share(part)),
            Heard::Segment(segment) => report.segment(shift(segment, start, end)),
        };
        slot.run(
            &samples,
            &Settings { language: &transcript.language, options },
            &Watch { stop: &stop, heard: &heard },
        )?;
        done += window.end - window.start;
    }

    let (segments, warnings) = report.finish();
    transcript.text = text::join(segments.iter().map(|segment| segment.text.as_str()));
    transcript.segments = segments;
    transcript.warnings.extend(warnings);
    if transcript.segments.is_empty() {
        transcript.language.clear();
        transcript.language_probability = 0.0;
        transcript.language_probs.clear();
        transcript.warnings.push("No speech was found".to_owned());
    }
    Ok((transcript, u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)))
}

fn find_language(
    slot: &mut Slot,
    samples: &[f32],
    multilingual: bool,
    options: &Options,
    transcript: &mut Transcript,
) -> Result<()> {
    let (code, probability) = match &options.language {
        _ if !multilingual => ("en", 1.0),
        Some(given) => (language(given)?, 1.0),
        None => {
            let probabilities = slot.detect(samples)?;
            transcript.language_probs = probabilities.iter().map(|(code, p)| ((*code).to_owned(), *p)).collect();
            probabilities.first().copied().unwrap_or(("en", 0.0))
        }
    };
    code.clone_into(&mut transcript.language);
    transcript.language_probability = probability;
    Ok(())
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

/// Tells the daemon what happens, and remembers the segments.
struct Report<'a> {
    id: u64,
    send: &'a (dyn Fn(Event) + Sync),
    last_beat: Mutex<Option<Instant>>,
    state: Mutex<(Repeats, Vec<Segment>)>,
}

impl Report<'_> {
    fn beat(&self, value: f64) {
        let mut last = lock(&self.last_beat);
        if last.is_none_or(|last| last.elapsed() >= BEAT) {
            *last = Some(Instant::now());
            (self.send)(Event::Progress { id: self.id, value: value.clamp(0.0, 1.0) });
        }
    }

    fn segment(&self, mut segment: Segment) {
        let mut state = lock(&self.state);
        let (repeats, segments) = &mut *state;
        // whisper.cpp sometimes lets a segment begin before the last one ended.
        let earliest = segments.last().map_or(0.0, |last| last.end);
        segment.start = segment.start.max(earliest);
        segment.end = segment.end.max(segment.start);
        for word in &mut segment.words {
            word.start = word.start.max(segment.start);
            word.end = word.end.max(word.start);
        }
        let passed = repeats.push(segment);
        self.pass(passed, segments);
    }

    fn pass(&self, passed: Vec<Segment>, segments: &mut Vec<Segment>) {
        for segment in passed {
            (self.send)(Event::Segment { id: self.id, segment: segment.clone() });
            segments.push(segment);
        }
    }

    fn finish(self) -> (Vec<Segment>, Vec<String>) {
        let (repeats, mut segments) = std::mem::take(&mut *lock(&self.state));
        let (held, warnings) = repeats.finish();
        self.pass(held, &mut segments);
        (segments, warnings)
    }
}
