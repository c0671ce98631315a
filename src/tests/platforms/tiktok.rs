//! TikTok: a share text in English, through a short link and past a challenge, to media that want a cookie.

use std::sync::LazyLock;

use poem::Response;
use serde_json::{Value, json};

use super::{
    Scene, tried,
    world::{Asked, MEDIA, World, body, capture, forbidden, missing, page, to, with_cookie},
};
use crate::support::{Daemon, is_server, sample_bytes, walk};

const CLIP: &str = "en-new-10.m4a";
const WORDS: &str = "The yellow white friend jumps over the yellow water.";
const CAPTIONS: &str = "here is how I plan my week in about ten minutes";
const PASTED: &str =
    "Check out Wren Plans's video! #TikTok > https://vm.tiktok.com/ZMabc123/ and tell me what you think.";
const HOSTS: &[&str] = &["vm.tiktok.com", "www.tiktok.com"];
const PAGE: &str = "/@weekly.wren/video/7611111111111111111";
const SECRET: &str = "hush9c1d";

/// The cookies that answer the challenge.
static ANSWER: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let manifest: Value = serde_json::from_str(&capture("manifest.json")).unwrap();
    let entries = manifest["fixtures"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["expect"]["answer_number"] == 73_194).unwrap();
    let cookies = entry["expect"]["set_cookie"].as_object().unwrap();
    cookies.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
});

fn platform(asked: &Asked) -> Response {
    let is_solved = || ANSWER.iter().all(|(name, value)| asked.cookie(name) == value);
    let is_known = || asked.cookie("tt_chain_token") == SECRET && asked.header("referer") == "https://www.tiktok.com/";
    match (asked.host.as_str(), asked.path.as_str()) {
        ("vm.tiktok.com", "/ZMabc123/") => to(&format!("https://www.tiktok.com{PAGE}?_r=1&_t=ZM-1")),
        ("www.tiktok.com", PAGE) if !is_solved() => page(capture("tiktok/challenge_73194.html")),
        ("www.tiktok.com", PAGE) => {
            let html = capture("tiktok/video_page.html").replace("\"duration\":48", "\"duration\":4");
            with_cookie(page(html), &format!("tt_chain_token={SECRET}; Path=/; Domain=.tiktok.com; Secure; HttpOnly"))
        }
        (MEDIA, "/tt/sub/7611111111111111111-eng.vtt") => body("text/vtt", capture("tiktok/sub_eng.vtt")),
        (MEDIA, _) if is_known() => body("video/mp4", sample_bytes(CLIP)),
        (MEDIA, _) => forbidden(),
        _ => missing(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_text_becomes_words_and_the_cookie_stays_hidden() {
    let world = World::start(HOSTS, platform).await;
    let mut daemon = Daemon::new(&format!("{}\nlog.level = \"trace\"", world.settings()));
    daemon.start().await;
    let task = daemon.end(daemon.paste(PASTED, "").await).await;
    assert_eq!(task["result"]["text"], WORDS, "{task}");
    let media = &task["media"];
    assert_eq!((&media["platform"], &media["author"]), (&json!("tiktok"), &json!("weekly.wren")));
    assert_eq!(media["title"], "How I plan my week in ten minutes #planning");
    let asked = world.asked(MEDIA);
    assert_eq!((asked.len(), asked[0].cookie("tt_chain_token")), (1, SECRET), "{asked:?}");
    assert_eq!(asked[0].header("cookie"), format!("tt_chain_token={SECRET}"), "no other cookie goes there");

    let resolved = daemon.http.post(format!("{}/api/resolve", daemon.url)).json(&json!({ "link": PASTED }));
    let resolved = resolved.send().await.unwrap().text().await.unwrap();
    assert!(resolved.contains("(hidden)"), "{resolved}");
    let id = task["id"].as_i64().unwrap();
    let mut said = vec![resolved, task.to_string()];
    for path in ["", &format!("/{id}/transcript"), &format!("/{id}/deliveries")] {
        said.push(daemon.get(&format!("/api/tasks{path}")).await.to_string());
    }
    said.push(format!("{:?}", daemon.follow(id, |event| event.is_end()).await));
    let log = daemon.log();
    assert!(log.contains("link resolved"), "{log}");
    assert!(!log.contains(SECRET), "it is in the log: {}", log.lines().find(|line| line.contains(SECRET)).unwrap());
    assert!(said.iter().all(|said| !said.contains(SECRET)), "{said:?}");
    assert!(daemon.stop().await);
    let files = walk(&daemon.folder().join("data"));
    assert!(is_server() || files.iter().any(|file| file.ends_with("trawl.db")), "{files:?}");
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()), "it is in {}", file.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn captions_of_the_platform_stand_for_recognition_where_they_are_preferred() {
    let scene = Scene::set(World::start(HOSTS, platform).await, "").await;
    let task = scene.end(PASTED, json!({ "use_platform_subtitles": "prefer" })).await;
    assert_eq!(task["result"]["text"], CAPTIONS, "{task}");
    assert_eq!(tried(&task["result"]["source"]["attempts"]), ["page found"]);
    let (_, transcript) = scene.app.get(&format!("/api/tasks/{}/transcript", task["id"])).await;
    assert_eq!((&transcript["engine"], &transcript["language"]), (&json!("platform"), &json!("en")), "{transcript}");
    assert_eq!(transcript["segments"].as_array().unwrap().len(), 2);
    scene.app.finish().await;
}
