//! Start and end tags of a page, in one linear pass.
//!
//! Not a tree builder on purpose: HTML's rules for misnested formatting let a page of 30 kB grow into millions of nodes
//! (measured: 29 kB, 4 million nodes), and pages here come from anywhere. Finding media needs tags and attributes only.

use std::borrow::Cow;

/// More attributes than this on one tag are dropped.
const MAX_ATTRIBUTES: usize = 64;
/// Elements whose content is text, not markup.
const RAW: [&str; 8] = ["script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes"];

/// A start tag, with its content where that is text.
#[derive(Debug)]
pub(super) struct Tag<'a> {
    pub(super) name: String,
    attributes: Vec<(String, Cow<'a, str>)>,
    /// The text of a raw element (`script`, `title` …); empty for others.
    pub(super) raw: &'a str,
}

impl Tag<'_> {
    /// The attribute's value, trimmed and unescaped.
    pub(super) fn attr(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim())
    }
}

/// What a page is made of, as far as it matters.
#[derive(Debug)]
pub(super) enum Token<'a> {
    Start(Tag<'a>),
    End(String),
}

/// Reads the tags of `html` one after the other.
pub(super) struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    pub(super) fn of(html: &'a str) -> Self {
        Self { rest: html }
    }

    /// Moves behind the next `end`, or to the end of the page: what is never closed swallows the rest.
    fn skip_past(&mut self, end: &str) {
        self.rest = self.rest.find(end).map_or("", |at| &self.rest[at + end.len()..]);
    }

    fn word(&mut self, stop: impl Fn(char) -> bool) -> &'a str {
        let (word, rest) = self.rest.split_at(self.rest.find(stop).unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }

    fn tag(&mut self) -> Tag<'a> {
        let name = self.word(|c| c.is_ascii_whitespace() || c == '/' || c == '>').to_ascii_lowercase();
        let mut attributes = Vec::new();
        loop {
            self.rest = self.rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
            if self.rest.is_empty() {
                break;
            }
            if let Some(rest) = self.rest.strip_prefix('>') {
                self.rest = rest;
                break;
            }
            let (key, value) = self.attribute();
            if attributes.len() < MAX_ATTRIBUTES {
                attributes.push((key.to_ascii_lowercase(), html_escape::decode_html_entities(value)));
            }
        }
        let raw = if RAW.contains(&name.as_str()) { self.raw(&name) } else { "" };
        Tag { name, attributes, raw }
    }

    fn attribute(&mut self) -> (&'a str, &'a str) {
        let from = self.rest;
        // A stray `=` at the start belongs to the name, so that every call moves on.
        self.rest = self.rest.strip_prefix('=').unwrap_or(self.rest);
        self.word(|c| c.is_ascii_whitespace() || matches!(c, '/' | '>' | '='));
        let key = &from[..from.len() - self.rest.len()];
        let Some(rest) = self.rest.trim_ascii_start().strip_prefix('=') else { return (key, "") };
        self.rest = rest.trim_ascii_start();
        for quote in ['"', '\''] {
            if let Some(rest) = self.rest.strip_prefix(quote) {
                self.rest = rest;
                let value = self.word(|c| c == quote);
                self.rest = self.rest.strip_prefix(quote).unwrap_or_default();
                return (key, value);
            }
        }
        (key, self.word(|c| c.is_ascii_whitespace() || c == '>'))
    }

    fn raw(&mut self, name: &str) -> &'a str {
        let from = self.rest;
        let mut at = 0;
        while let Some(found) = from[at..].find("</") {
            let end = at + found;
            let after = &from.as_bytes()[end + 2..];
            let closes = after.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name.as_bytes()));
            if closes && after.get(name.len()).is_none_or(|byte| !byte.is_ascii_alphanumeric()) {
                self.rest = &from[end..];
                return &from[..end];
            }
            at = end + 2;
        }
        self.rest = "";
        from
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            self.rest = &self.rest[self.rest.find('<')? + 1..];
            let bytes = self.rest.as_bytes();
            match bytes.first()? {
                b'!' if bytes.starts_with(b"!--") => self.skip_past("-->"),
                b'!' | b'?' => self.skip_past(">"),
                b'/' if bytes.get(1).is_some_and(u8::is_ascii_alphabetic) => {
                    self.rest = &self.rest[1..];
                    let name = self.word(|c| c.is_ascii_whitespace() || c == '>' || c == '/').to_ascii_lowercase();
                    self.skip_past(">");
                    return Some(Token::End(name));
                }
                first if first.is_ascii_alphabetic() => return Some(Token::Start(self.tag())),
                _ => {}
            }
        }
    }
}
