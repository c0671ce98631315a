//! Collections and playlists: posts in an order that somebody chose.

use serde_json::Value;
use sha2::{Digest, Sha256};
use url::Url;

use super::{MAX_EMPTY_PAGES, items, looping, opened};
use crate::{
    Page, Rhythm, Visit, loose,
    tiktok::{miss::Miss, web::Web},
};

/// How long the last page of a list is remembered, to tell when it comes again.
const REMEMBERED_MS: u64 = 60 * 60 * 1_000;

/// One of the two sorts.
pub(super) struct Series {
    path: &'static str,
    id: &'static str,
    more: Option<(&'static str, &'static str)>,
}

pub(super) const COLLECTION: Series =
    Series { path: "/api/collection/item_list/", id: "collectionId", more: Some(("sourceType", "113")) };
pub(super) const PLAYLIST: Series = Series { path: "/api/mix/item_list/", id: "mixId", more: None };

impl Series {
    /// One page; the cursor is the number of posts before it.
    pub(super) async fn list(
        &self,
        link: &Url,
        id: &str,
        cursor: Option<u64>,
        visit: &Visit<'_>,
    ) -> Result<Page, Miss> {
        let mut web = Web::new(visit, 0);
        let mut at = cursor.unwrap_or(0);
        let key = format!("tiktok.page {} {id}", self.id);
        let mut empty = 0;
        let mut repeated = false;
        loop {
            let body = self.ask(id, at, &mut web).await?;
            let posts = opened(&body, "hasMore")?;
            let next = loose::number(&body["cursor"]).filter(|next| *next > 0 && loose::is_on(&body["hasMore"]));
            let (now_ms, shown) = (visit.chance().now_ms(), digest(posts));
            let last = visit.memory.recall(&key, now_ms);
            // The same place may well be asked for twice, and then shows the same.
            let is_known = at > 0
                && !posts.is_empty()
                && last
                    .as_deref()
                    .and_then(|last| last.split_once(' '))
                    .is_some_and(|(place, posts)| place != at.to_string() && posts == shown);
            if is_known || next.is_some_and(|next| next <= at) {
                if repeated {
                    return Err(looping());
                }
                // Every request comes from another device, which is what helps.
                repeated = true;
                continue;
            }
            if let (true, Some(next)) = (posts.is_empty(), next) {
                empty += 1;
                if empty < MAX_EMPTY_PAGES {
                    at = next;
                    continue;
                }
            }
            visit.memory.keep(&key, &format!("{at} {shown}"), now_ms + REMEMBERED_MS);
            return Ok(Page {
                title: title(link, id),
                items: items(posts, None),
                next: next.filter(|_| !posts.is_empty()).map(|next| next.to_string()),
                ..Page::default()
            });
        }
    }

    async fn ask(&self, id: &str, at: u64, web: &mut Web<'_>) -> Result<Value, Miss> {
        let at = at.to_string();
        let own: Vec<_> = [(self.id, id), ("count", "30"), ("cursor", &at)].into_iter().chain(self.more).collect();
        web.api(Rhythm::List, "tiktok.series", self.path, &own).await
    }
}

/// What tells a page from others: its posts in their order.
fn digest(posts: &[Value]) -> String {
    let mut hash = Sha256::new();
    for id in posts.iter().filter_map(|post| loose::id(&post["id"])) {
        hash.update(id);
        hash.update(b" ");
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The name of the list, which stands in its link before its id.
fn title(link: &Url, id: &str) -> Option<String> {
    let (slug, _) = link.path().split_once(id)?;
    let slug = slug.rsplit('/').next()?.strip_suffix('-')?;
    let decoded = url::form_urlencoded::parse(slug.as_bytes()).next()?.0;
    Some(decoded.trim().to_owned()).filter(|title| !title.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_list_stands_in_its_link() {
        let name = |link: &str| title(&Url::parse(link).unwrap(), "7611111111111118001");
        let link = "https://www.tiktok.com/@weekly.wren/playlist/Best%20of-7611111111111118001?x=1";
        assert_eq!(name(link).as_deref(), Some("Best of"));
        assert_eq!(name("https://www.tiktok.com/@weekly.wren/playlist/7611111111111118001"), None);
    }
}
