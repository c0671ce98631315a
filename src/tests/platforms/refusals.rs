//! What leads nowhere: redirects into the network behind the daemon, deleted posts, and closed doors on every side.

use poem::Response;
use serde_json::json;

use super::{
    Scene, tried,
    world::{Asked, World, capture, json as answer, missing, page, to, with_cookie},
};

const DETAIL: &str = "/aweme/v1/web/aweme/detail/";
const HOSTS: &[&str] = &[
    "www.douyin.com",
    "www.iesdouyin.com",
    "ttwid.bytedance.com",
    "www.tiktok.com",
    "api22-normal-c-alisg.tiktokv.com",
];

#[tokio::test(flavor = "multi_thread")]
async fn redirects_do_not_lead_behind_the_daemon() {
    // Loopback, but not the address that the tests' daemon may ask.
    let private = World::at("127.0.0.2:0", &[], |_| page("secret")).await;
    let inside = private.url.clone();
    let hosts = &["v.douyin.com", "vm.tiktok.com", "short.example"];
    let world = World::start(hosts, move |asked| match asked.path.trim_matches('/') {
        "ZMmeta001" => to("http://169.254.169.254/latest/meta-data/"),
        _ => to(&format!("{inside}/admin")),
    });
    let scene = Scene::set(world.await, "").await;
    for (host, refused) in [
        ("v.douyin.com", "redirect_refused"),
        ("vm.tiktok.com", "redirect_refused"),
        ("short.example", "address_refused"),
    ] {
        for code in ["ZMmeta001", "ZMinside1"] {
            let task = scene.end(&format!("http://{host}/{code}/"), json!({})).await;
            assert_eq!((&task["status"], &task["error"]["code"]), (&json!("failed"), &json!(refused)), "{task}");
            assert_eq!(task["steps"][0]["attempt"], 1, "{task}");
        }
    }
    assert_eq!(private.places(), Vec::<String>::new());
    assert_eq!(scene.world.places().len(), 6);
    scene.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_post_is_an_answer() {
    let world = World::start(HOSTS, |asked| match (asked.host.as_str(), asked.path.as_str()) {
        ("ttwid.bytedance.com", _) => with_cookie(answer("{}"), "ttwid=invented; Path=/"),
        (_, DETAIL) => answer(capture("douyin/detail_not_found_core_dep.json")),
        _ => missing(),
    });
    let scene = Scene::set(world.await, "crawlers.douyin.strategies = [\"web_detail\", \"share_page\"]").await;
    // With the usual rule of second tries, which are for what may pass.
    let task = scene.end_of(json!({ "link": "https://www.douyin.com/video/7600000000000000404" })).await;
    assert_eq!((&task["status"], &task["error"]["code"]), (&json!("failed"), &json!("source_not_found")), "{task}");
    let step = &task["steps"][0];
    assert_eq!(
        (&step["attempt"], tried(&step["error"]["attempts"])),
        (&json!(1), vec!["web_detail answer not_found".into()])
    );
    assert_eq!(scene.world.asked("www.douyin.com").len(), 1);
    scene.app.finish().await;
}

fn closed(asked: &Asked) -> Response {
    match (asked.host.as_str(), asked.path.as_str()) {
        ("www.iesdouyin.com", path) if path.contains("slidesinfo") => page(capture("douyin/captcha_page.html")),
        ("www.iesdouyin.com", _) => page(capture("douyin/share_page_2026_no_videoInfoRes.html")),
        ("ttwid.bytedance.com", _) => with_cookie(answer("{}"), "ttwid=invented; Path=/"),
        (_, DETAIL | "/api/item/detail/") => answer(""),
        ("www.tiktok.com", "/oembed") => answer(capture("tiktok/oembed.json")),
        ("www.tiktok.com", _) => page(capture("tiktok/maintenance.html")),
        (_, "/aweme/v1/feed/") => answer(capture("tiktok/app_feed_wrong_id.json")),
        _ => missing(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_doors_on_every_side_are_all_told() {
    let scene = Scene::set(World::start(HOSTS, closed).await, "").await;
    let douyin = [
        "slidesinfo failed captcha",
        "web_detail failed blocked",
        "share_page failed blocked",
        "tikhub skipped",
        "ytdlp skipped",
    ];
    let tiktok = [
        "page failed blocked",
        "item_detail failed blocked",
        "app_feed failed id_mismatch",
        "oembed failed blocked",
        "tikhub skipped",
        "ytdlp skipped",
    ];
    for (link, story) in [
        ("https://www.douyin.com/video/7600000000000000101", douyin.as_slice()),
        ("https://www.tiktok.com/@weekly.wren/video/7611111111111111111", &tiktok),
    ] {
        let task = scene.end(link, json!({})).await;
        assert_eq!((&task["status"], &task["error"]["code"]), (&json!("failed"), &json!("source_blocked")), "{task}");
        assert_eq!(tried(&task["steps"][0]["error"]["attempts"]), story, "{task}");
        assert_eq!(task["error"]["attempts"], task["steps"][0]["error"]["attempts"]);
        assert!(!task["error"]["hint"].as_str().unwrap().is_empty());
    }
    scene.app.finish().await;
}
