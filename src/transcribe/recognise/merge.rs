//! Segments put in order, passed through the guard against loops, and handed on.

use std::sync::{Mutex, PoisonError};

use super::repeats::Repeats;
use crate::{
    domain::Segment,
    transcribe::engine::{EngineEvent, Events},
};

/// Takes segments in order and keeps them.
pub(in crate::transcribe) struct Merge<'a> {
    events: &'a Events<'a>,
    state: Mutex<(Repeats, Vec<Segment>)>,
}

impl<'a> Merge<'a> {
    pub(in crate::transcribe) fn new(events: &'a Events<'a>) -> Self {
        Self { events, state: Mutex::default() }
    }

    /// Takes the next segment.
    pub(in crate::transcribe) fn push(&self, mut segment: Segment) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
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

    /// Every segment, and what a reader should know.
    pub(in crate::transcribe) fn finish(self) -> (Vec<Segment>, Vec<String>) {
        let (repeats, mut segments) = std::mem::take(&mut *self.state.lock().unwrap_or_else(PoisonError::into_inner));
        let (held, warnings) = repeats.finish();
        self.pass(held, &mut segments);
        (segments, warnings)
    }

    fn pass(&self, passed: Vec<Segment>, segments: &mut Vec<Segment>) {
        for segment in passed {
            (self.events)(EngineEvent::Segment(segment.clone()));
            segments.push(segment);
        }
    }
}
