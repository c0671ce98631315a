//! Douyin: posts through several ways (each of them breaks at times), and the lists of a person, a mix or a sound.
//!
//! A post is known by its id alone; whether it is a video or pictures its data says, not the word in its link. An answer
//! counts only when it holds the id that was asked for: status 200 proves nothing here.

mod browser;
mod failures;
mod feed;
mod links;
mod parse;
mod share_page;
mod slidesinfo;
mod streams;
mod tikhub;
mod web_api;
mod web_detail;

use async_trait::async_trait;
use url::Url;

use crate::{
    CrawlError, Crawler, ErrorClass, Form, LinkKind, ListRequest, Page, Resolved, Strategy, Visit, chain,
    short_link::ShortLinks,
    ytdlp::{HandOver, HasPage},
};

/// The platform's name.
const NAME: &str = "douyin";
/// What every request and download says that it comes from.
const REFERER: &str = "https://www.douyin.com/";
/// Answers beyond this are not read.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Where short links may lead through.
const DOMAINS: [&str; 3] = ["douyin.com", "iesdouyin.com", "amemv.com"];

/// The Douyin module.
pub(crate) struct Douyin;

/// One post.
struct Post {
    id: String,
    /// The page that a person would open.
    page: Url,
    /// Whether its link calls it pictures. A hint: what looks like a video can be pictures and the other way round.
    is_note: bool,
}

impl Post {
    fn of(form: &Form) -> Option<Self> {
        let id = form.part("id").filter(|_| form.kind == LinkKind::Post)?;
        let is_note = matches!(form.part("t"), Some("note" | "slides" | "gallery"));
        Some(Self { id: id.to_owned(), page: links::page(id, is_note)?, is_note })
    }
}

impl HasPage for Post {
    fn page(&self) -> &Url {
        &self.page
    }

    fn post(&self) -> (&'static str, &str) {
        (NAME, &self.id)
    }
}

#[async_trait]
impl Crawler for Douyin {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&self, link: &Url) -> Option<Form> {
        links::read(link)
    }

    fn strategies(&self) -> Vec<&'static str> {
        ways().map(|way| way.name()).to_vec()
    }

    async fn resolve(&self, link: &Url, visit: &Visit<'_>) -> Result<Resolved, CrawlError> {
        let form = target(link, visit).await?;
        let Some(post) = Post::of(&form) else { return Err(no_post(form.kind)) };
        chain::run(NAME, &ways(), &visit.settings.douyin.strategies, &post, visit).await
    }

    async fn list(&self, source: &Url, request: &ListRequest, visit: &Visit<'_>) -> Result<Page, CrawlError> {
        feed::page(&target(source, visit).await?, request, visit).await
    }
}

/// The ways to a post; the settings say in which order they are tried.
fn ways() -> [&'static dyn Strategy<Post>; 5] {
    [&slidesinfo::SlidesInfo, &web_detail::WebDetail, &share_page::SharePage, &tikhub::TikHub, &HandOver]
}

/// What a link leads to; short links are followed.
async fn target(link: &Url, visit: &Visit<'_>) -> Result<Form, CrawlError> {
    let form = links::read(link).ok_or_else(|| no_post(LinkKind::Tag))?;
    if form.kind != LinkKind::Short {
        return Ok(form);
    }
    let user_agent = &visit.settings.douyin.mobile_user_agent;
    let links = ShortLinks { platform: NAME, domains: &DOMAINS, user_agent, read: links::read };
    links.follow(link, visit).await.map(|(_, form)| form)
}

fn no_post(kind: LinkKind) -> CrawlError {
    let (class, message) = match kind {
        LinkKind::Live => (
            ErrorClass::LiveNotSupported,
            "This is a live room, which has no end to wait for. Paste the link of its recording once there is one.",
        ),
        LinkKind::User | LinkKind::Mix | LinkKind::Music => (
            ErrorClass::NoMediaFound,
            "This link is a list of posts, not a post. Paste the link of one of them, or follow the list as a source.",
        ),
        _ => (ErrorClass::NoMediaFound, "This link does not lead to a post on Douyin."),
    };
    CrawlError::new(class, message)
}

#[cfg(test)]
mod tests;
