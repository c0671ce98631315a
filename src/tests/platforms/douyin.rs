//! Douyin: a share text in Chinese, through a short link, past a way that fails.

use chrono::Utc;
use poem::Response;
use serde_json::json;

use super::{
    Scene, tried,
    world::{Asked, MEDIA, World, body, capture, forbidden, json as answer, missing, to, with_cookie},
};
use crate::support::sample_bytes;

const CLIP: &str = "zh-new-07.mp3";
const WORDS: &str = "我有一个书。我的电话是一九六五。你晚上看咖啡。";
const ID: &str = "7600000000000000101";
const VISITOR: &str = "1%7Cinvented%7C1793600000%7Cdeadbeef";

fn platform(asked: &Asked) -> Response {
    match (asked.host.as_str(), asked.path.as_str()) {
        ("v.douyin.com", "/iRNBho5m/") => to(&format!("https://www.iesdouyin.com/share/video/{ID}/?region=CN&mid=1")),
        // A number instead of the post, as it is said of deleted posts and of much else.
        ("www.iesdouyin.com", "/web/api/v2/aweme/slidesinfo/") => {
            answer(capture("douyin/slidesinfo_empty.json").replace("7600000000000000404", ID))
        }
        ("ttwid.bytedance.com", _) => {
            with_cookie(answer(capture("douyin/ttwid_register.json")), &format!("ttwid={VISITOR}; Path=/; HttpOnly"))
        }
        ("www.douyin.com", "/aweme/v1/web/aweme/detail/") if is_believed(asked) => {
            answer(capture("douyin/detail_video.json").replace("63210", "8070"))
        }
        ("www.douyin.com", "/aweme/v1/web/aweme/detail/") => answer(""),
        (MEDIA, _) if asked.header("referer") != "https://www.douyin.com/" => forbidden(),
        (MEDIA, path) if path.starts_with("/dy/v3/") => body("video/mp4", sample_bytes(CLIP)),
        (MEDIA, _) => forbidden(),
        _ => missing(),
    }
}

/// Whether a visitor who was let in has signed this very query, now and with the user agent that it came with.
fn is_believed(asked: &Asked) -> bool {
    let signed = crawlers::signatures::signed_at(&asked.query, "GET", asked.header("user-agent"));
    let now = u64::try_from(Utc::now().timestamp_millis()).unwrap() & 0xFF_FFFF_FFFF;
    asked.cookie("ttwid") == VISITOR && signed.is_some_and(|at| now.abs_diff(at) < 60_000)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_text_becomes_words() {
    let hosts = &["v.douyin.com", "www.iesdouyin.com", "www.douyin.com", "ttwid.bytedance.com"];
    let scene = Scene::set(World::start(hosts, platform).await, "").await;
    let pasted = "7.43 pda:/ 晨光读书 这本书讲的是耐心 # 读书 https://v.douyin.com/iRNBho5m/ 复制此链接，打开Dou音搜索，直接观看视频！";
    let task = scene.end(pasted, json!({})).await;
    assert_eq!(task["result"]["text"], WORDS, "{task}");
    let media = &task["media"];
    assert_eq!((&media["platform"], &media["platform_id"]), (&json!("douyin"), &json!(ID)));
    assert_eq!((&media["title"], &media["author"]), (&json!("今天读的这本书讲的是耐心 #读书"), &json!("晨光读书室")));
    assert_eq!(media["page_url"], format!("https://www.douyin.com/video/{ID}"));
    let source = &task["result"]["source"];
    assert_eq!(tried(&source["attempts"]), ["slidesinfo failed not_found", "web_detail found"]);
    assert_eq!(source["strategy"], "web_detail");

    // The smallest file: refused at its first place, had at its second; no cookie goes there.
    let asked = scene.world.asked(MEDIA);
    let paths: Vec<&str> = asked.iter().map(|asked| asked.path.as_str()).collect();
    let file = "v0300fg10000inventedvid0101/h264-540p/";
    assert_eq!(paths, [format!("/dy/v26/{file}"), format!("/dy/v3/{file}")]);
    assert!(asked.iter().all(|asked| asked.header("cookie").is_empty()), "{asked:?}");
    assert_eq!(asked[0].header("user-agent"), scene.world.asked("www.douyin.com")[0].header("user-agent"));
    scene.app.finish().await;
}
