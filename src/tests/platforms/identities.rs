//! A visitor that a platform knows: used where that helps, rested when the platform gets wary.

use poem::Response;
use serde_json::json;

use super::{
    Scene, tried,
    world::{Asked, MEDIA, World, body, capture, forbidden, json as answer, missing, page},
};
use crate::support::sample_bytes;

const CLIP: &str = "zh-new-21.flac";
const WORDS: &str = "我今天要图片。";
const LINK: &str = "https://www.douyin.com/video/7600000000000000101";

fn platform(asked: &Asked) -> Response {
    match (asked.host.as_str(), asked.path.as_str()) {
        ("www.douyin.com", "/aweme/v1/web/aweme/detail/") => page(capture("douyin/captcha_page.html")),
        ("www.iesdouyin.com", "/share/video/7600000000000000101/") => {
            page(capture("douyin/share_page_with_videoInfoRes.html").replace("63210", "3060"))
        }
        (MEDIA, "/aweme/v1/play/") if asked.header("referer") == "https://www.douyin.com/" => {
            body("video/mp4", sample_bytes(CLIP))
        }
        (MEDIA, _) => forbidden(),
        ("ttwid.bytedance.com", _) => answer("{}"),
        _ => missing(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_is_used_and_rests_when_it_is_doubted() {
    let world = World::start(&["www.douyin.com", "www.iesdouyin.com", "ttwid.bytedance.com"], platform).await;
    let scene = Scene::set(world, "crawlers.douyin.strategies = [\"web_detail\", \"share_page\"]").await;
    let cookie = "ttwid=1%7Cmine; sessionid=mine";
    let new =
        json!({ "platform": "douyin", "name": "me", "cookie": cookie, "user_agent": "Browser/1 Chrome/140.0.0.0" });
    let (status, added) = scene.app.post("/api/identities", new).await;
    assert_eq!((status, &added["state"]), (201, &json!("ready")), "{added}");

    let task = scene.end(LINK, json!({})).await;
    assert_eq!(task["result"]["text"], WORDS, "{task}");
    let attempts = &task["result"]["source"]["attempts"];
    assert_eq!(tried(attempts), ["web_detail failed captcha", "share_page found"]);
    assert_eq!((&attempts[0]["identity"], attempts[1].get("identity")), (&json!(true), None));
    let asked = scene.world.asked("www.douyin.com");
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!((asked[0].header("cookie"), asked[0].header("user-agent")), (cookie, "Browser/1 Chrome/140.0.0.0"));
    assert!(scene.world.asked(MEDIA).iter().all(|asked| asked.header("cookie").is_empty()));
    let (_, rests) = scene.app.get(&format!("/api/identities/{}", added["id"].as_str().unwrap())).await;
    assert_eq!((&rests["state"], &rests["last_error"]), (&json!("resting"), &json!("captcha")), "{rests}");

    // Only one way is tried when one is named; nobody goes there with an identity that rests.
    for (strategy, status, story) in
        [("share_page", 200, "share_page found"), ("web_detail", 502, "web_detail failed captcha")]
    {
        let (is, answer) = scene.app.post("/api/resolve", json!({ "link": LINK, "strategy": strategy })).await;
        assert_eq!((is, tried(&answer["attempts"])), (status, vec![story.to_owned()]), "{answer}");
    }
    assert!(scene.world.asked("www.douyin.com")[1..].iter().all(|asked| !asked.header("cookie").contains("mine")));
    scene.app.finish().await;
}
