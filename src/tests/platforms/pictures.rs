//! Pictures with a song: nothing is said, which is a result; the song is heard when somebody asks for that.

use poem::Response;
use serde_json::json;

use super::{
    Scene, warns,
    world::{Asked, MEDIA, World, body, capture, forbidden, json as answer, missing, page, with_cookie},
};
use crate::support::sample_bytes;

const CLIP: &str = "en-known-06.mp3";
const WORDS: &str = "We will go to the garden today. She will send the open table tonight.";

fn platforms(asked: &Asked) -> Response {
    match (asked.host.as_str(), asked.path.as_str()) {
        ("ttwid.bytedance.com", _) => with_cookie(answer("{}"), "ttwid=invented; Path=/"),
        ("www.douyin.com", "/aweme/v1/web/aweme/detail/") => answer(capture("douyin/detail_note_images.json")),
        ("www.tiktok.com", "/@weekly.wren/video/7611111111111111113") => page(capture("tiktok/photo_page.html")),
        (MEDIA, path) if path.ends_with(".mp3") && is_from_a_platform(asked) => body("audio/mpeg", sample_bytes(CLIP)),
        (MEDIA, _) => forbidden(),
        _ => missing(),
    }
}

fn is_from_a_platform(asked: &Asked) -> bool {
    ["https://www.douyin.com/", "https://www.tiktok.com/"].contains(&asked.header("referer"))
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_with_a_song_have_no_words_unless_the_song_is_wanted() {
    let world = World::start(&["www.douyin.com", "ttwid.bytedance.com", "www.tiktok.com"], platforms).await;
    let scene = Scene::set(world, "crawlers.douyin.strategies = [\"web_detail\"]").await;
    for link in [
        "https://www.douyin.com/note/7600000000000000104",
        "https://www.tiktok.com/@weekly.wren/photo/7611111111111111113",
    ] {
        let task = scene.end(link, json!({})).await;
        assert_eq!((&task["status"], &task["result"]["text"]), (&json!("completed"), &json!("")), "{task}");
        assert!(warns(&task, "pictures with background music"), "{task}");
        let task = scene.end(link, json!({ "background_music": true })).await;
        assert_eq!(task["result"]["text"], WORDS, "{task}");
        assert!(warns(&task, "background_music"), "{task}");
    }
    assert_eq!(scene.world.asked(MEDIA).len(), 2, "nothing is downloaded that nobody hears");
    scene.app.finish().await;
}
