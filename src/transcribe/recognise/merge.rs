//! Segments of windows that are done in any order, put in order, passed through the guards, and handed on.
//!
//! Callers may rely on: what a listener hears is final, in order, without overlaps, and inside its window; whatever is
//! dropped is named in a warning; progress only rises; when every window is at work or done, that is told once.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{
    phrases,
    repeats::{self, Repeats},
    speech::Speech,
};
use crate::{
    domain::Segment,
    transcribe::{
        audio::seconds,
        engine::{EngineEvent, Events, Heard},
        text,
    },
};

/// How much text is given to the next window, in characters; the model's context holds less.
const CONTEXT: usize = 1_000;
/// Text that was decoded hotter than this is no good context.
const HOT: f32 = 0.5;

/// Takes what is heard of each window.
pub(in crate::transcribe) struct Merge<'a> {
    events: &'a Events<'a>,
    /// Where somebody speaks, and how long a silence is in which texts are dropped.
    silence: Option<(&'a Speech, f64)>,
    state: Mutex<State>,
}

struct State {
    windows: Vec<Window>,
    /// The first window that is not done.
    current: usize,
    told: f64,
    repeats: Repeats,
    segments: Vec<Segment>,
    /// Where the last segment ended, whether it went out yet or not.
    end: f64,
    context: String,
    last_temperature: f32,
    silent: Vec<Silent>,
    /// Where in `silent` a text is.
    silent_at: HashMap<String, usize>,
    phrases: Vec<(String, usize)>,
}

struct Window {
    range: Range<u64>,
    done: f64,
    is_begun: bool,
    is_over: bool,
    /// What waits for its turn.
    held: Vec<Segment>,
}

/// A text that was dropped because nobody speaks there.
struct Silent {
    text: String,
    first: f64,
    times: usize,
}

impl<'a> Merge<'a> {
    pub(in crate::transcribe) fn new(
        windows: &[Range<u64>],
        silence: Option<(&'a Speech, f64)>,
        events: &'a Events<'a>,
    ) -> Self {
        let window = |range: &Range<u64>| {
            let (range, held) = (range.clone(), Vec::new());
            Window { range, done: 0.0, is_begun: false, is_over: false, held }
        };
        let state = State {
            windows: windows.iter().map(window).collect(),
            current: 0,
            told: 0.0,
            repeats: Repeats::default(),
            segments: Vec::new(),
            end: 0.0,
            context: String::new(),
            last_temperature: 0.0,
            silent: Vec::new(),
            silent_at: HashMap::new(),
            phrases: Vec::new(),
        };
        Self { events, silence, state: Mutex::new(state) }
    }

    /// Takes what is heard of a window.
    pub(in crate::transcribe) fn hear(&self, window: usize, heard: Heard) {
        let mut state = self.state();
        let is_news = !std::mem::replace(&mut state.windows[window].is_begun, true);
        if is_news && state.windows.iter().all(|window| window.is_begun) {
            (self.events)(EngineEvent::LastBegun);
        }
        match heard {
            Heard::Alive(part) => self.alive(&mut state, window, part),
            Heard::Segment(segment) if window == state.current => self.take(&mut state, segment),
            Heard::Segment(segment) => state.windows[window].held.push(segment),
        }
    }

    /// A window is done; those after it may have their turn now.
    pub(in crate::transcribe) fn end(&self, window: usize) {
        let mut state = self.state();
        state.windows[window].is_over = true;
        self.alive(&mut state, window, 1.0);
        while state.windows.get(state.current).is_some_and(|window| window.is_over) {
            if state.last_temperature > HOT {
                state.context.clear();
            }
            state.last_temperature = 0.0;
            state.current += 1;
            let current = state.current;
            let held = state.windows.get_mut(current).map(|window| std::mem::take(&mut window.held));
            for segment in held.unwrap_or_default() {
                self.take(&mut state, segment);
            }
        }
    }

    /// The text before the first window that is not done, as far as it is good context.
    pub(super) fn context(&self) -> String {
        self.state().context.clone()
    }

    /// Every segment, and what a reader should know.
    pub(in crate::transcribe) fn finish(self) -> (Vec<Segment>, Vec<String>) {
        let mut state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (held, mut warnings) = std::mem::take(&mut state.repeats).finish();
        for segment in held {
            (self.events)(EngineEvent::Segment(segment.clone()));
            state.segments.push(segment);
        }
        warnings.extend(state.phrases.iter().map(|(phrase, times)| repeats::warning(phrase, *times)));
        warnings.extend(state.silent.iter().map(|Silent { text, first, times }| match times {
            1 => format!("A text in a silence was dropped: \"{text}\" at {first:.1} s"),
            _ => format!("A text in a silence was dropped: \"{text}\", {times} times, the first at {first:.1} s"),
        }));
        (state.segments, warnings)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn alive(&self, state: &mut State, window: usize, part: f64) {
        let window = &mut state.windows[window];
        window.done = window.done.max(part.clamp(0.0, 1.0));
        let length = |window: &Window| (window.range.end - window.range.start) as f64;
        let total: f64 = state.windows.iter().map(length).sum();
        let done: f64 = state.windows.iter().map(|window| length(window) * window.done).sum();
        state.told = state.told.max((done / total).min(1.0));
        (self.events)(EngineEvent::Progress(state.told));
    }

    /// Takes the next segment in order.
    fn take(&self, state: &mut State, mut segment: Segment) {
        state.last_temperature = segment.temperature;
        let range = &state.windows[state.current].range;
        keep_inside(&mut segment, seconds(range.start), seconds(range.end));
        if let Some((speech, least)) = self.silence
            && speech.is_silent(&segment, least)
        {
            match state.silent_at.get(&segment.text) {
                Some(at) => state.silent[*at].times += 1,
                None => {
                    state.silent_at.insert(segment.text.clone(), state.silent.len());
                    state.silent.push(Silent { text: segment.text, first: segment.start, times: 1 });
                }
            }
            return;
        }
        // whisper.cpp sometimes lets a segment begin before the last one ended.
        keep_inside(&mut segment, state.end, f64::INFINITY);
        state.end = segment.end;
        state.phrases.extend(phrases::collapse(&mut segment));
        for segment in state.repeats.push(segment) {
            state.context = tail(&text::join([state.context.as_str(), segment.text.as_str()]));
            (self.events)(EngineEvent::Segment(segment.clone()));
            state.segments.push(segment);
        }
    }
}

/// Moves times into a range, in whole milliseconds, and lets the words follow each other.
fn keep_inside(segment: &mut Segment, start: f64, end: f64) {
    let inside = |time: f64, earliest: f64| ((time.max(earliest).min(end)) * 1_000.0).round() / 1_000.0;
    segment.start = inside(segment.start, start);
    segment.end = inside(segment.end, segment.start);
    let mut earliest = segment.start;
    for word in &mut segment.words {
        word.start = inside(word.start, earliest).min(segment.end);
        word.end = inside(word.end, word.start).min(segment.end);
        earliest = word.end;
    }
}

/// The last characters of a text.
fn tail(text: &str) -> String {
    let skipped = text.chars().count().saturating_sub(CONTEXT);
    text.chars().skip(skipped).collect()
}
