//! TikTok: posts in several ways, and the posts of people, collections and playlists.
//!
//! The video page and the web API say the same in the same words; the app's feed, TikHub and lists differ a little.
//! Status 200 proves nothing here: every answer is searched for the post that was asked for.

mod app_feed;
mod captions;
mod challenge;
mod feed;
mod html;
mod item_detail;
mod jar;
mod links;
mod miss;
mod oembed;
mod page;
mod paid;
mod parse;
mod status;
mod web;

use async_trait::async_trait;
use url::Url;

use crate::{
    CrawlError, Crawler, ErrorClass, Form, LinkKind, ListRequest, Page, Resolved, Strategy, Visit, chain,
    short_link::ShortLinks, ytdlp,
};

/// The platform's name.
const NAME: &str = "tiktok";
/// Where people see it.
const SITE: &str = "https://www.tiktok.com";
/// What makes the redirects of short links plain.
const PREVIEWER: &str = "facebookexternalhit/1.1";
const SHORT_LINKS: ShortLinks<'static> =
    ShortLinks { platform: NAME, domains: &["tiktok.com", "tiktokv.com"], user_agent: PREVIEWER, read: links::read };

/// Every way to a post.
const STRATEGIES: [&dyn Strategy<Post>; 6] =
    [&page::VideoPage, &item_detail::ItemDetail, &app_feed::AppFeed, &oembed::OEmbed, &paid::TikHub, &ytdlp::HandOver];

/// The platform.
pub(crate) struct TikTok;

/// One post, as far as its link tells.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Post {
    id: String,
    user: Option<String>,
    page: Url,
}

impl Post {
    /// The post that a link leads to.
    fn of(form: &Form) -> Option<Self> {
        let id = form.part("id").filter(|_| form.kind == LinkKind::Post)?;
        let user = form.part("user").map(str::to_owned);
        let mut post = Self { id: id.to_owned(), user, page: Url::parse(SITE).ok()? };
        post.page.set_path(&post.path());
        Some(post)
    }

    /// The path of its page. Pictures are found under `video`, too, and where nobody knows the user any name will do.
    fn path(&self) -> String {
        format!("/@{}/video/{}", self.user.as_deref().unwrap_or("_"), self.id)
    }
}

impl ytdlp::HasPage for Post {
    fn page(&self) -> &Url {
        &self.page
    }

    fn post(&self) -> (&'static str, &str) {
        (NAME, &self.id)
    }
}

#[async_trait]
impl Crawler for TikTok {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&self, link: &Url) -> Option<Form> {
        links::read(link)
    }

    fn strategies(&self) -> Vec<&'static str> {
        STRATEGIES.iter().map(|strategy| strategy.name()).collect()
    }

    async fn resolve(&self, link: &Url, visit: &Visit<'_>) -> Result<Resolved, CrawlError> {
        let (_, form) = arrived(link, visit).await?;
        let refused = |class, message| Err(CrawlError::new(class, message));
        let Some(post) = Post::of(&form) else {
            return match form.kind {
                LinkKind::Live => refused(
                    ErrorClass::LiveNotSupported,
                    "The link leads to a live room, which has no end to wait for. Paste a link to a recording.",
                ),
                LinkKind::User | LinkKind::List => refused(
                    ErrorClass::NoMediaFound,
                    "The link leads to a list of posts. Follow it as a source, or paste the link of one post.",
                ),
                _ => refused(ErrorClass::NoMediaFound, "The link leads to no post. Paste the link of one post."),
            };
        };
        chain::run(NAME, &STRATEGIES, &visit.settings.tiktok.strategies, &post, visit).await.map_err(oembed::corrected)
    }

    async fn list(&self, source: &Url, request: &ListRequest, visit: &Visit<'_>) -> Result<Page, CrawlError> {
        let (link, form) = arrived(source, visit).await?;
        feed::list(&link, &form, request, visit).await
    }
}

/// The link behind a short link, or the link itself.
async fn arrived(link: &Url, visit: &Visit<'_>) -> Result<(Url, Form), CrawlError> {
    match links::read(link) {
        Some(form) if form.kind == LinkKind::Short => SHORT_LINKS.follow(link, visit).await,
        Some(form) => Ok((link.clone(), form)),
        None => Err(CrawlError::new(ErrorClass::InvalidLink, "This is no link to a post of TikTok's.")),
    }
}

#[cfg(test)]
mod tests;
