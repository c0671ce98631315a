//! Players that live on other pages.

use url::Url;

use super::page::{Page, attr};

/// More than this are not followed.
const MAX_EMBEDS: usize = 3;

/// Sites whose players cannot be read as a page: host, and what people call it.
const PLAYERS: [(&str, &str); 17] = [
    ("youtube.com", "YouTube"),
    ("youtube-nocookie.com", "YouTube"),
    ("youtu.be", "YouTube"),
    ("vimeo.com", "Vimeo"),
    ("tiktok.com", "TikTok"),
    ("douyin.com", "Douyin"),
    ("bilibili.com", "Bilibili"),
    ("youku.com", "Youku"),
    ("v.qq.com", "Tencent Video"),
    ("soundcloud.com", "SoundCloud"),
    ("spotify.com", "Spotify"),
    ("dailymotion.com", "Dailymotion"),
    ("facebook.com", "Facebook"),
    ("instagram.com", "Instagram"),
    ("twitter.com", "X"),
    ("twitch.tv", "Twitch"),
    ("podcasts.apple.com", "Apple Podcasts"),
];

/// Frames that never hold the media: advertising, statistics, verification, maps.
const NOT_PLAYERS: [&str; 7] = [
    "googletagmanager.com",
    "doubleclick.net",
    "googlesyndication.com",
    "recaptcha.net",
    "hcaptcha.com",
    "challenges.cloudflare.com",
    "google.com",
];

/// Words in the URL of a frame that is probably a player.
const PLAYER_WORDS: [&str; 5] = ["player", "embed", "video", "audio", "podcast"];

/// A player on another page.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::generic) struct Embed {
    pub(in crate::generic) url: Url,
    /// The site's name, where the player is known and needs more than a page reader.
    pub(in crate::generic) player: Option<&'static str>,
}

/// The frames of a page and the `declared` players of its metadata, likely ones first.
pub(super) fn of(page: &Page, declared: impl Iterator<Item = Url>) -> Vec<Embed> {
    // Platforms let authors paste a quote that a script turns into a player.
    let frames = page.all("iframe, embed, blockquote[class*=embed]").into_iter().filter_map(|frame| {
        let mut written = ["src", "data-src", "data-lazy-src", "cite"].into_iter().filter_map(|name| attr(frame, name));
        page.resolve(written.find(|written| !written.is_empty())?)
    });
    let card = page.meta(&["twitter:player"]).and_then(|written| page.resolve(written));
    let mut embeds: Vec<Embed> = Vec::new();
    for url in declared.chain(frames).chain(card) {
        let seen = url == page.url || embeds.iter().any(|embed| embed.url == url);
        if !seen && !NOT_PLAYERS.iter().any(|host| on(&url, host)) && embeds.len() < 50 {
            embeds.push(Embed { player: known_player(&url), url });
        }
    }
    embeds.sort_by_key(|embed| {
        let url = embed.url.as_str().to_ascii_lowercase();
        embed.player.is_none() && !PLAYER_WORDS.iter().any(|word| url.contains(word))
    });
    embeds.truncate(MAX_EMBEDS);
    embeds
}

/// The name of the site, if its player cannot be read as a page.
pub(in crate::generic) fn known_player(url: &Url) -> Option<&'static str> {
    PLAYERS.iter().find(|(host, _)| on(url, host)).map(|(_, name)| *name)
}

/// Whether the URL is on that host or below it, label by label.
pub(in crate::generic) fn on(url: &Url, host: &str) -> bool {
    url.host_str().is_some_and(|own| own == host || own.strip_suffix(host).is_some_and(|rest| rest.ends_with('.')))
}
