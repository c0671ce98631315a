//! A server's words laid over its text. Pure.
//!
//! Servers disagree about words: OpenAI's have neither blanks nor punctuation, faster-whisper's have both, whisper.cpp's
//! server gives tokens, some of them halves of a character that were broken on the way. The text is right in any case, so
//! each word becomes the stretch of text where it stands, and what no word spells (punctuation, blanks, broken
//! characters) belongs to a neighbour.

use crate::transcribe::words::Token;

/// A word or a token as a server gives it.
pub(super) struct Part {
    /// Clean and trimmed; may be empty.
    pub text: String,
    /// Start in seconds.
    pub start: Option<f64>,
    /// End in seconds.
    pub end: Option<f64>,
    /// How sure the server is; 0 when it does not say.
    pub probability: f32,
}

/// The parts as stretches which together are the whole text; none when they do not spell it.
pub(super) fn spread<'a>(text: &'a str, parts: &[Part], start: f64, end: f64) -> Option<Vec<Token<'a>>> {
    /// Where a part's own letters begin, and its token, whose text is still to be set.
    struct Placed<'a> {
        at: usize,
        until: usize,
        token: Token<'a>,
    }
    let mut placed: Vec<Placed<'a>> = Vec::new();
    let (mut cursor, mut is_broken) = (0, false);
    let mut earliest = start;
    for part in parts {
        let begin = part.start.unwrap_or(earliest).clamp(earliest, end.max(earliest));
        earliest = begin;
        if part.text.is_empty() {
            // Half of a character: its time goes to the neighbour that gets its text.
            is_broken = true;
            if let (Some(last), Some(end)) = (placed.last_mut(), part.end) {
                last.token.end = last.token.end.max(end);
            }
            continue;
        }
        let gap = text[cursor..].find(&part.text)?;
        if !is_broken && text[cursor..cursor + gap].chars().any(char::is_alphanumeric) {
            return None;
        }
        is_broken = false;
        let at = cursor + gap;
        cursor = at + part.text.len();
        let token = Token {
            bytes: &[],
            start: begin,
            end: part.end.unwrap_or(begin).max(begin),
            probability: part.probability,
        };
        placed.push(Placed { at, until: cursor, token });
    }
    if placed.is_empty() || !is_broken && text[cursor..].chars().any(char::is_alphanumeric) {
        return None;
    }
    // A gap belongs to the part before it, from its last blank on to the part after it.
    let mut begins = vec![0];
    begins.extend(placed.windows(2).map(|pair| {
        let gap = &text[pair[0].until..pair[1].at];
        pair[0].until + gap.rfind(char::is_whitespace).unwrap_or(gap.len())
    }));
    let ends = begins.iter().skip(1).copied().chain([text.len()]).collect::<Vec<_>>();
    let stretches = begins.into_iter().zip(ends);
    Some(
        placed
            .into_iter()
            .zip(stretches)
            .map(|(part, (a, b))| Token { bytes: &text.as_bytes()[a..b], ..part.token })
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::transcribe::words::{USUAL, merge};

    fn parts(texts: &[&str]) -> Vec<Part> {
        let part = |(at, text): (usize, &&str)| Part {
            text: (*text).to_owned(),
            start: Some(at as f64),
            end: Some(at as f64 + 1.0),
            probability: 0.5,
        };
        texts.iter().enumerate().map(part).collect()
    }

    fn words(text: &str, texts: &[&str]) -> Option<Vec<String>> {
        let tokens = spread(text, &parts(texts), 0.0, 100.0)?;
        Some(merge(&tokens, &USUAL, 0.0, 100.0).into_iter().map(|word| word.word).collect())
    }

    #[test]
    fn words_get_the_punctuation_of_the_text() {
        let text = "“Well,” he said, “it's 3.5 %.”";
        let spelled = Some(["“Well,”", "he", "said,", "“it's", "3.5 %.”"].map(str::to_owned).to_vec());
        assert_eq!(words(text, &["Well", "he", "said", "it's", "3.5", "%"]), spelled);
        assert_eq!(words(text, &["“Well,”", "he", "said,", "“it's", "3.5", "%.”"]), spelled);
        assert_eq!(
            words(text, &["“", "We", "ll", ",”", "he", "sa", "id", ",", "“", "it", "'s", "3", ".", "5", "%.”"]),
            spelled
        );
    }

    #[test]
    fn broken_characters_are_filled_from_the_text() {
        let spelled = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(words("我们很好。", &["我", "", "", "很", "好", "。"]), spelled(&["我们", "很", "好。"]));
        assert_eq!(words("我们", &["我", "", ""]), spelled(&["我们"]));
    }

    #[test]
    fn other_words_are_no_words() {
        assert_eq!(words("One two three", &["one", "two", "three"]), None);
        assert_eq!(words("One two three", &["One", "three"]), None);
        assert_eq!(words("One two", &["One"]), None);
        assert_eq!(words("One two", &["", ""]), None);
    }

    proptest! {
        #[test]
        fn the_words_are_the_text(
            texts in prop::collection::vec("[a-z一-三]{1,4}", 1..12),
            marks in prop::collection::vec(prop::sample::select(vec![" ", ", ", ". “", "，", ""]), 12),
            times in prop::collection::vec(prop::option::of(-5.0..50.0f64), 24),
        ) {
            let text: String = texts.iter().zip(&marks).map(|(text, mark)| format!("{text}{mark}")).collect();
            let text = text.trim();
            let parts: Vec<Part> = texts.iter().enumerate().map(|(at, text)| Part {
                text: text.clone(), start: times[at * 2], end: times[at * 2 + 1], probability: 1.0,
            }).collect();
            let tokens = spread(text, &parts, 2.0, 30.0).unwrap();
            prop_assert_eq!(tokens.iter().flat_map(|token| token.bytes).copied().collect::<Vec<_>>(), text.as_bytes());
            let merged = merge(&tokens, &USUAL, 2.0, 30.0);
            let mut last = 2.0;
            for word in &merged {
                prop_assert!(last <= word.start && word.start <= word.end && word.end <= 30.0);
                last = word.end;
            }
        }

        #[test]
        fn nothing_does_harm(text in "\\PC{0,20}", texts in prop::collection::vec("\\PC{0,3}", 0..8)) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let _ = words(&text, &texts);
        }
    }
}
