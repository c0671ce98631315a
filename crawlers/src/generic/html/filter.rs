//! What is looked at of a page, as HTML again: the one door to the tree builder.
//!
//! HTML's rules for misnested formatting let a page of 30 kB grow into millions of nodes (measured: 29 kB, 4 million
//! nodes), and pages here come from anywhere. So the tree builder never sees the page itself. One linear pass reads its
//! tags and writes those that matter anew: no formatting, no text, nothing nested but the sources of a player, few
//! elements of each kind. Even where this pass misreads a page, its output cannot grow.

/// More elements of one kind than this are dropped.
const MAX_OF_A_KIND: usize = 2_000;
/// The elements that selectors may name.
const ELEMENTS: [&str; 13] = [
    "a",
    "audio",
    "base",
    "blockquote",
    "embed",
    "iframe",
    "link",
    "meta",
    "script",
    "source",
    "title",
    "track",
    "video",
];
/// The attributes that may be asked for.
const ATTRIBUTES: [&str; 20] = [
    "autoplay",
    "cite",
    "class",
    "content",
    "controls",
    "data-lazy-src",
    "data-src",
    "data-video-src",
    "href",
    "http-equiv",
    "itemprop",
    "kind",
    "loop",
    "muted",
    "name",
    "property",
    "rel",
    "src",
    "srclang",
    "type",
];
/// Elements whose content is text, not markup. Not `noscript`: lazy pages keep the real player in it.
const RAW: [&str; 8] = ["script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes"];

/// The page's [`ELEMENTS`] with their [`ATTRIBUTES`], and the text of scripts and titles.
pub(super) fn essentials(html: &str) -> String {
    let mut pass = Pass { rest: html, kept: String::new(), counts: [0; ELEMENTS.len()], player: None };
    while let Some(at) = pass.rest.find('<') {
        pass.rest = &pass.rest[at + 1..];
        match pass.rest.as_bytes() {
            [b'!', b'-', b'-', ..] => pass.skip_past("-->"),
            [b'!' | b'?', ..] => pass.skip_past(">"),
            [b'/', first, ..] if first.is_ascii_alphabetic() => pass.end_tag(),
            [first, ..] if first.is_ascii_alphabetic() => pass.start_tag(),
            _ => {}
        }
    }
    pass.kept
}

struct Pass<'a> {
    rest: &'a str,
    kept: String,
    counts: [usize; ELEMENTS.len()],
    /// The `<video>` or `<audio>` that is open: the only element that may hold others.
    player: Option<&'static str>,
}

impl<'a> Pass<'a> {
    fn end_tag(&mut self) {
        self.rest = &self.rest[1..];
        let name = self.tag_name();
        self.skip_past(">");
        if ["video", "audio"].iter().any(|player| player.eq_ignore_ascii_case(name)) {
            self.close_player();
        }
    }

    fn start_tag(&mut self) {
        let name = self.tag_name();
        let kind = ELEMENTS.iter().position(|known| known.eq_ignore_ascii_case(name));
        // Most tags are none of ours, and are read only for where they end.
        let mut tag = kind.map(|kind| format!("<{}", ELEMENTS[kind]));
        loop {
            self.rest = self.rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
            if self.rest.is_empty() || self.rest.starts_with('>') {
                break;
            }
            let (key, value) = self.attribute();
            let known = ATTRIBUTES.iter().find(|known| known.eq_ignore_ascii_case(key));
            if let (Some(tag), Some(key)) = (&mut tag, known) {
                tag.extend([" ", key, "=\"", &value.replace('"', "&quot;"), "\""]);
            }
        }
        self.skip_past(">");
        let raw = if RAW.iter().any(|raw| raw.eq_ignore_ascii_case(name)) { self.raw(name) } else { "" };
        if let (Some(kind), Some(tag)) = (kind, tag) {
            self.keep(kind, &tag, raw);
        }
    }

    fn keep(&mut self, kind: usize, tag: &str, raw: &str) {
        let name = ELEMENTS[kind];
        let player = matches!(name, "video" | "audio");
        if player {
            self.close_player();
        }
        let homeless = matches!(name, "source" | "track") && self.player.is_none();
        if homeless || self.counts[kind] == MAX_OF_A_KIND {
            return;
        }
        self.counts[kind] += 1;
        self.kept.extend([tag, ">"]);
        match name {
            // After `<!--` a script may hold `</script>`, and swallow the page; JSON and JavaScript read this as the same.
            "script" => self.kept += &raw.replace("<!--", "\\u003c!--"),
            "title" => self.kept += raw,
            _ => {}
        }
        if player {
            self.player = Some(name);
        } else {
            // HTML ignores this where there is nothing to close.
            self.kept.extend(["</", name, ">"]);
        }
    }

    fn close_player(&mut self) {
        if let Some(name) = self.player.take() {
            self.kept.extend(["</", name, ">"]);
        }
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

    fn tag_name(&mut self) -> &'a str {
        self.word(|c| c.is_ascii_whitespace() || c == '/' || c == '>')
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

    /// The text up to the end tag of `name`.
    fn raw(&mut self, name: &str) -> &'a str {
        let from = self.rest;
        let ends = |end: usize| {
            let mut after = from.as_bytes()[end + 2..].iter();
            let same = name.bytes().all(|byte| after.next().is_some_and(|one| one.eq_ignore_ascii_case(&byte)));
            same && after.next().is_none_or(|byte| !byte.is_ascii_alphanumeric())
        };
        let end = from.match_indices("</").map(|(at, _)| at).find(|at| ends(*at)).unwrap_or(from.len());
        self.rest = &from[end..];
        &from[..end]
    }
}
