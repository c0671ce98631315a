//! What the model hears as the text before: words that are likely, and what was said. Pure but for the vocabulary.

use super::context::Context;
use crate::{domain::Options, transcribe::text::is_unspaced};

/// Characters that surely fill the room for a prompt; what stands before them is not looked at.
const TAIL: usize = 4_000;
/// The longest piece in bytes that whisper.cpp's tokenizer is given at a time: its regular expressions need stack for
/// every byte of a word without blanks.
const PIECE: usize = 200;

/// A prompt.
pub(super) struct Prompt {
    /// Its tokens.
    pub(super) tokens: Vec<i32>,
    /// Whether there was no room for all of the hotwords.
    pub(super) is_short_of_hotwords: bool,
}

/// The prompt for a window, of at most `room` tokens.
pub(super) fn prompt(context: &Context, options: &Options, previous: &str, room: usize) -> Prompt {
    let tokens = |text: &str| tokens(context, text);
    let hotwords = options.hotwords.as_deref().map(tokens).unwrap_or_default();
    let mut before = options.initial_prompt.as_deref().map(tokens).unwrap_or_default();
    before.extend(tokens(previous));
    Prompt { is_short_of_hotwords: hotwords.len() > room, tokens: fit(hotwords, &before, room) }
}

/// Hotwords first, then the end of the text before.
fn fit(mut hotwords: Vec<i32>, before: &[i32], room: usize) -> Vec<i32> {
    hotwords.truncate(room);
    let rest = before.len().min(room - hotwords.len());
    hotwords.extend(&before[before.len() - rest..]);
    hotwords
}

fn tokens(context: &Context, text: &str) -> Vec<i32> {
    let text = tail(text.trim(), TAIL).replace('\0', " ");
    // The model's words begin with their blank, also the first one.
    let blank = text.chars().next().is_some_and(|first| !is_unspaced(first));
    let text = if blank { format!(" {text}") } else { text };
    pieces(&text).into_iter().flat_map(|piece| context.tokenize(piece)).collect()
}

/// The last characters of a text.
fn tail(text: &str, most: usize) -> &str {
    match text.char_indices().rev().nth(most.saturating_sub(1)) {
        Some((at, _)) => &text[at..],
        None => text,
    }
}

/// A text in pieces of at most [`PIECE`] bytes, cut before blanks where there are any.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while rest.len() > PIECE {
        let most = rest.floor_char_boundary(PIECE);
        let cut = rest[..most].rfind(char::is_whitespace).filter(|at| *at > 0).unwrap_or(most);
        let (piece, more) = rest.split_at(cut);
        pieces.push(piece);
        rest = more;
    }
    pieces.push(rest);
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hotwords_come_first_and_old_text_goes_first() {
        assert_eq!(fit(vec![1, 2], &[3, 4, 5], 10), [1, 2, 3, 4, 5]);
        assert_eq!(fit(vec![1, 2], &[3, 4, 5], 4), [1, 2, 4, 5]);
        assert_eq!(fit(vec![1, 2], &[3], 1), [1]);
        assert!(fit(vec![1, 2], &[3], 0).is_empty());
        assert_eq!((tail("我们去", 2), tail("ab", 5), tail("", 1)), ("们去", "ab", ""));
    }

    proptest! {
        #[test]
        fn pieces_are_the_text(text in "[a我\u{1F600} ]{0,900}") {
            let pieces = pieces(&text);
            prop_assert_eq!(pieces.concat(), text.as_str());
            prop_assert!(pieces.iter().all(|piece| piece.len() <= PIECE));
        }
    }
}
