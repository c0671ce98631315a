//! Lists of posts: of a person, a collection or a playlist.

mod person;
mod series;

use serde_json::Value;
use url::Url;

use super::{NAME, miss::Miss, parse, status};
use crate::{CrawlError, ErrorClass, Form, Item, LinkKind, ListRequest, Page, Visit, loose, ytdlp};

/// So many empty pages in a row are passed over when there is said to be more; then the list has ended.
const MAX_EMPTY_PAGES: usize = 3;

/// One page of the list that a link leads to.
pub(super) async fn list(
    link: &Url,
    form: &Form,
    request: &ListRequest,
    visit: &Visit<'_>,
) -> Result<Page, CrawlError> {
    let cursor = match request.cursor.as_deref().map(str::parse::<u64>) {
        None => None,
        Some(Ok(cursor)) => Some(cursor),
        Some(Err(_)) => {
            return Err(CrawlError::new(ErrorClass::InvalidLink, "The cursor is not one of TikTok's: it is a number."));
        }
    };
    let page = match (form.kind, form.part("user"), form.part("id")) {
        (LinkKind::User, Some(handle), _) => person::list(handle, form.part("sec"), cursor, visit).await,
        (LinkKind::List, _, Some(id)) => {
            let kind = if form.part("t") == Some("playlist") { series::PLAYLIST } else { series::COLLECTION };
            kind.list(link, id, cursor, visit).await
        }
        (LinkKind::Live, ..) => Err(Miss::answer(
            ErrorClass::LiveNotSupported,
            "The link leads to a live room, which is no list. Follow the link of the person instead.",
        )),
        _ => Err(Miss::answer(
            ErrorClass::NoMediaFound,
            "This link is not a list of posts that trawl can follow: use that of a person, a playlist or a collection.",
        )),
    };
    match page {
        Err(miss @ (Miss::Failed(_) | Miss::Doubt(_))) if cursor.is_none() && may_hand_over(visit) => {
            // Its cursors are not ours, so it tells the first page only.
            let handed_over = ytdlp::list(link, Some(NAME), request, visit).await;
            handed_over.map(|page| Page { next: None, ..page }).map_err(|_| miss.error())
        }
        page => page.map_err(Miss::error),
    }
}

/// Whether yt-dlp is there, and switched on for TikTok.
fn may_hand_over(visit: &Visit<'_>) -> bool {
    visit.external().is_some() && visit.chosen(&visit.settings.tiktok.strategies).any(|name| name == ytdlp::NAME)
}

/// The posts in an answer that really is a page of a list. An empty one may come without them, but says in `more` whether
/// there is another.
fn opened<'a>(body: &'a Value, more: &str) -> Result<&'a [Value], Miss> {
    let posts = loose::list(&body["itemList"]);
    if let Some(miss) = status::judge(body, !posts.is_empty()) {
        return Err(miss);
    }
    let is_list = match &body["itemList"] {
        Value::Array(_) => true,
        Value::Null => body.get(more).is_some(),
        _ => false,
    };
    let withheld = || Miss::failed(ErrorClass::Blocked, "TikTok answered without the list. Try again later.");
    is_list.then_some(posts).ok_or_else(withheld)
}

/// The posts of a page; `handle` is whose they are where they do not say.
fn items(posts: &[Value], handle: Option<&str>) -> Vec<Item> {
    posts.iter().filter_map(|post| item(post, handle)).collect()
}

fn item(post: &Value, handle: Option<&str>) -> Option<Item> {
    let known = parse::listed(post, handle)?;
    Some(Item {
        platform: NAME.to_owned(),
        link: known.page_url.to_string(),
        title: known.title,
        published_at: known.published_at,
        duration_ms: known.duration_ms,
        pinned: parse::is_pinned(post),
        available: parse::is_available(post),
        id: known.id,
    })
}

/// What people call the author of a page's posts.
fn nickname(posts: &[Value]) -> Option<String> {
    posts.iter().find_map(|post| loose::text(&post["author"]["nickname"])).map(str::to_owned)
}

fn looping() -> Miss {
    Miss::answer(ErrorClass::PagingLoop, "TikTok hands out the same page of the list again and again.")
}
