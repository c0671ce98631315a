//! What a running step tells on the way, collected until the runner writes it down.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::{domain::Segment, queue::Said};

/// The smallest progress that is told.
const VISIBLE: f64 = 0.002;

/// Collects progress and segments. Cheap to call from anywhere, any number of times.
#[derive(Default)]
pub struct Reporter {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    fraction: f64,
    segments: Vec<Segment>,
    said: Vec<Said>,
    dirty: bool,
}

impl Reporter {
    /// The step is this far, 0 to 1. Changes that nobody could see are not told.
    pub fn progress(&self, fraction: f64) {
        let fraction = fraction.clamp(0.0, 1.0);
        self.change(|state| {
            let is_news = (fraction - state.fraction).abs() >= VISIBLE || (fraction >= 1.0 && state.fraction < 1.0);
            if is_news {
                state.fraction = fraction;
            }
            is_news
        });
    }

    /// `done` of `total`, when the total is known.
    pub fn part(&self, done: u64, total: Option<u64>) {
        if let Some(total) = total.filter(|total| *total > 0) {
            self.progress(done as f64 / total as f64);
        }
    }

    /// The step has made a segment.
    pub fn segment(&self, segment: Segment) {
        self.change(|state| {
            state.segments.push(segment);
            true
        });
    }

    /// A language model has said more: in the answer to which part, none when it merges those to all of them.
    pub fn words(&self, part: Option<usize>, parts: usize, text: &str) {
        self.change(|state| {
            match state.said.last_mut().filter(|said| said.part == part) {
                Some(said) => said.text.push_str(text),
                None => state.said.push(Said { part, parts, text: text.to_owned() }),
            }
            true
        });
    }

    /// Takes what a language model has said since the last call.
    pub fn take_said(&self) -> Vec<Said> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut state.said)
    }

    /// Waits until there is something to take.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Takes what is new: how far the step is, and its segments since the last call.
    pub fn take(&self) -> Option<(f64, Vec<Segment>)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut state.dirty).then(|| (state.fraction, std::mem::take(&mut state.segments)))
    }

    fn change(&self, change: impl FnOnce(&mut State) -> bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if change(&mut state) {
            state.dirty = true;
            self.changed.notify_one();
        }
    }
}
