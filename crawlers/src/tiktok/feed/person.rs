//! A person's posts, the newest first.

use serde_json::Value;

use super::{MAX_EMPTY_PAGES, items, looping, nickname, opened};
use crate::{
    ErrorClass, Page, Rhythm, Visit, loose,
    tiktok::{NAME, html::script, miss::Miss, parse, status, web::Web},
};

/// How long the id behind a name is remembered: names change, ids do not.
const REMEMBERED_MS: u64 = 7 * 24 * 60 * 60 * 1_000;
/// Where the next page may begin when the last one does not tell.
const WEEK_MS: u64 = 7 * 24 * 60 * 60 * 1_000;
/// Nothing is older than TikTok.
const BEGINNING_MS: u64 = 1_472_706_000_000;

/// One page; the cursor is the time (ms) before which its posts were published. `sec` is the person's id where the link
/// tells it in place of the name.
pub(super) async fn list(
    handle: &str,
    sec: Option<&str>,
    cursor: Option<u64>,
    visit: &Visit<'_>,
) -> Result<Page, Miss> {
    let mut web = Web::new(visit, 0);
    let known = match sec {
        Some(sec) => Ok(sec.to_owned()),
        None => sec_uid(handle, &mut web, visit).await,
    };
    let listed = match known {
        Ok(sec_uid) => posts(&sec_uid, handle, cursor, &mut web, visit).await,
        Err(miss) => Err(miss),
    };
    if matches!(&listed, Err(Miss::Answer(error)) if error.class == ErrorClass::NotFound) {
        visit.memory.forget(&key(handle));
    }
    match listed {
        // The page for embedding has the newest posts only.
        Err(miss @ (Miss::Failed(_) | Miss::Doubt(_))) if cursor.is_none() => {
            embedded(handle, &mut web).await.map_err(|_| miss)
        }
        listed => listed,
    }
}

/// The id behind a name.
async fn sec_uid(handle: &str, web: &mut Web<'_>, visit: &Visit<'_>) -> Result<String, Miss> {
    let key = key(handle);
    let now_ms = visit.chance().now_ms();
    if let Some(known) = visit.memory.recall(&key, now_ms) {
        return Ok(known);
    }
    let html = web.page(Rhythm::List, "tiktok.person", &format!("/@{handle}")).await?;
    let (sec_uid, is_private) = read_sec_uid(&html, handle)?;
    if is_private && visit.identity(NAME).is_none() {
        return Err(Miss::answer(
            ErrorClass::Private,
            "The account is private: add the cookie of a browser whose user follows it.",
        ));
    }
    visit.memory.keep(&key, &sec_uid, now_ms + REMEMBERED_MS);
    Ok(sec_uid)
}

fn key(handle: &str) -> String {
    format!("tiktok.sec_uid {}", handle.to_ascii_lowercase())
}

/// The id, and whether the account is private.
fn read_sec_uid(html: &str, handle: &str) -> Result<(String, bool), Miss> {
    let withheld =
        || Miss::failed(ErrorClass::Blocked, "TikTok's page comes without the person's data. Try again later.");
    let data = script(html, "__UNIVERSAL_DATA_FOR_REHYDRATION__").ok_or_else(withheld)?;
    let data: Value = serde_json::from_str(data).map_err(|_| withheld())?;
    let detail = &data["__DEFAULT_SCOPE__"]["webapp.user-detail"];
    let user = &detail["userInfo"]["user"];
    let sec_uid = loose::text(&user["secUid"]);
    if let Some(miss) = status::judge(detail, sec_uid.is_some()) {
        return Err(miss);
    }
    if loose::text(&user["uniqueId"]).is_some_and(|name| !name.eq_ignore_ascii_case(handle)) {
        return Err(Miss::failed(ErrorClass::IdMismatch, "TikTok answered with another person's page."));
    }
    let is_private = ["privateAccount", "secret"].iter().any(|key| loose::is_on(&user[*key]));
    Ok((sec_uid.ok_or_else(withheld)?.to_owned(), is_private))
}

async fn posts(
    sec_uid: &str,
    handle: &str,
    cursor: Option<u64>,
    web: &mut Web<'_>,
    visit: &Visit<'_>,
) -> Result<Page, Miss> {
    let mut before = cursor.unwrap_or_else(|| visit.chance().now_ms());
    let mut empty = 0;
    let mut repeated = false;
    loop {
        let body = ask(sec_uid, before, web, visit).await?;
        let posts = opened(&body, "hasMorePrevious")?;
        // The first page begins with the present by our clock, which may be late.
        if cursor.is_some() && leads_nowhere(posts, before) {
            if repeated {
                return Err(looping());
            }
            // Every request comes from another device, which is what helps.
            repeated = true;
            continue;
        }
        let next = if loose::is_on(&body["hasMorePrevious"]) { next_cursor(posts, before) } else { None };
        if let (true, Some(next)) = (posts.is_empty(), next) {
            empty += 1;
            if empty < MAX_EMPTY_PAGES {
                before = next;
                continue;
            }
        }
        return Ok(Page {
            title: nickname(posts).or_else(|| cursor.is_none().then(|| format!("@{handle}"))),
            items: items(posts, Some(handle)),
            next: next.filter(|_| !posts.is_empty()).map(|next| next.to_string()),
            ..Page::default()
        });
    }
}

async fn ask(sec_uid: &str, before: u64, web: &mut Web<'_>, visit: &Visit<'_>) -> Result<Value, Miss> {
    let verify = format!("verify_{:07x}", visit.chance().below(1 << 28));
    let own =
        [("secUid", sec_uid), ("type", "1"), ("count", "15"), ("cursor", &before.to_string()), ("verifyFp", &verify)];
    web.api(Rhythm::List, "tiktok.posts", "/api/creator/item_list/", &own).await
}

/// Where the next page begins; none before there was a TikTok.
fn next_cursor(posts: &[Value], before: u64) -> Option<u64> {
    // Pinned posts stand first, so the last one is the oldest but on a page of pinned ones only.
    let last = posts.iter().rev().find(|post| !parse::is_pinned(post)).and_then(created_ms);
    let next = last.filter(|last| *last < before).unwrap_or_else(|| before.saturating_sub(WEEK_MS));
    (next >= BEGINNING_MS).then_some(next)
}

/// Whether a page that should begin at `before` goes no further back than that: an earlier page once more.
fn leads_nowhere(posts: &[Value], before: u64) -> bool {
    let times = || posts.iter().filter(|post| !parse::is_pinned(post)).map(created_ms);
    times().any(|time| time > Some(before)) && !times().any(|time| time < Some(before))
}

fn created_ms(post: &Value) -> Option<u64> {
    loose::number(&post["createTime"])?.checked_mul(1_000)
}

/// The posts of the page that other sites embed.
async fn embedded(handle: &str, web: &mut Web<'_>) -> Result<Page, Miss> {
    let path = format!("/embed/@{handle}");
    let html = web.page(Rhythm::List, "tiktok.embed", &path).await?;
    let data = script(&html, "__FRONTITY_CONNECT_STATE__").and_then(|data| serde_json::from_str::<Value>(data).ok());
    let data = data.unwrap_or_default();
    let posts = loose::list(&data["source"]["data"][&path]["videoList"]);
    let items = items(posts, Some(handle));
    if items.is_empty() {
        return Err(Miss::failed(ErrorClass::Blocked, "TikTok's page for embedding comes without posts."));
    }
    Ok(Page { title: nickname(posts).or_else(|| Some(format!("@{handle}"))), items, ..Page::default() })
}
