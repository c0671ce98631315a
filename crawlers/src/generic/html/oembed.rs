//! oEmbed: a page's description elsewhere, with a player in it.

use serde_json::Value;
use url::Url;

use super::{About, Embed, embeds, page::Page};

/// What the description says, and the players in its piece of HTML. Nothing when it is no oEmbed.
pub(in crate::generic) fn oembed(body: &[u8], url: &Url) -> Option<(About, Vec<Embed>)> {
    let json: Value = serde_json::from_slice(body).ok()?;
    let text = |key: &str| json.get(key)?.as_str().map(str::trim).filter(|text| !text.is_empty());
    let about = About {
        title: text("title").map(str::to_owned),
        author: text("author_name").map(str::to_owned),
        ..About::default()
    };
    let page = Page::read(text("html").unwrap_or_default(), url);
    Some((about, embeds::of(&page, std::iter::empty()))).filter(|_| json.is_object())
}
