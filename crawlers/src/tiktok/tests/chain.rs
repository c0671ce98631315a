//! One way after the other.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::site::{ID, LINK, answer, entry, fixture, platform, query};
use crate::{
    CrawlError, Crawlers, Ending, ErrorClass, Identity, Request, Resolved, Response, With,
    stub::{Stub, crawlers, hasty, header, said},
    ytdlp::tests::program::Program,
};

async fn resolve(answer: impl Fn(&Request) -> Response + Send + Sync) -> (Result<Resolved, CrawlError>, Vec<String>) {
    let stub = Stub::new(answer);
    let found = crawlers().resolve(LINK, stub.with()).await;
    (found, stub.requests().iter().map(|request| request.url.path().to_owned()).collect())
}

fn is_page(request: &Request) -> bool {
    request.url.path().starts_with("/@")
}

#[tokio::test]
async fn another_browser_is_tried_once() {
    let stub = Stub::new(|request: &Request| {
        let is_first = header(request, "User-Agent").unwrap().contains("Firefox");
        if is_first { answer(&entry("maintenance.html")) } else { platform(request) }
    });
    let found = crawlers().resolve(LINK, stub.with()).await.unwrap();
    assert_eq!((found.strategy.as_str(), stub.requests().len()), ("page", 2));
    let agents: Vec<_> = found.candidates[0].headers.iter().filter(|(name, _)| name == "User-Agent").collect();
    assert!(agents.len() == 1 && agents[0].1.contains("Chrome"), "what the URLs were shown to downloads them");
}

#[tokio::test]
async fn gone_counts_when_a_second_way_says_so() {
    let gone = |request: &Request| match request.url.path() {
        path if path.starts_with("/@") => answer(&entry("video_page_status_10204.html")),
        "/api/item/detail/" => answer(&entry("item_detail_10204.json")),
        path => panic!("{path}"),
    };
    let (found, asked) = resolve(gone).await;
    let error = found.unwrap_err();
    assert_eq!((error.class, asked.len()), (ErrorClass::NotFound, 2));
    assert_eq!(error.attempts.iter().map(|one| one.ending).collect::<Vec<_>>(), [Ending::Failed, Ending::Answer]);

    let doubtful = |request: &Request| match is_page(request) {
        true => answer(&entry("video_page_status_10204.html")),
        false => platform(request),
    };
    assert_eq!(resolve(doubtful).await.0.unwrap().strategy, "item_detail");
}

#[tokio::test]
async fn an_interface_that_is_gone_says_nothing_about_the_post() {
    let (found, _) = resolve(|request: &Request| match is_page(request) {
        true => answer(&entry("video_page_status_10204.html")),
        false => said(404, &[], ""),
    })
    .await;
    let attempts = found.unwrap_err().attempts;
    assert_eq!(attempts[1].class, Some(ErrorClass::Blocked), "item_detail");
    assert_eq!(attempts[3].class, Some(ErrorClass::NotFound), "oembed");
}

#[tokio::test]
async fn what_yt_dlp_complains_of_comes_last_and_is_not_the_identitys_fault() {
    let identity =
        Identity { id: "1".into(), platform: "tiktok".into(), cookie: "sessionid=x".into(), user_agent: "U".into() };
    let program = Program::says(1, "", "ERROR: [TikTok] 1: TikTok is requiring login for access");
    let stub = Stub::new(|_: &Request| said(200, &[], ""));
    let with = With { external: Some(&program), ..stub.as_whom(&identity) };
    let error = crawlers().resolve(LINK, with).await.unwrap_err();
    let last = error.attempts.last().unwrap();
    assert_eq!((last.strategy.as_str(), last.class), ("ytdlp", Some(ErrorClass::LoginRequired)));
    assert!(!last.identity && error.attempts[0].identity);
    assert_eq!(error.class, ErrorClass::Blocked, "what the platform itself has said");
}

#[tokio::test]
async fn a_private_post_ends_the_search() {
    let (found, asked) = resolve(|_| answer(&entry("video_page_status_10216.html"))).await;
    assert_eq!((found.unwrap_err().class, asked.len()), (ErrorClass::Private, 1));
}

#[tokio::test]
async fn a_post_that_exists_is_told_from_one_that_does_not() {
    let withheld = |oembed: Response| {
        move |request: &Request| match request.url.path() {
            "/oembed" => oembed.clone(),
            path if path.starts_with("/@") => answer(&entry("maintenance.html")),
            _ => said(200, &[], ""),
        }
    };
    let (found, asked) = resolve(withheld(answer(&entry("oembed.json")))).await;
    let error = found.unwrap_err();
    assert!(error.retryable() && error.class == ErrorClass::Blocked, "{error:?}");
    let last = error.attempts.iter().find(|one| one.strategy == "oembed").unwrap();
    assert!(last.message.as_ref().unwrap().contains("exists"));
    assert_eq!(error.attempts.iter().filter(|one| one.ending == Ending::Skipped).count(), 2, "no key, no program");
    let both = [format!("/@weekly.wren/video/{ID}"), format!("/@weekly.wren/video/{ID}")];
    let rest = ["/api/item/detail/", "/aweme/v1/feed/", "/aweme/v1/feed/", "/oembed"];
    assert_eq!(asked, both.iter().map(String::as_str).chain(rest).collect::<Vec<_>>());

    let (found, _) = resolve(withheld(said(400, &[], r#"{"code":400}"#))).await;
    assert_eq!(found.unwrap_err().class, ErrorClass::NotFound);
    // What is called gone, but known to pages that embed it, is withheld.
    let (found, _) = resolve(|request: &Request| match request.url.path() {
        "/oembed" => answer(&entry("oembed.json")),
        path if path.starts_with("/@") => answer(&entry("video_page_status_10204.html")),
        _ => said(200, &[], ""),
    })
    .await;
    assert_eq!(found.unwrap_err().class, ErrorClass::Blocked);
    let (found, _) = resolve(withheld(said(200, &[], r#"{"embed_product_id":"1","title":"x"}"#))).await;
    let error = found.unwrap_err();
    assert_eq!(error.attempts[3].class, Some(ErrorClass::IdMismatch));
}

#[tokio::test]
async fn a_challenge_that_comes_again_is_given_up() {
    let stub = Stub::new(|_: &Request| answer(&entry("challenge_73194.html")));
    let with = With { only: Some("page"), ..stub.with() };
    let error = crawlers().resolve(LINK, with).await.unwrap_err();
    assert_eq!((error.class, stub.requests().len()), (ErrorClass::Captcha, 2));
}

#[tokio::test]
async fn an_identity_is_for_the_web_site_alone() {
    let identity = Identity {
        id: "1".into(),
        platform: "tiktok".into(),
        cookie: "sessionid=secret; msToken=realToken".into(),
        user_agent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Mine/1".into(),
    };
    let stub = Stub::new(|request: &Request| match request.url.path() {
        "/aweme/v1/feed/" => platform(request),
        _ => said(200, &[("Set-Cookie", "ttwid=1; Path=/")], ""),
    });
    let found = crawlers().resolve(LINK, stub.as_whom(&identity)).await.unwrap();
    assert_eq!(found.strategy, "app_feed");
    for request in stub.requests() {
        let is_web = request.url.host_str() == Some("www.tiktok.com");
        assert_eq!(header(&request, "Cookie").is_some_and(|cookie| cookie.contains("secret")), is_web);
        assert_eq!(header(&request, "User-Agent") == Some(&*identity.user_agent), is_web);
        if request.url.path() == "/api/item/detail/" {
            assert_eq!(query(&request, "msToken").as_deref(), Some("realToken"));
            assert_eq!(query(&request, "browser_platform").as_deref(), Some("MacIntel"));
        }
    }
    assert_eq!(stub.requests().len(), 3, "an identity's user agent is never changed");

    let stub = Stub::new(platform);
    let with = With { only: Some("item_detail"), ..stub.as_whom(&identity) };
    assert_eq!(crawlers().resolve(LINK, with).await.unwrap().strategy, "item_detail");
}

#[tokio::test]
async fn cookies_never_follow_a_redirect_to_another_host() {
    let away = |request: &Request| match request.url.host_str() {
        Some("www.tiktok.com") => said(302, &[("Location", "https://evil.example/@a/video/1")], ""),
        _ => said(200, &[], ""),
    };
    let stub = Stub::new(away);
    let with = With { only: Some("page"), ..stub.with() };
    assert_eq!(crawlers().resolve(LINK, with).await.unwrap_err().class, ErrorClass::Blocked);
    assert!(stub.asked().iter().all(|url| url.starts_with("https://www.tiktok.com/")));
}

#[tokio::test]
async fn a_page_that_has_moved_on_the_site_is_followed_and_circles_end() {
    let old = "https://www.tiktok.com/@old.name/video/7611111111111111111";
    let stub = Stub::new(|request: &Request| match request.url.path().starts_with("/@old") {
        true => said(301, &[("Location", "//www.tiktok.com/@weekly.wren/video/7611111111111111111?is_from=1")], ""),
        false => platform(request),
    });
    assert_eq!(crawlers().resolve(old, stub.with()).await.unwrap().strategy, "page");

    let turns = AtomicUsize::new(0);
    let circles = |_: &Request| {
        let turn = turns.fetch_add(1, Ordering::Relaxed);
        said(302, &[("Location", &*format!("/@a/video/7611111111111111111?{turn}"))], "")
    };
    let stub = Stub::new(circles);
    let with = With { only: Some("page"), ..stub.with() };
    assert_eq!(crawlers().resolve(LINK, with).await.unwrap_err().class, ErrorClass::Blocked);
    assert!(stub.requests().len() <= 8);
}

#[tokio::test]
async fn tikhub_speaks_either_language() {
    let mut settings = hasty();
    settings.tikhub.key = "key".into();
    let crawlers = Crawlers::new(settings).unwrap();
    let web: serde_json::Value = serde_json::from_str(&fixture("tiktok/item_detail.json")).unwrap();
    let app: serde_json::Value = serde_json::from_str(&fixture("tiktok/app_feed.json")).unwrap();
    let post = &app["aweme_list"][0];
    for data in [web, serde_json::json!({"aweme_detail": post}), serde_json::json!({"aweme_details": [post]})] {
        let stub = Stub::new(|request: &Request| {
            assert_eq!(query(request, "aweme_id").as_deref(), Some(ID));
            said(200, &[], serde_json::json!({"code": 200, "data": data}).to_string())
        });
        let found = crawlers.resolve(LINK, With { only: Some("tikhub"), ..stub.with() }).await.unwrap();
        assert_eq!((found.id.as_str(), found.strategy.as_str()), (ID, "tikhub"));
    }
}

#[tokio::test]
async fn yt_dlp_is_handed_the_page() {
    let program = Program::says(1, "", "ERROR: [TikTok] 7611111111111111111: TikTok is requiring login for access");
    let stub = Stub::new(|_: &Request| said(200, &[], ""));
    let with = With { external: Some(&program), only: Some("ytdlp"), ..stub.with() };
    let error = crawlers().resolve("https://m.tiktok.com/v/7611111111111111111.html", with).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::LoginRequired);
    assert_eq!(program.asked(), [(format!("https://www.tiktok.com/@_/video/{ID}"), None)]);
}

#[tokio::test]
async fn short_links_are_asked_for_as_a_previewer_and_posts_as_a_browser() {
    let stub = Stub::new(platform);
    let pasted = "https://vm.tiktok.com/ZMinvent1/，好看";
    assert_eq!(crawlers().resolve(pasted, stub.with()).await.unwrap().id, ID);
    let agents: Vec<_> = stub.requests().iter().map(|one| header(one, "User-Agent").unwrap().to_owned()).collect();
    assert!(agents.len() == 2 && agents[0] == "facebookexternalhit/1.1" && agents[1].contains("Firefox"), "{agents:?}");
}

#[tokio::test]
async fn links_that_are_no_posts_say_what_they_are() {
    let stub = Stub::new(|request: &Request| panic!("{}", request.url));
    for (link, class) in [
        ("https://www.tiktok.com/@a/live", ErrorClass::LiveNotSupported),
        ("https://www.tiktok.com/@a", ErrorClass::NoMediaFound),
        ("https://www.tiktok.com/@a/playlist/x-7611111111111118001", ErrorClass::NoMediaFound),
        ("https://www.tiktok.com/music/x-7611111111111115001", ErrorClass::NoMediaFound),
        ("https://www.tiktok.com/tag/tea", ErrorClass::NoMediaFound),
    ] {
        assert_eq!(crawlers().resolve(link, stub.with()).await.unwrap_err().class, class, "{link}");
    }
}
