//! Tokens merged into words. Pure.
//!
//! Callers may rely on: every word is valid UTF-8 and not blank, punctuation hangs on its word, times lie inside the
//! segment, never run backwards and never overlap, and the words together are the segment's text (blanks aside).

use super::text::is_unspaced;
use crate::domain::Word;

/// A piece of text with its times; its bytes may end inside a character.
pub(crate) struct Token<'a> {
    /// The text, not always valid UTF-8 by itself.
    pub bytes: &'a [u8],
    /// Start in seconds.
    pub start: f64,
    /// End in seconds.
    pub end: f64,
    /// How sure the model is.
    pub probability: f32,
}

/// Which marks hang on which word.
pub(crate) struct Marks<'a> {
    /// Marks which belong to the word after them.
    pub opening: &'a str,
    /// Marks which belong to the word before them.
    pub closing: &'a str,
}

/// The marks of the default options.
#[cfg(test)]
pub(crate) const USUAL: Marks<'_> = Marks {
    opening: "\"'“‘¿¡([{（《「『【〈-",
    closing: "\"'”’.。,，!！?？:：;；、)]}）》」』】〉…%",
};

/// Marks which stand alone when they are not to hang on the word before them. Others, as in "AC/DC", are parts of words.
const ENDING: &str = "\"”’.。,，!！?？:：;；、)]}）》」』】〉…";

/// Whole characters which came together, with the sum of their tokens' probabilities.
struct Piece {
    text: String,
    start: f64,
    end: f64,
    sum: f32,
    count: f32,
}

/// The words of a segment which lasts from `start` to `end`.
pub(crate) fn merge(tokens: &[Token<'_>], marks: &Marks<'_>, start: f64, end: f64) -> Vec<Word> {
    let mut words: Vec<Piece> = Vec::new();
    for piece in whole_characters(tokens) {
        match words.last_mut() {
            Some(word) if belongs(&word.text, &piece.text, marks) => {
                word.text.push_str(&piece.text);
                word.end = piece.end;
                word.sum += piece.sum;
                word.count += piece.count;
            }
            _ => words.push(piece),
        }
    }
    let mut earliest = start;
    let mut result = Vec::with_capacity(words.len());
    for word in words {
        let text = word.text.trim();
        if text.is_empty() {
            continue;
        }
        let start = word.start.clamp(earliest, end.max(earliest));
        let end = word.end.clamp(start, end.max(start));
        earliest = end;
        result.push(Word { word: text.to_owned(), start, end, probability: word.sum / word.count });
    }
    result
}

/// Puts the bytes of tokens together until they are whole characters. Bytes which never become one are left out.
fn whole_characters(tokens: &[Token<'_>]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut open: Option<(Vec<u8>, Piece)> = None;
    for token in tokens {
        let (mut bytes, mut piece) = open.take().unwrap_or_else(|| {
            (Vec::new(), Piece { text: String::new(), start: token.start, end: token.end, sum: 0.0, count: 0.0 })
        });
        bytes.extend_from_slice(token.bytes);
        piece.end = token.end;
        piece.sum += token.probability;
        piece.count += 1.0;
        // An error without a length means: the bytes so far are good, but the last character is not whole.
        match std::str::from_utf8(&bytes) {
            Err(error) if error.error_len().is_none() => open = Some((bytes, piece)),
            _ => {
                piece.text = String::from_utf8_lossy(&bytes).replace(char::REPLACEMENT_CHARACTER, "");
                pieces.push(piece);
            }
        }
    }
    if let Some((bytes, mut piece)) = open {
        piece.text = String::from_utf8_lossy(&bytes).replace(char::REPLACEMENT_CHARACTER, "");
        pieces.push(piece);
    }
    pieces
}

/// Whether a piece goes on with the word before it.
fn belongs(word: &str, piece: &str, marks: &Marks<'_>) -> bool {
    let only = |text: &str, marks: &str| !text.trim().is_empty() && text.trim().chars().all(|c| marks.contains(c));
    let Some(first) = piece.chars().next() else { return true };
    if word.trim().is_empty() {
        return true;
    }
    // After an opening mark which begins a word (not the hyphen of "twenty-two").
    if only(word, marks.opening) {
        return !first.is_whitespace();
    }
    if only(piece, marks.closing) {
        return !first.is_whitespace() || !only(piece, marks.opening);
    }
    if first.is_whitespace() || only(piece, ENDING) {
        return false;
    }
    if is_mark(first) {
        return true;
    }
    let last = word.chars().next_back().unwrap_or(' ');
    !is_unspaced(first) && !is_unspaced(last)
}

/// Vowel and tone signs of the unspaced scripts, which never begin a word.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{0E31}' | '\u{0E34}'..='\u{0E3A}' | '\u{0E47}'..='\u{0E4E}' | '\u{0EB1}' | '\u{0EB4}'..='\u{0EBC}'
        | '\u{0EC8}'..='\u{0ECD}' | '\u{102B}'..='\u{103E}' | '\u{17B4}'..='\u{17D3}' | '\u{3099}' | '\u{309A}' | 'ー')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens<'a>(pieces: &[&'a [u8]]) -> Vec<Token<'a>> {
        let token = |(bytes, at): (&&'a [u8], i32)| {
            let start = f64::from(at) / 10.0;
            Token { bytes, start, end: start + 0.1, probability: 0.5 }
        };
        pieces.iter().zip(0..).map(token).collect()
    }

    fn texts(pieces: &[&[u8]]) -> Vec<String> {
        merge(&tokens(pieces), &USUAL, 0.0, 100.0).into_iter().map(|word| word.word).collect()
    }

    #[test]
    fn english_words_keep_their_punctuation() {
        assert_eq!(
            texts(&[b" Ten", b" o", b"'", b"clock", b",", b" (", b"we", b" hope", b").", b" Yes"]),
            ["Ten", "o'clock,", "(we", "hope).", "Yes"]
        );
        assert_eq!(texts(&[b" twenty", b"-", b"two", b" dollars", b"."]), ["twenty-two", "dollars."]);
    }

    #[test]
    fn marks_hang_where_they_are_told_to() {
        let texts = |opening, closing, pieces: &[&[u8]]| {
            let words = merge(&tokens(pieces), &Marks { opening, closing }, 0.0, 100.0);
            words.into_iter().map(|word| word.word).collect::<Vec<_>>().join("|")
        };
        let english: [&[u8]; 6] = [b" I", b" (", b"we", b").", b" Yes", b","];
        assert_eq!(texts("(", ").,", &english), "I|(we).|Yes,");
        assert_eq!(texts("(", ")", &english), "I|(we|).|Yes|,");
        assert_eq!(texts("", ").,", &english), "I|(we).|Yes,", "no blank, no cut");
        let chinese = ["《".as_bytes(), "书".as_bytes(), "》".as_bytes(), "。".as_bytes()];
        assert_eq!(texts("《", "》。", &chinese), "《书》。");
        assert_eq!(texts("", "》", &chinese), "《|书》|。");
    }

    #[test]
    fn chinese_characters_are_put_together() {
        // 苹 = E8 8B B9, spread over three tokens; 我们 is one token.
        let words = merge(&tokens(&["我们".as_bytes(), b"\xE8", b"\x8B", b"\xB9", "。".as_bytes()]), &USUAL, 0.0, 9.0);
        assert_eq!(words.iter().map(|word| word.word.as_str()).collect::<Vec<_>>(), ["我们", "苹。"]);
        assert_eq!((words[1].start, words[1].end), (0.1, 0.5));
        assert_eq!(texts(&["用".as_bytes(), b"ch", b"at", "吧".as_bytes()]), ["用", "chat", "吧"]);
        assert_eq!(texts(&[b"a", b"\xE8", b"b"]), ["ab"], "broken bytes are left out");
        assert_eq!(texts(&[b"a", b"\xE8\x8B"]), ["a"], "also at the end");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_times_run_forward(
            text in "[ a-z。我们，.!?'苹果ก-๙-]{0,40}",
            cuts in prop::collection::vec(1usize..5, 60),
            times in prop::collection::vec(-1.0f64..12.0, 130),
            opening in "[ '.。我a-]{0,3}",
            closing in "[ '.。我a-]{0,3}",
        ) {
            let mut rest = text.as_bytes();
            let mut pieces = Vec::new();
            let mut cuts = cuts.into_iter().cycle();
            while !rest.is_empty() {
                let (piece, tail) = rest.split_at(cuts.next().unwrap().min(rest.len()));
                pieces.push(piece);
                rest = tail;
            }
            let tokens: Vec<_> = pieces.iter().enumerate().map(|(at, bytes)| Token {
                bytes, start: times[at % 130], end: times[(at + 7) % 130], probability: 1.0,
            }).collect();
            let words = merge(&tokens, &Marks { opening: &opening, closing: &closing }, 2.0, 9.0);
            let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(bare(&words.iter().map(|w| w.word.as_str()).collect::<String>()), bare(&text));
            let mut last = 2.0;
            for word in &words {
                prop_assert!(!word.word.is_empty() && last <= word.start && word.start <= word.end && word.end <= 9.0);
                last = word.end;
            }
        }
    }
}
