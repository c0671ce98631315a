//! What a platform module is.

use async_trait::async_trait;
use serde::Serialize;
use url::Url;

use crate::{CrawlError, ErrorClass, ListRequest, Page, Resolved, Visit};

/// What a link of a platform leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// A short link, which redirects to one of the others.
    Short,
    /// One post.
    Post,
    /// A person's or a channel's posts.
    User,
    /// Douyin's name for a list of posts.
    Mix,
    /// A playlist or collection.
    List,
    /// The posts that use a sound.
    Music,
    /// The posts with a hashtag.
    Tag,
    /// A live room.
    Live,
}

/// A link as its platform reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Form {
    /// What it leads to.
    pub kind: LinkKind,
    /// What was read out of it, by name: `id`, `code`, `user`, `sec`, `t` (the path's word for the post), `room`, …
    pub parts: Vec<(&'static str, String)>,
}

impl Form {
    /// One of the parts.
    pub fn part(&self, name: &str) -> Option<&str> {
        self.parts.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }
}

/// One platform: knows its own links, turns one of them into media, and lists the posts behind others.
#[async_trait]
pub trait Crawler: Send + Sync {
    /// The platform's name, as stored with the media; unique among [`crate::Crawlers::all`].
    fn name(&self) -> &'static str;

    /// Reads a link of the platform's; none when it is not one. Answers from the link alone.
    fn read(&self, link: &Url) -> Option<Form>;

    /// Whether this link is for this module. Usually those that it can read.
    fn claims(&self, link: &Url) -> bool {
        self.read(link).is_some()
    }

    /// The names of its strategies, whether or not they are switched on; a platform with one way has none.
    fn strategies(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// Says which media the link stands for and where its bytes are.
    async fn resolve(&self, link: &Url, visit: &Visit<'_>) -> Result<Resolved, CrawlError>;

    /// One page of the list that the link stands for. The first one when nothing is asked for.
    async fn list(&self, _source: &Url, _request: &ListRequest, _visit: &Visit<'_>) -> Result<Page, CrawlError> {
        Err(CrawlError::new(ErrorClass::NoMediaFound, "This link is not a list of posts that trawl can follow."))
    }
}
