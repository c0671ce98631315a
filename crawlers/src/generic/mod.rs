//! The generic web: any link that no platform claims.
//!
//! One request shows what the link is: a file, a playlist, a feed, or a page which leads to one of these. A page's own
//! media come first, then players on other pages (one level deep), then its feed, then where it refreshes to. Every
//! request goes through [`session::Session`], and a visit has only so many. Where nothing is found, and for some sites at
//! once, yt-dlp is asked.

mod dash;
mod direct;
mod embedded;
mod episode;
mod filename;
mod hand_over;
mod html;
pub(crate) mod kinds;
mod list;
mod session;
mod source;
mod status;
mod web_page;
mod youtube;

use std::time::Instant;

use async_trait::async_trait;
use url::Url;

use crate::{
    CrawlError, Crawler, ErrorClass, Form, ListRequest, Page, Resolved, Response, Visit, feed, link::is_fetchable,
    ytdlp,
};
use kinds::Kind;
use session::Session;

/// The platform's name.
const NAME: &str = "web";
/// Titles longer than this are cut.
const MAX_TITLE: usize = 300;

/// The generic web module.
pub(crate) struct Web;

#[async_trait]
impl Crawler for Web {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&self, _link: &Url) -> Option<Form> {
        None
    }

    fn claims(&self, link: &Url) -> bool {
        is_fetchable(link)
    }

    async fn resolve(&self, link: &Url, visit: &Visit<'_>) -> Result<Resolved, CrawlError> {
        if hand_over::goes_at_once(link, visit) {
            return ytdlp::resolve(link, None, visit).await;
        }
        let (session, begun) = (Session::new(visit), Instant::now());
        match look_at(&session, link, Trail::default()).await {
            Err(error) if session.may_be_handed_over(&error) => hand_over::instead(link, visit, error, begun).await,
            answer => answer,
        }
    }

    async fn list(&self, source: &Url, request: &ListRequest, visit: &Visit<'_>) -> Result<Page, CrawlError> {
        source::page(source, request, visit).await
    }
}

/// How a URL was come by; bounds what may be followed from it.
#[derive(Debug, Clone, Copy, Default)]
struct Trail {
    refreshes: u8,
    embedded: bool,
    listed: bool,
}

/// Resolves whatever is at `url`.
async fn look_at(session: &Session<'_>, url: &Url, trail: Trail) -> Result<Resolved, CrawlError> {
    let mut response = session.look(url).await?;
    let mut kind = kinds::classify(&response);
    // Text that was served as media came with its head only.
    if response.truncated && !matches!(kind, Kind::Media(_)) && is_head(&response) {
        response = session.read(url).await?;
        kind = kinds::classify(&response);
    }
    match kind {
        Kind::Media(container) => Ok(direct::resolved(url, &response, container)),
        Kind::Playlist if list::is_hls(&response.body) => list::resolved(session, url, &response).await,
        Kind::Playlist | Kind::List if trail.listed => {
            Err(CrawlError::new(ErrorClass::NoMediaFound, "The playlist leads to another playlist."))
        }
        Kind::Playlist | Kind::List => {
            let entry = list::first_url(&response.body, &response.url)?;
            Box::pin(look_at(session, &entry, Trail { listed: true, ..trail })).await
        }
        Kind::Feed => episode::newest(feed::parse(&response.body, &response.url)?, url),
        Kind::Html => web_page::resolved(session, url, &response, trail).await,
        Kind::Dash => dash::resolved(url, &response),
        Kind::Empty if is_head(&response) => {
            Err(CrawlError::new(ErrorClass::EmptyMedia, "The file at this link has zero bytes."))
        }
        Kind::Empty => Err(CrawlError::new(ErrorClass::Blocked, "The site answered with nothing. Try again later.")),
        Kind::Other(what) => {
            Err(CrawlError::new(ErrorClass::NoMediaFound, format!("The link leads to {what}, not to audio or video.")))
        }
    }
}

fn is_head(response: &Response) -> bool {
    response.header("content-type").is_some_and(crate::is_media_type)
}

pub(crate) use html::duration_ms;

/// A title that is never empty.
fn title(found: Option<String>, url: &Url) -> String {
    found.or_else(|| filename::from_url(url)).unwrap_or_else(|| url.host_str().unwrap_or(NAME).to_owned())
}

/// Display text on one line, without control characters, not too long; `None` when nothing is left.
pub(crate) fn tidy(text: &str) -> Option<String> {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_TITLE * 4).collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    Some(words.join(" ").chars().take(MAX_TITLE).collect()).filter(|text: &String| !text.is_empty())
}

#[cfg(test)]
mod tests;
