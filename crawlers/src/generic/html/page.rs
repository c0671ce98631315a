//! A page to ask questions of.

use std::borrow::Cow;

use scraper::{ElementRef, Html, Selector};
use url::Url;

use super::filter::essentials;
use crate::link::is_fetchable;

/// A page's elements, as far as [`essentials`] keeps them; URLs are still as written.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) url: Url,
    base: Url,
    pub(super) document: Html,
    /// Lower-cased property or name, and content.
    pub(super) metas: Vec<(String, String)>,
}

impl Page {
    /// Reads the page that came from `url`.
    pub(super) fn read(html: &str, url: &Url) -> Self {
        let document = Html::parse_document(&essentials(html));
        let mut page = Self { url: url.clone(), base: url.clone(), document, metas: Vec::new() };
        // Only the first one counts, and it counts for the whole page.
        let base = page.all("base").into_iter().find_map(|base| url.join(attr(base, "href")?).ok());
        page.base = base.unwrap_or_else(|| url.clone());
        let meta = |meta| {
            let key = ["property", "name", "itemprop"].into_iter().find_map(|name| attr(meta, name))?;
            Some((key.to_ascii_lowercase(), attr(meta, "content").unwrap_or_default().to_owned()))
        };
        page.metas = page.all("meta").into_iter().filter_map(meta).collect();
        page
    }

    /// The elements that a selector names, in the page's order.
    pub(super) fn all(&self, selector: &'static str) -> Vec<ElementRef<'_>> {
        let selector = Selector::parse(selector).expect("a constant selector, which the tests parse");
        self.document.select(&selector).collect()
    }

    /// The texts of these elements.
    pub(super) fn texts(&self, selector: &'static str) -> impl Iterator<Item = String> {
        self.all(selector).into_iter().map(|element| element.text().collect())
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

    /// The feeds that the page announces.
    pub(super) fn feeds(&self) -> impl Iterator<Item = Url> {
        let links = self
            .all(r#"link[rel~="alternate" i]:is([type*="rss+xml" i], [type*="atom+xml" i], [type*="feed+json" i])"#);
        links.into_iter().filter_map(|link| self.resolve(attr(link, "href")?))
    }

    /// Where the page is described for others who want to embed it.
    pub(super) fn oembed(&self) -> Option<Url> {
        let links = self.all(r#"link[rel~="alternate" i][type*="json+oembed" i]"#);
        links.into_iter().find_map(|link| self.resolve(attr(link, "href")?))
    }

    /// Where the page says to go on.
    pub(super) fn refresh(&self) -> Option<Url> {
        let refreshes = self.all(r#"meta[http-equiv="refresh" i]"#);
        let target = refreshes.into_iter().find_map(|meta| refresh_target(attr(meta, "content")?));
        self.resolve(target?)
    }
}

/// An attribute's value, trimmed.
pub(super) fn attr<'a>(element: ElementRef<'a>, name: &str) -> Option<&'a str> {
    element.attr(name).map(str::trim)
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

/// Undoes what scripts do to URLs in strings: `\/`, `\u002F`, `\u0026`.
fn unescape(written: &str) -> Cow<'_, str> {
    if !written.contains('\\') {
        return Cow::Borrowed(written);
    }
    // A string that JSON cannot read keeps its backslashes, and then makes no usable URL.
    serde_json::from_str(&format!("\"{written}\"")).map_or(Cow::Borrowed(written), Cow::Owned)
}
