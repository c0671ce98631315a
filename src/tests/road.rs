//! The main road on real input: a link or a file goes in, words and a callback come out.

use serde_json::{Value, json};

use super::support::{Receiver, Site, TestApp, sample, sample_bytes};

const CLIP: &str = "en-known-04.flac";
const WORDS: &str = "The music is near the long box.";

#[tokio::test(flavor = "multi_thread")]
async fn a_pasted_page_becomes_words_subtitles_and_a_callback() {
    let (app, site, mut receiver) = (TestApp::start().await, Site::start().await, Receiver::start().await);
    site.file("/clip.flac", "audio/flac", sample_bytes(CLIP));
    let page = site.page(
        "/page",
        "<title>plain</title><meta property='og:title' content='A &lt;b&gt; clip'><audio src='clip.flac'></audio>",
    );
    let share = format!("7.43 看看这个 {page} 复制此链接，直接观看！");
    let id = app.submit(json!({ "link": share, "callback_url": receiver.url })).await;
    let task = app.end(id).await;
    assert_eq!(task["status"], "completed", "{task}");
    assert_eq!(task["result"]["text"], WORDS);
    assert_eq!(task["progress"], 1.0);
    assert_eq!(task["media"]["title"], "A <b> clip");
    assert_eq!(task["media"]["platform"], "web");
    let steps: Vec<&str> = task["steps"].as_array().unwrap().iter().map(|step| step["key"].as_str().unwrap()).collect();
    assert_eq!(steps, ["source", "media", "text:extract", "text"]);

    let (_, transcript) = app.get(&format!("/api/tasks/{id}/transcript")).await;
    assert_eq!((transcript["text"].as_str(), transcript["language"].as_str()), (Some(WORDS), Some("en")));
    assert!(transcript["language_probs"].as_array().unwrap().len() > 50);
    let segment = &transcript["segments"][0];
    assert!(segment["start"].as_f64().unwrap() < segment["end"].as_f64().unwrap());
    let srt = app.text(&format!("/api/tasks/{id}/transcript?format=srt")).await;
    assert!(srt.starts_with("1\n00:00:0") && srt.contains(" --> ") && srt.contains(WORDS), "{srt}");
    let vtt = app.text(&format!("/api/tasks/{id}/transcript?format=vtt")).await;
    assert!(vtt.starts_with("WEBVTT\n\n") && vtt.contains(WORDS), "{vtt}");
    assert_eq!(app.text(&format!("/api/tasks/{id}/transcript?format=txt")).await, format!("{WORDS}\n"));
    let media = app.http.get(format!("{}/api/tasks/{id}/media", app.url)).header("range", "bytes=0-3");
    let media = media.send().await.unwrap();
    assert_eq!((media.status().as_u16(), media.bytes().await.unwrap().as_ref()), (206, b"fLaC".as_slice()));

    let callback = receiver.next().await;
    assert!(callback.verified && callback.id.starts_with("msg_"));
    assert_eq!(callback.body["type"], "task.completed");
    assert_eq!(callback.body["data"]["id"], id);
    assert_eq!(callback.body["data"]["result"]["text"], WORDS);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_in_every_container_give_their_words() {
    let app = TestApp::start().await;
    let mut tasks = Vec::new();
    for (file, words) in exact_samples() {
        let (status, task) =
            app.upload(&file, sample_bytes(&file), &[("options", "{\"word_timestamps\": true}")]).await;
        assert_eq!(status, 202, "{task}");
        tasks.push((task["id"].as_i64().unwrap(), file, words));
    }
    let extensions: std::collections::HashSet<_> =
        tasks.iter().filter_map(|(_, file, _)| file.rsplit('.').next().map(str::to_owned)).collect();
    assert!(["wav", "flac", "mp3", "m4a"].iter().all(|wanted| extensions.contains(*wanted)), "{extensions:?}");
    for (id, file, words) in tasks {
        let task = app.end(id).await;
        assert_eq!(task["result"]["text"], words, "{file}");
        assert_eq!(task["media"]["title"], file);
        let (_, transcript) = app.get(&format!("/api/tasks/{id}/transcript")).await;
        check_words(&transcript, &file);
    }
    app.finish().await;
}

/// Words lie inside their segment, in order, and spell its text.
fn check_words(transcript: &Value, file: &str) {
    for segment in transcript["segments"].as_array().unwrap() {
        let words = segment["words"].as_array().unwrap_or_else(|| panic!("{file} has no words"));
        let mut last = segment["start"].as_f64().unwrap() - 0.011;
        let mut spelled = String::new();
        for word in words {
            let (start, end) = (word["start"].as_f64().unwrap(), word["end"].as_f64().unwrap());
            assert!(last <= start && start <= end, "{file}: {segment}");
            assert!(end <= segment["end"].as_f64().unwrap() + 0.011, "{file}: {segment}");
            last = start;
            spelled.push_str(word["word"].as_str().unwrap());
        }
        let plain = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(plain(&spelled), plain(segment["text"].as_str().unwrap()), "{file}");
    }
}

/// The clips whose text is right to the letter, with their text, by the model's own record.
fn exact_samples() -> Vec<(String, String)> {
    let table = std::fs::read_to_string(sample("recognised.tsv")).unwrap();
    let rows = table.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    rows.filter(|row| row[1] == "yes").map(|row| (row[0].to_owned(), row[3].to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_noise_and_tone_end_well_with_a_warning() {
    let app = TestApp::start().await;
    for file in ["silence.wav", "noise.wav", "tone.wav"] {
        let (_, task) = app.upload(file, sample_bytes(file), &[]).await;
        let task = app.end(task["id"].as_i64().unwrap()).await;
        assert_eq!((task["status"].as_str(), task["result"]["text"].as_str()), (Some("completed"), Some("")), "{file}");
        assert!(!task["warnings"].as_array().unwrap().is_empty(), "{file}");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chinese_is_detected_and_translated() {
    let app = TestApp::start().await;
    let clip = || sample_bytes("zh-known-01.wav");
    let (_, task) = app.upload("zh.wav", clip(), &[]).await;
    let task = app.end(task["id"].as_i64().unwrap()).await;
    assert_eq!(
        (task["result"]["text"].as_str(), task["result"]["language"].as_str()),
        (Some("我晚上学习文件。"), Some("zh"))
    );
    let (_, task) =
        app.upload("zh.wav", clip(), &[("options", "{\"task\": \"translate\", \"language\": \"chinese\"}")]).await;
    let task = app.end(task["id"].as_i64().unwrap()).await;
    assert_eq!(task["result"]["text"], "I study file in the evening.");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_players_and_streams_lead_to_their_media() {
    let (app, site) = (TestApp::start().await, Site::start().await);
    let clip = site.file("/media/one.flac", "audio/flac", sample_bytes(CLIP));
    let mp4 = site.file("/media/two.mp4", "video/mp4", sample_bytes("clip.mp4"));
    let feed = site.file(
        "/feed.xml",
        "application/rss+xml",
        format!(
            "<rss version='2.0'><channel><title>Radio</title><item><title>Episode 2</title><guid>2</guid>\
             <enclosure url='{clip}' type='audio/flac' length='1'/></item></channel></rss>"
        )
        .into_bytes(),
    );
    let og = site.page("/og", &format!("<meta property='og:video' content='{mp4}'><title>Two</title>"));
    let json_ld = site.page(
        "/ld",
        &format!("<script type='application/ld+json'>{{\"@type\":\"AudioObject\",\"contentUrl\":\"{clip}\",\"name\":\"Three\"}}</script>"),
    );
    let embed = site.page("/outer", &format!("<iframe src='{json_ld}'></iframe>"));
    let stream = hls(&site).await;
    let redirect = site.put("/go", super::support::Reply::Redirect(clip.clone()));
    for (link, title) in [
        (&feed, "Episode 2"),
        (&og, "Two"),
        (&json_ld, "Three"),
        (&embed, "Three"),
        (&clip, "one"),
        (&stream, ""),
        (&redirect, ""),
    ] {
        let id = app.paste(link).await;
        let task = app.end(id).await;
        assert_eq!(task["status"], "completed", "{link}: {task}");
        let words = task["result"]["text"].as_str().unwrap();
        assert!(words == WORDS || words.starts_with("There are fifty four pictures in the city."), "{link}: {words}");
        assert!(task["media"]["title"].as_str().unwrap().contains(title), "{link}: {task}");
    }
    app.finish().await;
}

/// The clip as an HLS stream of several segments; returns the master playlist's link.
async fn hls(site: &Site) -> String {
    let folder = tempfile::tempdir().unwrap();
    let made = tokio::process::Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-i"])
        .arg(sample(CLIP))
        .args(["-c:a", "aac", "-b:a", "128k", "-hls_time", "1", "-hls_list_size", "0", "-f", "hls"])
        .arg(folder.path().join("audio.m3u8"))
        .status()
        .await
        .unwrap();
    assert!(made.success());
    let mut segments = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        let is_list = name.ends_with("m3u8");
        segments += usize::from(!is_list);
        let content_type = if is_list { "application/vnd.apple.mpegurl" } else { "video/mp2t" };
        site.file(&format!("/hls/{name}"), content_type, std::fs::read(entry.path()).unwrap());
    }
    assert!(segments > 1);
    let master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=128000,CODECS=\"mp4a.40.2\"\naudio.m3u8\n";
    site.file("/hls/master.m3u8", "application/vnd.apple.mpegurl", master.as_bytes().to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_here_needs_no_second_download() {
    let (app, site) = (TestApp::start().await, Site::start().await);
    let link = site.file("/clip.flac", "audio/flac", sample_bytes(CLIP));
    let first = app.paste(&link).await;
    let task = app.end(first).await;
    let asked = site.seen().len();
    let second = app.submit(json!({ "media_id": task["media"]["id"] })).await;
    assert_eq!(app.end(second).await["result"]["text"], WORDS);
    assert_eq!(site.seen().len(), asked);
    // The file stays while one of the two tasks is left, and goes with the last one.
    assert_eq!(app.delete(&format!("/api/tasks/{first}")).await, 204);
    assert_eq!(app.get(&format!("/api/tasks/{first}")).await.0, 404);
    assert_eq!(super::support::walk(&app.folder().join("data/media")).len(), 1);
    assert_eq!(app.delete(&format!("/api/tasks/{second}")).await, 204);
    assert_eq!(super::support::walk(&app.folder().join("data/media")).len(), 0);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_is_tried_again_until_it_arrives_and_every_attempt_is_kept() {
    let (app, mut receiver) = (TestApp::start().await, Receiver::start().await);
    receiver.answer(&[500, 302, 404]);
    let (_, task) = app.upload("a.flac", sample_bytes(CLIP), &[("callback_url", &receiver.url)]).await;
    let id = task["id"].as_i64().unwrap();
    let mut ids = Vec::new();
    for _ in 0..4 {
        let received = receiver.next().await;
        assert!(received.verified);
        ids.push(received.id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "an attempt has another id than the first one");
    let deliveries = app.until_delivered(id).await;
    let statuses: Vec<_> = deliveries[0]["attempts"].as_array().unwrap().iter().map(|a| a["status"].clone()).collect();
    assert_eq!(statuses, [500, 302, 404, 204]);
    app.finish().await;
}
