//! What matters of a page, collected in one pass over its tags.

use std::borrow::Cow;

use url::Url;

use super::token::{Tag, Token, Tokens};
use crate::link::is_fetchable;

/// Bounds on what one page may make us keep.
const MAX_KEPT: usize = 2_000;

/// A `<video>` or `<audio>` element.
#[derive(Debug, Default)]
pub(super) struct Player {
    pub(super) audio: bool,
    /// Plays by itself, without sound or controls: decoration.
    pub(super) decoration: bool,
    /// URL and type, as written.
    pub(super) sources: Vec<(String, Option<String>)>,
    /// URL and language of captions, as written.
    pub(super) tracks: Vec<(String, Option<String>)>,
}

/// A page's tags, sorted by use; URLs are still as written.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) url: Url,
    base: Url,
    pub(super) title: Option<String>,
    /// Lower-cased property or name, and content.
    pub(super) metas: Vec<(String, String)>,
    pub(super) players: Vec<Player>,
    pub(super) json_ld: Vec<&'a str>,
    pub(super) scripts: Vec<&'a str>,
    pub(super) embeds: Vec<String>,
    pub(super) anchors: Vec<String>,
    pub(super) feeds: Vec<String>,
    pub(super) refresh: Option<String>,
}

impl<'a> Page<'a> {
    /// Reads the page that came from `url`.
    pub(super) fn read(html: &'a str, url: &Url) -> Self {
        let mut page = Self {
            url: url.clone(),
            base: url.clone(),
            title: None,
            metas: Vec::new(),
            players: Vec::new(),
            json_ld: Vec::new(),
            scripts: Vec::new(),
            embeds: Vec::new(),
            anchors: Vec::new(),
            feeds: Vec::new(),
            refresh: None,
        };
        let mut based = false;
        let mut open: Option<Player> = None;
        for token in Tokens::of(html) {
            match token {
                Token::Start(tag) if tag.name == "base" => {
                    // Only the first one counts, and it counts for the whole page.
                    if let Some(base) = tag.attr("href").filter(|_| !based).and_then(|href| url.join(href).ok()) {
                        page.base = base;
                        based = true;
                    }
                }
                Token::Start(tag) if matches!(tag.name.as_str(), "video" | "audio") => {
                    page.close(open.replace(player(&tag)));
                }
                Token::Start(tag) if tag.name == "source" => {
                    if let (Some(player), Some(source)) = (&mut open, source(&tag)) {
                        push(&mut player.sources, source);
                    }
                }
                Token::Start(tag) if tag.name == "track" => {
                    let kind = tag.attr("kind").unwrap_or("subtitles").to_ascii_lowercase();
                    if let (Some(player), Some(src)) = (&mut open, tag.attr("src"))
                        && matches!(kind.as_str(), "captions" | "subtitles")
                    {
                        push(&mut player.tracks, (src.to_owned(), tag.attr("srclang").map(str::to_owned)));
                    }
                }
                Token::Start(tag) => page.keep(&tag),
                Token::End(name) if matches!(name.as_str(), "video" | "audio") => page.close(open.take()),
                Token::End(_) => {}
            }
        }
        page.close(open);
        page
    }

    /// A URL as written in the page: unescaped as scripts escape it, resolved, and only if it may be fetched.
    pub(super) fn resolve(&self, written: &str) -> Option<Url> {
        let written = unescape(written.trim());
        if written.is_empty() {
            return None;
        }
        self.base.join(&written).ok().filter(is_fetchable)
    }

    /// The content of the first of these metas that has any.
    pub(super) fn meta(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| {
            let found = self.metas.iter().find(|(key, content)| key == name && !content.is_empty());
            found.map(|(_, content)| content.as_str())
        })
    }

    fn close(&mut self, player: Option<Player>) {
        if let Some(player) = player {
            push(&mut self.players, player);
        }
    }

    fn keep(&mut self, tag: &Tag<'a>) {
        match tag.name.as_str() {
            "title" if self.title.is_none() => {
                self.title = Some(html_escape::decode_html_entities(tag.raw).into_owned());
            }
            "meta" => self.keep_meta(tag),
            "script" => {
                let json_ld = tag.attr("type").is_some_and(|kind| kind.to_ascii_lowercase().contains("ld+json"));
                push(if json_ld { &mut self.json_ld } else { &mut self.scripts }, tag.raw);
            }
            "iframe" | "embed" => {
                let src = tag.attr("src").or_else(|| tag.attr("data-src")).or_else(|| tag.attr("data-lazy-src"));
                self.embeds.extend(src.map(str::to_owned).filter(|src| !src.is_empty()));
            }
            // Platforms let authors paste a quote that a script turns into a player.
            "blockquote" => self.embeds.extend(
                tag.attr("cite")
                    .filter(|_| tag.attr("class").is_some_and(|class| class.contains("embed")))
                    .map(str::to_owned),
            ),
            "a" => {
                if let Some(href) = tag.attr("href") {
                    push(&mut self.anchors, href.to_owned());
                }
            }
            "link" => {
                let rel = tag.attr("rel").unwrap_or_default().to_ascii_lowercase();
                let kind = tag.attr("type").unwrap_or_default().to_ascii_lowercase();
                let feed = kind.contains("rss+xml") || kind.contains("atom+xml") || kind.contains("feed+json");
                if feed && rel.split_ascii_whitespace().any(|word| word == "alternate") {
                    self.feeds.extend(tag.attr("href").map(str::to_owned));
                }
            }
            _ => {}
        }
    }

    fn keep_meta(&mut self, tag: &Tag<'a>) {
        let content = tag.attr("content").unwrap_or_default();
        if tag.attr("http-equiv").is_some_and(|kind| kind.eq_ignore_ascii_case("refresh")) {
            self.refresh = self.refresh.take().or_else(|| refresh_target(content).map(str::to_owned));
        }
        if let Some(key) = tag.attr("property").or_else(|| tag.attr("name")).or_else(|| tag.attr("itemprop")) {
            push(&mut self.metas, (key.to_ascii_lowercase(), content.to_owned()));
        }
    }
}

/// The URL of a refresh header or meta (`0; url='…'`).
pub(in crate::generic) fn refresh_target(content: &str) -> Option<&str> {
    let (_, rest) = content.split_once([';', ','])?;
    let rest = rest.trim();
    let rest = match rest.get(..3) {
        Some(head) if head.eq_ignore_ascii_case("url") => rest[3..].trim_start().strip_prefix('=')?.trim(),
        _ => rest,
    };
    Some(rest.trim_matches(['"', '\''])).filter(|rest| !rest.is_empty())
}

fn player(tag: &Tag<'_>) -> Player {
    let has = |name: &str| tag.attr(name).is_some();
    Player {
        audio: tag.name == "audio",
        decoration: has("muted") && (has("autoplay") || has("loop")) && !has("controls"),
        sources: source(tag).into_iter().collect(),
        tracks: Vec::new(),
    }
}

fn source(tag: &Tag<'_>) -> Option<(String, Option<String>)> {
    // Lazy players keep the URL elsewhere; a blob: belongs to a script and cannot be fetched.
    let usable = |value: &&str| !value.is_empty() && !value.starts_with("blob:") && !value.starts_with("data:");
    let url = ["src", "data-src", "data-video-src"].into_iter().filter_map(|name| tag.attr(name)).find(usable)?;
    Some((url.to_owned(), tag.attr("type").filter(|kind| !kind.is_empty()).map(str::to_owned)))
}

fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() < MAX_KEPT {
        list.push(item);
    }
}

/// Undoes what scripts do to URLs in strings: `\/`, `\u002F`, `\u0026`.
fn unescape(written: &str) -> Cow<'_, str> {
    if !written.contains('\\') {
        return Cow::Borrowed(written);
    }
    // A string that JSON cannot read keeps its backslashes, and then makes no usable URL.
    serde_json::from_str(&format!("\"{written}\"")).map_or(Cow::Borrowed(written), Cow::Owned)
}
