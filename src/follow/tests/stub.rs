//! A site with one list on it, which changes as a test wants.

use std::sync::Mutex;

use async_trait::async_trait;
use chrono::{DateTime, Duration};
use crawlers::{Item, ListRequest, Page};
use tokio::sync::watch;

use crate::{
    crawl::{Lists, Named},
    error::{Error, Result},
};

/// The number of a page that fails, and how.
type Failure = (usize, fn() -> Error);

/// A list of posts, in pages.
pub(crate) struct Stub {
    pub size: usize,
    pub posts: Mutex<Vec<Item>>,
    /// The list's version: who knows it is told that nothing has changed.
    pub etag: Mutex<Option<String>>,
    /// The page that fails, with how.
    pub fails: Mutex<Option<Failure>>,
    /// What was asked, in order.
    pub asked: Mutex<Vec<ListRequest>>,
    /// Whether answers may go out.
    pub gate: watch::Sender<bool>,
    /// How many requests have come in.
    pub waiting: watch::Sender<usize>,
}

impl Default for Stub {
    fn default() -> Self {
        Self::of(Vec::new(), 10)
    }
}

impl Stub {
    /// Posts in the list's order, so many on a page.
    pub fn of(posts: Vec<Item>, size: usize) -> Self {
        Self {
            size,
            posts: Mutex::new(posts),
            etag: Mutex::default(),
            fails: Mutex::default(),
            asked: Mutex::default(),
            gate: watch::Sender::new(true),
            waiting: watch::Sender::new(0),
        }
    }

    /// Puts other posts in place of the list's.
    pub fn show(&self, posts: Vec<Item>) {
        *self.posts.lock().unwrap() = posts;
    }
}

/// A post of the day with this number; `pin-N` is pinned, `gone-N` was deleted.
pub(crate) fn post(name: &str) -> Item {
    let day = name.rsplit('-').next().and_then(|day| day.parse().ok()).unwrap_or(0);
    let id = format!("p{day}");
    Item {
        platform: "web".to_owned(),
        link: format!("https://example.com/{id}"),
        title: format!("Post {id}"),
        id,
        published_at: Some(DateTime::UNIX_EPOCH + Duration::days(day)),
        duration_ms: None,
        pinned: name.starts_with("pin-"),
        available: !name.starts_with("gone-"),
    }
}

#[async_trait]
impl Lists for Stub {
    fn name(&self, pasted: &str) -> Result<Named> {
        let link = crawlers::find_link(pasted).map_err(|error| crate::crawl::told(error).with_field("link"))?;
        Ok(Named { platform: "web".to_owned(), link: link.to_string(), key: link.path().to_owned() })
    }

    async fn page(&self, _: &str, request: &ListRequest) -> Result<Page> {
        self.asked.lock().unwrap().push(request.clone());
        self.waiting.send_modify(|count| *count += 1);
        let _ = self.gate.subscribe().wait_for(|open| *open).await;
        let number: usize = request.cursor.as_deref().map_or(0, |cursor| cursor.parse().unwrap());
        if let Some((_, error)) = self.fails.lock().unwrap().filter(|(page, _)| *page == number) {
            return Err(error());
        }
        let etag = self.etag.lock().unwrap().clone();
        if etag.is_some() && request.etag == etag {
            return Ok(Page { not_modified: true, etag, ..Page::default() });
        }
        let posts = self.posts.lock().unwrap();
        let items: Vec<Item> = posts.iter().skip(number * self.size).take(self.size).cloned().collect();
        let next = (posts.len() > (number + 1) * self.size).then(|| (number + 1).to_string());
        Ok(Page { title: Some("The list".to_owned()), items, next, etag, ..Page::default() })
    }
}
