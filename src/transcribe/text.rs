//! Segment texts: cleaning, joining, and the measure for loops. Pure.

use std::io::Write;

use flate2::{Compression, write::ZlibEncoder};

/// The text of a segment from its bytes: trimmed, and without the broken characters that a model can produce.
pub(crate) fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let kept: String = text.chars().filter(|c| *c != char::REPLACEMENT_CHARACTER && !is_control(*c)).collect();
    kept.trim().to_owned()
}

fn is_control(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
}

/// Whether a character belongs to writing that puts no blanks between words: Chinese, Japanese, Thai, Lao, Burmese,
/// Khmer and their punctuation. Korean uses blanks.
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{0F00}'..='\u{0FFF}'
        | '\u{2E80}'..='\u{312F}' | '\u{31A0}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{FE30}'..='\u{FE4F}'
        | '\u{FF00}'..='\u{FF9F}' | '\u{20000}'..='\u{3FFFF}')
}

/// The whole text: with a blank between segments, except where either side is written without blanks.
pub(crate) fn join<'a>(segments: impl IntoIterator<Item = &'a str>) -> String {
    let mut whole = String::new();
    for segment in segments {
        let touching = whole.chars().last().zip(segment.chars().next());
        if touching.is_some_and(|(left, right)| !is_unspaced(left) && !is_unspaced(right)) {
            whole.push(' ');
        }
        whole.push_str(segment);
    }
    whole
}

/// Length over compressed length; above 2.4 a text repeats itself.
pub(crate) fn compression_ratio(text: &str) -> f32 {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing to a vector cannot fail; a ratio of 0 would mean "nothing to say".
    match encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()) {
        Ok(compressed) if !compressed.is_empty() => text.len() as f32 / compressed.len() as f32,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_by_writing() {
        assert_eq!(join(["One.", "Two."]), "One. Two.");
        assert_eq!(join(["我有一个书。", "你好。"]), "我有一个书。你好。");
        assert_eq!(join(["你好。", "Hello.", "World."]), "你好。Hello. World.");
        assert_eq!(join(["안녕하세요.", "네."]), "안녕하세요. 네.");
        assert_eq!(join(["สวัสดี", "ครับ"]), "สวัสดีครับ");
        assert_eq!(join([]), "");
    }

    #[test]
    fn broken_characters_are_left_out() {
        assert_eq!(clean(b" car?\xE5\x9B box "), "car? box");
        assert_eq!(clean("  我们 ".as_bytes()), "我们");
        assert_eq!(clean(b" \xFF "), "");
    }

    #[test]
    fn loops_compress_well() {
        assert!(compression_ratio(&"Thank you. ".repeat(20)) > 2.4);
        assert!(compression_ratio("Please send the report on Monday.") < 2.4);
    }
}
