//! A first look at an expression's text: strings and brackets. It keeps the parser, which calls itself for every level,
//! from going deep, and says in plain words what is not closed.

use super::Problem;

/// How deep brackets and `?` may nest.
const DEPTH: usize = 24;

/// Checks that strings and brackets are closed and not too deep.
pub(super) fn check(source: &str) -> Result<(), Problem> {
    let column = |at: usize| source[..at].chars().count() + 1;
    // What closes each open bracket, and how many `?` stand inside it.
    let mut open: Vec<(char, usize)> = vec![('\0', 0)];
    let mut at = 0;
    while at < source.len() {
        let (token, length) = token(&source[at..]);
        match token {
            Token::Open(close) => open.push((close, 0)),
            Token::Close(close) => match open.last() {
                Some((expected, _)) if *expected == close => drop(open.pop()),
                Some(('\0', _)) | None => return Err(Problem::new(column(at), format!("unexpected \"{close}\""))),
                Some((expected, _)) => return Err(Problem::new(column(at), format!("expected \"{expected}\""))),
            },
            Token::Unclosed => return Err(Problem::new(column(at), "the string that begins here has no end")),
            Token::Other('?') => open.last_mut().into_iter().for_each(|(_, questions)| *questions += 1),
            Token::Other(_) | Token::Skipped => {}
        }
        if open.iter().map(|(_, questions)| questions + 1).sum::<usize>() > DEPTH {
            return Err(Problem::new(column(at), format!("it is nested deeper than {DEPTH} levels")));
        }
        at += length;
    }
    match open.last() {
        Some((expected, _)) if *expected != '\0' => {
            Err(Problem::new(column(source.trim_end().len()), format!("expected \"{expected}\"")))
        }
        _ => Ok(()),
    }
}

/// Where the `}` stands that closes an expression beginning at `text`, in bytes: not in a string, not of an inner `{`.
pub fn closing(text: &str) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_usize);
    while at < text.len() {
        let (token, length) = token(&text[at..]);
        match token {
            Token::Open('}') => depth += 1,
            Token::Close('}') if depth == 0 => return Some(at),
            Token::Close('}') => depth -= 1,
            _ => {}
        }
        at += length;
    }
    None
}

enum Token {
    /// A bracket; with it the one that closes it.
    Open(char),
    Close(char),
    /// A string, a comment.
    Skipped,
    /// A string without its end.
    Unclosed,
    Other(char),
}

/// What stands at the beginning of a text that is not empty, and how many bytes it takes.
fn token(text: &str) -> (Token, usize) {
    let first = text.chars().next().unwrap_or('\0');
    let word = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    let raw = matches!(&text[..word], "r" | "R" | "b" | "B" | "br" | "bR" | "Br" | "BR" | "rb" | "rB" | "Rb" | "RB");
    match first {
        '(' => (Token::Open(')'), 1),
        '[' => (Token::Open(']'), 1),
        '{' => (Token::Open('}'), 1),
        ')' | ']' | '}' => (Token::Close(first), 1),
        '\'' | '"' => string(text, false),
        _ if raw && text[word..].starts_with(['\'', '"']) => {
            let (token, length) = string(&text[word..], text[..word].contains(['r', 'R']));
            (token, word + length)
        }
        '/' if text.starts_with("//") => (Token::Skipped, text.find('\n').unwrap_or(text.len())),
        _ if word > 0 => (Token::Other(first), word),
        _ => (Token::Other(first), first.len_utf8()),
    }
}

/// A string and its length; `text` begins with its quote.
fn string(text: &str, raw: bool) -> (Token, usize) {
    let quote = &text[..1];
    let triple = quote.repeat(3);
    let is_triple = text.starts_with(&triple);
    let end = if is_triple { triple.as_str() } else { quote };
    let mut at = end.len();
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with(end) {
            return (Token::Skipped, at + end.len());
        }
        let mut chars = rest.chars();
        match chars.next() {
            Some('\\') if !raw => at += 1 + chars.next().map_or(0, char::len_utf8),
            // Only a string in three quotes goes over lines.
            Some('\n' | '\r') if !is_triple => break,
            Some(c) => at += c.len_utf8(),
            None => break,
        }
    }
    (Token::Unclosed, text.len())
}
