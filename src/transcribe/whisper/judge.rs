//! What is thought of the text of one pass. Pure.

use crate::{
    domain::Segment,
    transcribe::text::{compression_ratio, join},
};

/// From this temperature on a text is too much of a guess to be context for the next one.
const HOT: f32 = 0.5;

/// The text of a pass.
pub(super) fn text(segments: &[Segment]) -> String {
    join(segments.iter().map(|segment| segment.text.as_str()))
}

/// How much a text of one pass repeats itself: as a whole, or in one of its segments.
pub(super) fn repetition(segments: &[Segment]) -> f32 {
    segments.iter().map(|segment| segment.compression_ratio).fold(compression_ratio(&text(segments)), f32::max)
}

/// The mean log-probability of a pass's tokens.
pub(super) fn log_probability(segments: &[Segment]) -> f32 {
    let sum: f32 = segments.iter().map(|segment| segment.avg_logprob * segment.tokens.len() as f32).sum();
    sum / segments.iter().map(|segment| segment.tokens.len()).sum::<usize>().max(1) as f32
}

/// Whether a text says anything: marks do not, nor do remarks in brackets such as `[BLANK_AUDIO]`.
pub(super) fn says_something(text: &str) -> bool {
    let mut depth = 0_usize;
    text.chars().any(|c| {
        match c {
            '[' | '(' | '（' | '【' => depth += 1,
            ']' | ')' | '）' | '】' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && c.is_alphanumeric()
    })
}

/// What the next pass hears as the text before it: a guess or a repetition would only lead it to more of the kind.
pub(super) fn context(before: &str, segments: &[Segment], is_repeated: bool) -> String {
    if is_repeated || segments.iter().any(|segment| segment.temperature > HOT) {
        return String::new();
    }
    join([before, &text(segments)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str, temperature: f32) -> Vec<Segment> {
        vec![Segment { text: text.to_owned(), temperature, ..Segment::default() }]
    }

    #[test]
    fn remarks_and_marks_say_nothing() {
        for nothing in ["", " . … ", "♪♪", "[BLANK_AUDIO]", "(wind (far) blows)", "（音乐）。", "[Music] - 【静】", ")"]
        {
            assert!(!says_something(nothing), "{nothing}");
        }
        for something in ["you", "谢谢。", "[Music] Hello", "7", "(a) b (c)", "a ["] {
            assert!(says_something(something), "{something}");
        }
    }

    #[test]
    fn good_text_is_context_for_the_next_pass() {
        assert_eq!(context("", &one("One.", 0.0), false), "One.");
        assert_eq!(context("One.", &one("Two.", 0.4), false), "One. Two.");
        assert_eq!(context("One.", &one("Two.", 0.6), false), "");
        assert_eq!(context("One.", &one("Two. Two.", 0.0), true), "");
    }
}
