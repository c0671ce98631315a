//! The guard against loops: a model that says the same three times in a row heard it once. Pure.

use std::collections::VecDeque;

use crate::domain::Segment;

/// As many of the same in a row are a loop.
const LOOP: usize = 3;
/// The most segments that are repeated together.
const MOST: usize = 2;

/// Lets segments through in order, without the repetitions of loops: `A A A` and `A B A B A B`.
#[derive(Default)]
pub(super) struct Repeats {
    /// The last texts, the latest one last.
    before: VecDeque<String>,
    /// How many segments in a row were the same as the one so many (1, 2, …) before them.
    runs: [usize; MOST],
    /// Repetitions which are not enough for a loop yet.
    held: VecDeque<Segment>,
    /// The loop that goes on, by how many segments are repeated together.
    going_on: Option<usize>,
    loops: Vec<Loop>,
    next_id: usize,
}

/// Something that was said again and again.
struct Loop {
    text: String,
    together: usize,
    dropped: usize,
}

impl Repeats {
    /// Takes a segment and gives those which may go out now, numbered.
    pub(super) fn push(&mut self, segment: Segment) -> Vec<Segment> {
        for (run, together) in self.runs.iter_mut().zip(1..) {
            let before = self.before.len().checked_sub(together).map(|at| &self.before[at]);
            *run = if before == Some(&segment.text) { *run + 1 } else { 0 };
        }
        self.before.push_back(segment.text.clone());
        if self.before.len() > MOST {
            self.before.pop_front();
        }
        self.held.push_back(segment);
        let looping = (1..=MOST).find(|together| self.runs[together - 1] >= (LOOP - 1) * together);
        let open = match looping {
            Some(together) => self.runs[together - 1],
            None => self.runs.iter().copied().max().unwrap_or(0),
        };
        let open = open.min(self.held.len());
        let out = self.held.drain(..self.held.len() - open).collect();
        if let Some(together) = looping {
            if self.going_on != looping {
                let text = self.before.iter().skip(MOST - together).map(String::as_str);
                self.loops.push(Loop { text: crate::transcribe::text::join(text), together, dropped: 0 });
            }
            if let Some(last) = self.loops.last_mut() {
                last.dropped += std::mem::take(&mut self.held).len();
            }
        }
        self.going_on = looping;
        self.number(out)
    }

    /// What was held back at the end, and a warning for each loop.
    pub(super) fn finish(mut self) -> (Vec<Segment>, Vec<String>) {
        let held = std::mem::take(&mut self.held).into();
        let held = self.number(held);
        let warn = |Loop { text, together, dropped }: &Loop| warning(text, 1 + dropped.div_ceil(*together));
        (held, self.loops.iter().map(warn).collect())
    }

    fn number(&mut self, mut segments: Vec<Segment>) -> Vec<Segment> {
        for segment in &mut segments {
            segment.id = self.next_id;
            self.next_id += 1;
        }
        segments
    }
}

/// What a reader is told about a text that was kept once.
pub(super) fn warning(text: &str, times: usize) -> String {
    format!("A repetition was dropped: \"{text}\" was heard {times} times in a row")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filter(texts: &[&str]) -> (Vec<String>, Vec<String>) {
        let mut guard = Repeats::default();
        let segment = |text: &&str| Segment { text: (*text).to_owned(), ..Segment::default() };
        let mut out: Vec<Segment> = texts.iter().flat_map(|text| guard.push(segment(text))).collect();
        let (held, warnings) = guard.finish();
        out.extend(held);
        assert!(out.iter().enumerate().all(|(at, segment)| segment.id == at));
        (out.into_iter().map(|segment| segment.text).collect(), warnings)
    }

    #[test]
    fn loops_are_dropped_and_named() {
        let (texts, warnings) = filter(&["a", "b", "b", "b", "b", "c", "c", "d"]);
        assert_eq!(texts, ["a", "b", "c", "c", "d"]);
        assert_eq!(warnings, ["A repetition was dropped: \"b\" was heard 4 times in a row"]);
        assert_eq!(filter(&["a", "a"]).0, ["a", "a"]);
        assert_eq!(filter(&["a", "a", "a"]).0, ["a"]);
    }

    #[test]
    fn two_that_take_turns_are_a_loop() {
        let (texts, warnings) = filter(&["x", "a", "b", "a", "b", "a", "b", "a", "y", "a", "b", "a", "b", "a"]);
        assert_eq!(texts, ["x", "a", "b", "y", "a", "b", "a", "b", "a"]);
        assert_eq!(warnings, ["A repetition was dropped: \"a b\" was heard 4 times in a row"]);
        assert_eq!(filter(&["a", "a", "b", "a", "a", "b"]).0, ["a", "a", "b", "a", "a", "b"]);
        let (texts, warnings) = filter(&["a", "b", "a", "b", "b", "b", "c"]);
        assert_eq!((texts.join("").as_str(), warnings.len()), ("ababc", 1));
    }

    #[test]
    fn what_is_said_goes_out_as_soon_as_it_may() {
        let mut guard = Repeats::default();
        let mut push = |text: &str| guard.push(Segment { text: text.to_owned(), ..Segment::default() }).len();
        assert_eq!(["a", "b", "b", "c", "b", "d"].map(&mut push), [1, 1, 0, 2, 0, 2]);
    }

    proptest! {
        #[test]
        fn only_repetitions_are_dropped(texts in prop::collection::vec("[abc]", 0..40)) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let (kept, warnings) = filter(&texts);
            // What is kept is in order, and without a loop nothing is dropped.
            let mut rest = texts.iter();
            prop_assert!(kept.iter().all(|text| rest.any(|other| other == text)));
            prop_assert_eq!(warnings.is_empty(), kept.len() == texts.len());
            let is_loop = |size: usize| texts.windows(size * LOOP).any(|run| {
                run.iter().zip(&run[size..]).all(|(a, b)| a == b)
            });
            prop_assert_eq!(warnings.is_empty(), !is_loop(1) && !is_loop(2));
        }
    }
}
