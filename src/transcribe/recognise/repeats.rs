//! The guard against loops: a model that says the same sentence three times in a row heard it once. Pure.

use crate::domain::Segment;

/// As many of the same in a row are a loop.
const LOOP: usize = 3;

/// Lets segments through in order, without the repetitions of a loop.
#[derive(Default)]
pub(crate) struct Repeats {
    text: String,
    /// How often `text` came in a row.
    run: usize,
    /// Repetitions which are not enough for a loop yet.
    held: Vec<Segment>,
    /// Text and number of what was dropped.
    dropped: Vec<(String, usize)>,
    next_id: usize,
}

impl Repeats {
    /// Takes a segment and gives those which may go out now, numbered.
    pub(crate) fn push(&mut self, segment: Segment) -> Vec<Segment> {
        if segment.text != self.text {
            let mut out = std::mem::take(&mut self.held);
            self.text.clone_from(&segment.text);
            self.run = 1;
            out.push(segment);
            return self.number(out);
        }
        self.run += 1;
        self.held.push(segment);
        if self.run == LOOP {
            self.dropped.push((self.text.clone(), 0));
        }
        if self.run >= LOOP
            && let Some((_, count)) = self.dropped.last_mut()
        {
            *count += std::mem::take(&mut self.held).len();
        }
        Vec::new()
    }

    /// What was held back at the end, and a warning for each loop.
    pub(crate) fn finish(mut self) -> (Vec<Segment>, Vec<String>) {
        let held = std::mem::take(&mut self.held);
        let held = self.number(held);
        let warn = |(text, count): &(String, usize)| {
            format!("A repetition was dropped: \"{text}\" was heard {} times in a row", count + 1)
        };
        (held, self.dropped.iter().map(warn).collect())
    }

    fn number(&mut self, mut segments: Vec<Segment>) -> Vec<Segment> {
        for segment in &mut segments {
            segment.id = self.next_id;
            self.next_id += 1;
        }
        segments
    }
}

#[cfg(test)]
mod tests {
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
}
