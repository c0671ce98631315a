//! Lists of posts.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::site::{SEC_UID, answer, entry, fixture, platform, query};
use crate::{
    CrawlError, Crawlers, ErrorClass, ListRequest, Page, Request, Response, With,
    stub::{Stub, crawlers, hasty, said},
    ytdlp::tests::program::Program,
};

const PERSON: &str = "https://www.tiktok.com/@weekly.wren";
const PLAYLIST: &str = "https://www.tiktok.com/@weekly.wren/playlist/Best%20of-7611111111111118001";

async fn list<F>(link: &str, cursor: Option<&str>, stub: &Stub<F>) -> Result<Page, CrawlError>
where
    F: Fn(&Request) -> Response + Send + Sync,
{
    crawlers().list(link, &after(cursor), stub.with()).await
}

fn after(cursor: Option<&str>) -> ListRequest {
    ListRequest { cursor: cursor.map(str::to_owned), ..ListRequest::default() }
}

fn ids(page: &Page) -> Vec<&str> {
    page.items.iter().map(|item| &item.id[15..]).collect()
}

fn posts(from: u64, to: u64) -> Value {
    (from..to)
        .map(|n| json!({"id": format!("{}", 7_611_111_111_111_113_000 + n), "createTime": 1_793_500_000 - n}))
        .collect()
}

#[tokio::test]
async fn a_persons_posts_come_page_by_page_and_the_id_is_remembered() {
    let stub = Stub::new(platform);
    let crawlers = crawlers();
    let first = crawlers.list(PERSON, &after(None), stub.with()).await.unwrap();
    assert_eq!((ids(&first), first.title.as_deref()), (vec!["3005", "3004"], Some("Wren Plans")));
    let item = &first.items[0];
    assert_eq!(item.link, "https://www.tiktok.com/@weekly.wren/video/7611111111111113005");
    assert_eq!(
        (item.title.as_str(), item.pinned, item.available, item.duration_ms),
        ("post 05", false, true, Some(30_000))
    );
    assert_eq!(item.published_at.unwrap().timestamp(), 1_793_590_000);
    let next = crawlers.list(PERSON, &after(first.next.as_deref()), stub.with()).await.unwrap();
    assert_eq!((ids(&next), next.next.as_deref()), (vec!["3004", "3003"], None));
    let pages = stub.asked().iter().filter(|url| url.starts_with("https://www.tiktok.com/@")).count();
    assert_eq!(pages, 1, "the page is asked once for days");
}

#[tokio::test]
async fn a_person_may_be_named_by_the_id_that_stays() {
    let sec = format!("MS4wLjABAAAA{}", "x".repeat(64));
    let stub = Stub::new(|request: &Request| match request.url.path() {
        "/api/creator/item_list/" => said(200, &[], json!({"itemList": posts(0, 2)}).to_string()),
        path => panic!("{path} is not needed"),
    });
    for link in [format!("tiktokuser:{sec}"), format!("https://www.tiktok.com/@{sec}?lang=en")] {
        assert_eq!(list(&link, None, &stub).await.unwrap().items.len(), 2, "{link}");
    }
    assert!(stub.asked().iter().all(|url| url.contains(&format!("secUid={sec}&"))), "{:?}", stub.asked());
}

#[tokio::test]
async fn a_page_that_comes_again_is_asked_for_once_more() {
    let stub = Stub::new(|request: &Request| match request.url.path() {
        "/api/creator/item_list/" => answer(&entry("creator_item_list_page1.json")),
        _ => platform(request),
    });
    for cursor in ["1793400000000", "1793500000000"] {
        let error = list(PERSON, Some(cursor), &stub).await.unwrap_err();
        assert_eq!(error.class, ErrorClass::PagingLoop);
    }
    let devices: Vec<_> = stub.requests().iter().filter_map(|request| query(request, "device_id")).collect();
    assert!(devices.len() == 4 && devices[0] != devices[1], "{devices:?}");
    let on = list(PERSON, Some("1793550000000"), &stub).await.unwrap();
    assert_eq!((ids(&on), on.next.as_deref()), (vec!["3005", "3004"], Some("1793500000000")), "it goes on");
}

#[tokio::test]
async fn what_is_no_page_is_not_taken_for_an_empty_one() {
    for (said_so, is_page) in [
        (json!({"statusCode": 0}), false),
        (json!([]), false),
        (json!({"itemList": 7, "hasMore": false, "hasMorePrevious": false}), false),
        (json!({"itemList": {"0": {}}, "hasMore": true, "hasMorePrevious": true}), false),
        (json!({"itemList": []}), true),
        (json!({"itemList": null, "hasMore": false, "hasMorePrevious": false}), true),
        (json!({"hasMore": 0, "hasMorePrevious": 0}), true),
    ] {
        let stub = Stub::new(|request: &Request| match request.url.path() {
            "/api/creator/item_list/" | "/api/mix/item_list/" => said(200, &[], said_so.to_string()),
            path if path.starts_with("/embed/") => said(200, &[], ""),
            _ => platform(request),
        });
        for link in [PERSON, PLAYLIST] {
            match list(link, None, &stub).await {
                Ok(page) => assert!(is_page && page.items.is_empty() && page.next.is_none(), "{link}: {said_so}"),
                Err(error) => assert!(!is_page && error.class == ErrorClass::Blocked, "{link}: {said_so}: {error}"),
            }
        }
    }
}

#[tokio::test]
async fn empty_pages_end() {
    let stub = Stub::new(|request: &Request| match request.url.path() {
        "/api/creator/item_list/" => said(200, &[], r#"{"itemList":null,"hasMorePrevious":1}"#),
        _ => platform(request),
    });
    let page = list(PERSON, None, &stub).await.unwrap();
    assert_eq!((page.items.len(), page.next), (0, None));
    assert_eq!(stub.requests().len(), 4);
}

#[tokio::test]
async fn a_pinned_post_does_not_move_the_cursor() {
    let stub = Stub::new(|request: &Request| match request.url.path() {
        "/api/creator/item_list/" => {
            let mut list = posts(1, 3);
            list.as_array_mut()
                .unwrap()
                .insert(0, json!({"id": "1", "createTime": 1_600_000_000, "isPinnedItem": true, "takeDown": 1}));
            list.as_array_mut().unwrap().push(json!({"id": "2", "createTime": 1_600_000_000, "isPinnedItem": true}));
            said(200, &[], json!({"itemList": list, "hasMorePrevious": true}).to_string())
        }
        _ => platform(request),
    });
    let page = list(PERSON, None, &stub).await.unwrap();
    assert_eq!(page.next.as_deref(), Some("1793499998000"));
    assert!(page.items[0].pinned && !page.items[0].available && page.items[1].available);
}

#[tokio::test]
async fn the_page_for_embedding_stands_in() {
    let embed = json!({"source": {"data": {"/embed/@weekly.wren": {"videoList": posts(1, 4)}}}});
    let embed = format!("<script id=\"__FRONTITY_CONNECT_STATE__\" type=\"application/json\">{embed}</script>");
    let stub = Stub::new(|request: &Request| match request.url.path() {
        "/embed/@weekly.wren" => said(200, &[], embed.clone()),
        _ => said(200, &[], ""),
    });
    let page = list(PERSON, None, &stub).await.unwrap();
    assert_eq!((ids(&page), page.next.as_deref()), (vec!["3001", "3002", "3003"], None));
    assert_eq!(page.items[0].link, "https://www.tiktok.com/@weekly.wren/video/7611111111111113001");
    let error = list(PERSON, Some("1793400000000"), &stub).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Blocked, "it has the first page only");
}

#[tokio::test]
async fn yt_dlp_stands_in_last() {
    let stub = Stub::new(|_: &Request| said(200, &[], ""));
    let dump = json!({"_type": "playlist", "title": "weekly.wren", "entries": [{"id": "7611111111111113001", "title": "x",
        "url": "https://www.tiktok.com/@weekly.wren/video/7611111111111113001"}]});
    let program = Program::says(0, &dump.to_string(), "");
    let with = With { external: Some(&program), ..stub.with() };
    let page = crawlers().list(PERSON, &after(None), with).await.unwrap();
    assert_eq!((ids(&page), page.next.as_deref()), (vec!["3001"], None));
    assert_eq!(program.asked()[0].0, PERSON);
    let error = crawlers().list(PERSON, &after(Some("1793400000000")), with).await.unwrap_err();
    assert_eq!((error.class, program.asked().len()), (ErrorClass::Blocked, 1), "its cursors are others");
    let mut settings = hasty();
    settings.tiktok.strategies.retain(|name| name != "ytdlp");
    Crawlers::new(settings).unwrap().list(PERSON, &after(None), with).await.unwrap_err();
    assert_eq!(program.asked().len(), 1, "it is switched off");
}

#[tokio::test]
async fn people_who_are_not_there_or_private_say_so() {
    for (status, class) in
        [(10_221, ErrorClass::NotFound), (10_202, ErrorClass::NotFound), (10_222, ErrorClass::Private)]
    {
        let page = fixture("tiktok/user_page.html")
            .replace(SEC_UID, "")
            .replace("\"statusCode\":0", &format!("\"statusCode\":{status}"));
        let stub = Stub::new(|_: &Request| said(200, &[], page.clone()));
        assert_eq!(list(PERSON, None, &stub).await.unwrap_err().class, class);
        assert_eq!(stub.requests().len(), 1);
    }
    let private = fixture("tiktok/user_page.html").replace("\"privateAccount\":false", "\"privateAccount\":true");
    let stub = Stub::new(|_: &Request| said(200, &[], private.clone()));
    assert_eq!(list(PERSON, None, &stub).await.unwrap_err().class, ErrorClass::Private);
    let stub = Stub::new(platform);
    assert_eq!(list("https://www.tiktok.com/@another", None, &stub).await.unwrap_err().class, ErrorClass::NotFound);
}

#[tokio::test]
async fn playlists_and_collections_are_counted() {
    let stub = Stub::new(|request: &Request| {
        let at: u64 = query(request, "cursor").unwrap().parse().unwrap();
        let body = json!({"itemList": posts(at, at + 30), "hasMore": at < 30, "cursor": (at + 30).to_string()});
        said(200, &[], body.to_string())
    });
    let page = list(PLAYLIST, None, &stub).await.unwrap();
    assert_eq!((page.title.as_deref(), page.items.len(), page.next.as_deref()), (Some("Best of"), 30, Some("30")));
    assert_eq!(list(PLAYLIST, Some("30"), &stub).await.unwrap().next, None);
    let collection = "https://www.tiktok.com/@weekly.wren/collection/x-7611111111111118002";
    list(collection, None, &stub).await.unwrap();
    let asked = stub.requests();
    assert_eq!(
        (asked[0].url.path(), query(&asked[0], "mixId").as_deref()),
        ("/api/mix/item_list/", Some("7611111111111118001"))
    );
    assert_eq!(
        (asked[2].url.path(), query(&asked[2], "collectionId").as_deref()),
        ("/api/collection/item_list/", Some("7611111111111118002"))
    );
}

#[tokio::test]
async fn a_playlist_that_goes_round_ends() {
    let turns = AtomicUsize::new(0);
    let forever = |_: &Request| {
        let turn = turns.fetch_add(1, Ordering::Relaxed);
        said(200, &[], json!({"itemList": posts(0, 30), "hasMore": 1, "cursor": 30 * (turn + 1)}).to_string())
    };
    let stub = Stub::new(forever);
    let crawlers = crawlers();
    let first = crawlers.list(PLAYLIST, &after(None), stub.with()).await.unwrap();
    let error = crawlers.list(PLAYLIST, &after(first.next.as_deref()), stub.with()).await.unwrap_err();
    assert_eq!((error.class, stub.requests().len()), (ErrorClass::PagingLoop, 3));
    crawlers.list(PLAYLIST, &after(None), stub.with()).await.unwrap();

    // A page that is asked for again, because what it led to was lost, is no circle.
    let steady = Stub::new(|_: &Request| {
        said(200, &[], json!({"itemList": posts(30, 60), "hasMore": 1, "cursor": 60}).to_string())
    });
    for _ in 0..2 {
        let again = crawlers.list(PLAYLIST, &after(Some("30")), steady.with()).await.unwrap();
        assert_eq!(again.next.as_deref(), Some("60"));
    }

    let stuck = Stub::new(|_: &Request| {
        said(200, &[], json!({"itemList": posts(0, 2), "hasMore": 1, "cursor": 0}).to_string())
    });
    let page = list(PLAYLIST, None, &stuck).await.unwrap();
    assert_eq!((page.items.len(), page.next), (2, None), "cursor 0 leads nowhere");
}

#[tokio::test]
async fn what_is_no_list_is_refused() {
    let stub = Stub::new(|request: &Request| panic!("{}", request.url));
    for link in ["https://www.tiktok.com/@a/video/7611111111111111111", "https://www.tiktok.com/tag/tea"] {
        assert_eq!(list(link, None, &stub).await.unwrap_err().class, ErrorClass::NoMediaFound);
    }
    let live = list("https://www.tiktok.com/@a/live", None, &stub).await.unwrap_err();
    assert_eq!(live.class, ErrorClass::LiveNotSupported);
    assert_eq!(list(PERSON, Some("x"), &stub).await.unwrap_err().class, ErrorClass::InvalidLink);
}
