//! A source text to the names that it imports. No parser: just enough of Rust's words to follow paths.

/// The words and marks of a source text without comments, literals, white space and `#[cfg(test)]` modules.
pub(super) fn tokens(text: &str) -> Vec<String> {
    without_tests(lex(text))
}

/// The top-level modules of our own library which the tokens name, through `crate::`, `trawl::` or a chain of `super::`
/// that leaves the file's own top-level module. `depth` is the file's own: 1 for `src/net/mod.rs`, 2 for `src/net/a.rs`.
pub(super) fn own_modules(tokens: &[String], depth: usize) -> Vec<String> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let is_start = at == 0 || tokens[at - 1] != "::" || at > 1 && tokens[at - 2] == "self";
        match token.as_str() {
            "crate" | "trawl" if is_start => follow(&tokens[at + 1..], 0, &mut found),
            "super" if is_start && depth > 0 => follow(&tokens[at + 1..], depth - 1, &mut found),
            _ => {}
        }
    }
    found
}

/// Collects the modules named after a path that stands `above` levels below the root.
fn follow(tokens: &[String], above: usize, found: &mut Vec<String>) {
    let [mark, rest @ ..] = tokens else { return };
    if mark != "::" {
        return;
    }
    for head in heads(rest) {
        match rest[head].as_str() {
            "super" if above > 0 => follow(&rest[head + 1..], above - 1, found),
            word if above == 0 && is_word(word) => found.push(word.to_owned()),
            _ => {}
        }
    }
}

/// Whether the tokens name an outside crate: at the head of a path, or whole after `use` or `extern crate`.
pub(super) fn names(tokens: &[String], name: &str) -> bool {
    let word = |at: usize| tokens.get(at).map_or("", String::as_str);
    (0..tokens.len()).filter(|at| tokens[*at] == name).any(|at| {
        let is_rooted = at > 0 && word(at - 1) == "::";
        let before = at.checked_sub(if is_rooted { 2 } else { 1 }).map_or("", word);
        let is_head = !is_rooted || !is_word(before) || before == "use";
        let is_whole = matches!(before, "use" | "crate") && matches!(word(at + 1), ";" | "as");
        is_head && (word(at + 1) == "::" || is_whole)
    })
}

/// Where the first word of a path stands, or of each path of a group.
fn heads(tokens: &[String]) -> Vec<usize> {
    if tokens.first().is_some_and(|token| token != "{") {
        return vec![0];
    }
    let (mut level, mut found) = (0, Vec::new());
    for (at, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "{" => level += 1,
            "}" if level == 1 => break,
            "}" => level -= 1,
            _ if level == 1 && matches!(tokens[at - 1].as_str(), "{" | ",") => found.push(at),
            _ => {}
        }
    }
    found
}

fn is_word(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Leaves out `#[cfg(test)] mod name { … }`; other things for tests only stay in and must follow the rules.
fn without_tests(tokens: Vec<String>) -> Vec<String> {
    const HEAD: [&str; 8] = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let is_test = tokens[at..].iter().zip(HEAD).filter(|(token, head)| token == head).count() == HEAD.len();
        if !is_test || tokens.get(at + 9).is_none_or(|token| token != "{") {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        let mut level = 0;
        for token in &tokens[at..] {
            at += 1;
            level += match token.as_str() {
                "{" => 1,
                "}" => -1,
                _ => 0,
            };
            if token == "}" && level == 0 {
                break;
            }
        }
    }
    kept
}

fn lex(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => comment(rest),
            '"' => quoted(rest, 0),
            'r' | 'b' | 'c' if literal(rest).is_some() => literal(rest).unwrap_or(1),
            '\'' => character(rest),
            ':' if rest.starts_with("::") => {
                tokens.push("::".to_owned());
                2
            }
            first if first.is_alphanumeric() || first == '_' => {
                let end = rest.find(|next: char| !next.is_alphanumeric() && next != '_').unwrap_or(rest.len());
                tokens.push(rest[..end].to_owned());
                end
            }
            first => {
                tokens.extend((!first.is_whitespace()).then(|| first.to_string()));
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    tokens
}

/// The length of a block comment; they nest.
fn comment(text: &str) -> usize {
    let (mut level, mut at) = (0, 0);
    loop {
        level += match &text.as_bytes()[at..] {
            [b'/', b'*', ..] => 1,
            [b'*', b'/', ..] => -1,
            [] => return text.len(),
            _ => {
                at += 1;
                continue;
            }
        };
        at += 2;
        if level == 0 {
            return at;
        }
    }
}

/// The length of a literal with a prefix (`b"…"`, `r#"…"#`, `br"…"`), if one starts here.
fn literal(text: &str) -> Option<usize> {
    let prefix = text.find(|next: char| !matches!(next, 'r' | 'b' | 'c'))?;
    let hashes = text[prefix..].find(|next: char| next != '#')?;
    let is_raw = text[..prefix].contains('r');
    if prefix > 2 || !text[prefix + hashes..].starts_with('"') || (hashes > 0 && !is_raw) {
        return None;
    }
    if !is_raw {
        return Some(quoted(text, prefix));
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let body = prefix + hashes + 1;
    Some(text[body..].find(&end).map_or(text.len(), |at| body + at + end.len()))
}

/// The length of a text whose opening quote stands at `open`.
fn quoted(text: &str, open: usize) -> usize {
    let mut is_escaped = false;
    for (at, next) in text[open + 1..].char_indices() {
        match next {
            '"' if !is_escaped => return open + at + 2,
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    text.len()
}

/// The length of a character literal, or of the tick of a lifetime.
fn character(text: &str) -> usize {
    let mut inside = text[1..].char_indices();
    match (inside.next(), inside.next()) {
        (Some((_, '\\')), Some((_, escaped))) => {
            let from = 2 + escaped.len_utf8();
            text[from..].find('\'').map_or(text.len(), |at| from + at + 1)
        }
        (Some(_), Some((at, '\''))) => at + 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> String {
        tokens(text).join(" ")
    }

    #[test]
    fn comments_literals_and_tests_do_not_count() {
        assert_eq!(words("a // crate::b\nc /* d /* e */ f */ g"), "a c g");
        assert_eq!(
            words(r##"x("crate::a \" b", r#"c " d"#, b"e\\", br"f\", 'g', '\'', '\u{7d}', "é")y"##),
            "x ( , , , , , , , ) y"
        );
        assert_eq!(words("fn f<'a>(x: &'a str, r: b, c: '{' )"), "fn f < a > ( x : & a str , r : b , c : )");
        assert_eq!(words("a #[cfg(test)] mod tests { use x::{y}; fn f() {} } b"), "a b");
        assert_eq!(words("#[cfg(test)] mod tests; b"), "# [ cfg ( test ) ] mod tests ; b");
    }

    #[test]
    fn paths_are_followed() {
        for (text, depth, expected) in [
            ("use crate::net::Client;", 2, "net"),
            ("use crate::{net::{self, Client}, error::{Code, Error}, files};", 2, "net error files"),
            ("fn f() -> crate::store::Pool { crate::app::run() }", 2, "store app"),
            ("use trawl::{api, config::Config};", 0, "api config"),
            ("use super::{super::{x, y::z}, w};", 2, "x y"),
            ("use super::{x, y::{super, z}};", 1, "x y"),
            ("use self::super::x;", 1, "x"),
            ("use super::z::super::a;", 2, ""),
            ("use super::super::{error::Code, queue};", 2, "error queue"),
            ("use super::super::error;", 3, ""),
            ("use super::local;", 2, ""),
            ("pub(crate) fn f(super_: u8) { self::crate_::x() }", 1, ""),
        ] {
            assert_eq!(own_modules(&tokens(text), depth).join(" "), expected, "{text}");
        }
    }

    #[test]
    fn other_crates_are_found() {
        for text in ["use poem;", "use poem::Route;", "use ::poem::Route;", "x: poem::Body", "extern crate poem as p;"]
        {
            assert!(names(&tokens(text), "poem"), "{text}");
        }
        for text in
            ["use poems::a;", "use a::poem::b;", "let poem = 1;", "return poem;", "poem as u8", "poem_openapi::x"]
        {
            assert!(!names(&tokens(text), "poem"), "{text}");
        }
    }
}
