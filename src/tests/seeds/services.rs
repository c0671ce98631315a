//! Fast-Powerful-Whisper-AI-Services-API: its README's requests, and each route of its tasks.

use poem::Response;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    super::{
        platforms::world::{Asked, MEDIA, World, body, capture, missing, page},
        support::{Receiver, Site, TestApp, sample, sample_bytes},
    },
    typed, typed_json,
};

/// Where the README's daemon is.
const HOST: &str = "http://127.0.0.1";
/// Where that of other requests is: what else they name may be on this machine.
pub(super) const HERE: &str = "http://here.example";
const CLIP: &str = "en-known-04.flac";
const WORDS: &str = "The music is near the long box.";
const POST: &str = "7359655005701311786";

/// The README's request, as it is written there.
const TIKTOK: &str = r#"curl -X 'POST' \
  'http://127.0.0.1/api/tiktok/video_task' \
  -H 'accept: application/json' \
  -H 'Content-Type: application/x-www-form-urlencoded' \
  -d 'priority=normal&prepend_punctuations=%22'\''%E2%80%9C%C2%BF(%5B%7B-&no_speech_threshold=0.6&clip_timestamps=0&url=https%3A%2F%2Fwww.tiktok.com%2F%40taylorswift%2Fvideo%2F7359655005701311786&word_timestamps=false&platform=tiktok&temperature=0.8%2C1.0&task_type=transcribe&callback_url=&hallucination_silence_threshold=0&language=&condition_on_previous_text=true&compression_ratio_threshold=1.8&append_punctuations=%22'\''.%E3%80%82%2C%EF%BC%8C!%EF%BC%81%3F%EF%BC%9F%3A%EF%BC%9A%E2%80%9D)%5D%7D%E3%80%81&initial_prompt='"#;
const RESULT: &str = r"curl -X 'GET' \
  'http://127.0.0.1/api/whisper/tasks/result?task_id=1' \
  -H 'accept: application/json'";

const KEYS: [&str; 23] = [
    "callback_message",
    "callback_status_code",
    "callback_time",
    "callback_url",
    "created_at",
    "decode_options",
    "engine_name",
    "error_message",
    "file_duration",
    "file_name",
    "file_path",
    "file_size_bytes",
    "file_url",
    "id",
    "language",
    "output_url",
    "platform",
    "priority",
    "result",
    "status",
    "task_processing_time",
    "task_type",
    "updated_at",
];

/// A folder with a clip in it.
pub(super) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(sample(CLIP), folder.path().join("talk.flac")).unwrap();
    folder
}

/// Makes a task of the clip, waits for its end, and returns its id.
pub(super) async fn done(app: &TestApp, folder: &TempDir, more: &str) -> i64 {
    let command = format!("curl {HERE}/api/whisper/tasks/create -F file_upload=@talk.flac -F temperature=0 {more}");
    let (status, made) = typed_json(app, folder.path(), HERE, &command).await;
    assert_eq!(status, 200, "{made}");
    let id = made["data"]["id"].as_i64().unwrap();
    assert_eq!(app.end(id).await["status"], "completed");
    id
}

fn keys(object: &Value) -> Vec<String> {
    let mut keys: Vec<String> = object.as_object().unwrap().keys().cloned().collect();
    keys.sort();
    keys
}

fn tiktok(asked: &Asked) -> Response {
    match (asked.host.as_str(), asked.path.as_str()) {
        ("www.tiktok.com", path) if path == format!("/@taylorswift/video/{POST}") => {
            let html = capture("tiktok/video_page.html").replace("7611111111111111111", POST);
            page(html.replace("\"duration\":48", "\"duration\":4"))
        }
        (MEDIA, _) => body("video/mp4", sample_bytes("en-new-10.m4a")),
        _ => missing(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readme_s_requests_work_as_they_are_written() {
    let world = World::start(&["www.tiktok.com"], tiktok).await;
    let (app, folder) = (TestApp::with(&world.settings()).await, folder());
    let (status, made) = typed_json(&app, folder.path(), HOST, TIKTOK).await;
    assert_eq!((status, &made["code"]), (200, &json!(200)), "{made}");
    assert_eq!(made["router"], format!("{}/api/tiktok/video_task", app.url));
    let decoding = json!({
        "language": null, "temperature": [0.8, 1.0], "compression_ratio_threshold": 1.8, "no_speech_threshold": 0.6,
        "condition_on_previous_text": true, "initial_prompt": "", "word_timestamps": false,
        "prepend_punctuations": "\"'“¿([{-", "append_punctuations": "\"'.。,，!！?？:：”)]}、", "clip_timestamps": "0",
        "hallucination_silence_threshold": 0.0,
    });
    let mut params = decoding.clone();
    params["task_type"] = json!("transcribe");
    params["priority"] = json!("normal");
    params["callback_url"] = json!("");
    assert_eq!(made["params"], params);
    let data = &made["data"];
    assert_eq!(keys(data), KEYS);
    assert_eq!((&data["id"], &data["decode_options"]), (&json!(1), &decoding));
    assert_eq!((&data["platform"], &data["callback_url"]), (&json!("tiktok"), &json!("")));
    assert_eq!(data["output_url"], format!("{}/api/whisper/tasks/result?task_id=1", app.url));

    let task = app.end(1).await;
    assert_eq!(task["status"], "completed", "{task}");
    let (status, found) = typed_json(&app, folder.path(), HOST, RESULT).await;
    assert_eq!((status, &found["code"], &found["params"]), (200, &json!(200), &json!({ "task_id": "1" })), "{found}");
    let data = &found["data"];
    assert_eq!(keys(data), KEYS);
    assert_eq!(
        (&data["status"], &data["language"], &data["error_message"]),
        (&json!("completed"), &json!("en"), &json!(null))
    );
    assert!(data["task_processing_time"].as_f64().is_some_and(|seconds| seconds > 0.0), "{data}");
    assert!(data["file_duration"].as_f64().is_some_and(|seconds| (3.0..6.0).contains(&seconds)), "{data}");
    let result = &data["result"];
    assert!(result["text"].as_str().is_some_and(|text| text.len() > 10 && !text.contains("  ")), "{result}");
    let first = &result["segments"][0];
    assert_eq!((&first["id"], &first["words"]), (&json!(1), &json!(null)), "{first}");
    assert_eq!(result["info"]["all_language_probs"][0][0], "en");
    assert_eq!(result["info"]["transcription_options"]["temperatures"].as_array().unwrap().len(), 2);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_made_looked_for_looked_at_and_deleted() {
    let (app, folder, site) = (TestApp::start().await, folder(), Site::start().await);
    // The file's part has two names; what stands in the form counts before the query.
    let command = format!(
        "curl '{HERE}/api/whisper/tasks/create?task_type=translate&temperature=0&word_timestamps=true&priority=high' \
         -F file=@talk.flac -F task_type=transcribe -F priority=normal -F file_url= -F language=en"
    );
    let (status, made) = typed_json(&app, folder.path(), HERE, &command).await;
    assert_eq!(status, 200, "{made}");
    let params = &made["params"];
    assert_eq!((&params["task_type"], &params["priority"]), (&json!("transcribe"), &json!("normal")));
    assert_eq!((&params["temperature"], &params["word_timestamps"]), (&json!(0.0), &json!(true)));
    assert_eq!((&made["data"]["file_name"], &made["data"]["file_url"]), (&json!("talk.flac"), &json!(null)));
    app.end(1).await;
    let link = site.file("/clip.flac", "audio/flac", sample_bytes(CLIP));
    let pasted = format!(
        "curl -G -X POST {HERE}/api/whisper/tasks/create --data-urlencode 'file_url=listen: {link}' -d temperature=0"
    );
    let (status, made) = typed_json(&app, folder.path(), HERE, &pasted).await;
    assert_eq!((status, &made["data"]["file_url"]), (200, &json!(link)), "{made}");
    app.end(2).await;

    let query = async |json: &str| {
        let command = format!("curl {HERE}/api/whisper/tasks/query -H 'Content-Type: application/json' -d '{json}'");
        typed_json(&app, folder.path(), HERE, &command).await
    };
    let (status, found) = query("{}").await;
    assert_eq!((status, &found["params"]["status"], &found["params"]["limit"]), (200, &json!("completed"), &json!(20)));
    let data = &found["data"];
    assert_eq!(
        (&data["total_count"], &data["has_more"], &data["next_offset"]),
        (&json!(2), &json!(false), &json!(null))
    );
    assert_eq!((&data["tasks"][0]["id"], &data["tasks"][1]["id"]), (&json!(1), &json!(2)), "the oldest first");
    let result = &data["tasks"][0]["result"];
    assert_eq!(result["text"], WORDS);
    assert!(result["segments"][0]["words"].as_array().is_some_and(|words| words.len() == 7), "{result}");
    let (_, found) = query(r#"{"limit": 1, "priority": null, "status": "", "engine_name": "faster_whisper"}"#).await;
    let data = &found["data"];
    assert_eq!((&data["has_more"], &data["next_offset"]), (&json!(true), &json!(1)), "{found}");
    let (_, found) = query(r#"{"limit": 1, "offset": 1}"#).await;
    assert_eq!(found["data"]["tasks"][0]["id"], 2);
    for (none, filter) in [
        ("failed", r#"{"status": "failed", "has_result": null, "has_error": true}"#),
        ("high", r#"{"priority": "high"}"#),
        ("early", r#"{"created_before": "2020-01-01T00:00:00"}"#),
        ("without a result", r#"{"has_result": false}"#),
        ("Chinese", r#"{"language": "zh"}"#),
    ] {
        let (status, found) = query(filter).await;
        assert_eq!((status, &found["data"]["total_count"]), (200, &json!(0)), "{none}: {found}");
    }

    let at = |path: &str| format!("curl '{HERE}/api/whisper/{path}'");
    let srt = typed(&app, folder.path(), HERE, &at("generate_subtitles?task_id=1&output_format=srt")).await;
    assert!(srt.0 == 200 && srt.1.starts_with("1\n00:00:0") && srt.1.contains(&format!("\n{WORDS}\n")), "{srt:?}");
    let vtt = typed(&app, folder.path(), HERE, &at("generate_subtitles?task_id=1&output_format=vtt")).await;
    assert!(vtt.0 == 200 && vtt.1.starts_with("WEBVTT\n\n"), "{vtt:?}");
    let head = typed(
        &app,
        folder.path(),
        HERE,
        &format!("curl -D - -o subtitle '{HERE}/api/whisper/generate_subtitles?task_id=1'"),
    )
    .await;
    let head = head.1.to_lowercase();
    assert!(head.contains("content-type: text/srt") && head.contains("filename=\"task_1_subtitle.srt\""), "{head}");

    let delete = format!("curl -X DELETE '{HERE}/api/whisper/tasks/delete?task_id=1'");
    let (status, gone) = typed_json(&app, folder.path(), HERE, &delete).await;
    assert_eq!((status, &gone["data"]), (200, &json!({ "task_id": 1, "message": "Task deleted successfully" })));
    for (host, command) in [(HERE, delete.as_str()), (HOST, RESULT)] {
        let (status, gone) = typed_json(&app, folder.path(), host, command).await;
        let detail = &gone["detail"];
        assert_eq!(
            (status, &detail["code"], &detail["params"]),
            (404, &json!(404), &json!({ "task_id": "1" })),
            "{gone}"
        );
        assert_eq!(detail["message"], "Task not found or has been deleted or invalid task ID");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_is_not_there_yet_says_so_and_a_failed_one_why() {
    let (app, folder, site) = (TestApp::start().await, folder(), Site::start().await);
    // It waits for a model that is not here.
    let waiting = app
        .submit(
            json!({ "link": site.file("/a.flac", "audio/flac", sample_bytes(CLIP)), "options": { "model": "tiny" } }),
        )
        .await;
    app.until(waiting, |task| task["waiting"].is_object()).await;
    let at = |path: &str, id: i64| format!("curl '{HERE}/api/whisper/{path}?task_id={id}'");
    let (status, body) = typed_json(&app, folder.path(), HERE, &at("tasks/result", waiting)).await;
    assert_eq!((status, &body["detail"]["code"]), (202, &json!(202)), "{body}");
    assert_eq!(body["detail"]["message"], "Task is currently being processed");
    let (status, body) = typed_json(&app, folder.path(), HERE, &at("generate_subtitles", waiting)).await;
    assert_eq!(status, 400, "{body}");
    assert_eq!(body["detail"]["message"], "This task is not available for generating subtitles.");
    app.delete(&format!("/api/tasks/{waiting}")).await;

    let page = site.page("/page", "<!doctype html><title>Nothing</title>");
    let command = format!("curl {HERE}/api/whisper/tasks/create -d file_url={page}");
    let (status, made) = typed_json(&app, folder.path(), HERE, &command).await;
    assert_eq!(status, 200, "{made}");
    let id = made["data"]["id"].as_i64().unwrap();
    assert_eq!(app.end(id).await["status"], "failed");
    let (status, body) = typed_json(&app, folder.path(), HERE, &at("tasks/result", id)).await;
    let detail = &body["detail"];
    assert_eq!(
        (status, &detail["code"], &detail["message"]),
        (500, &json!(500), &json!("Task failed during processing"))
    );
    assert!(detail["hint"].as_str().is_some_and(|hint| hint.len() > 20), "{body}");
    let query = format!(
        r#"curl {HERE}/api/whisper/tasks/query --json '{{"status":"failed","has_result":null,"has_error":true}}'"#
    );
    let (_, found) = typed_json(&app, folder.path(), HERE, &query).await;
    assert!(found["data"]["tasks"][0]["error_message"].is_string(), "{found}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_before_there_is_a_task() {
    let (app, folder) = (TestApp::start().await, folder());
    let whisper = format!("{HERE}/api/whisper");
    for (case, wanted, says) in [
        ("tasks/create -X POST", 400, "The file or file_url parameter cannot be empty"),
        ("tasks/create -F file_upload=@talk.flac -F file_url=https://a.example/x.mp3", 400, "cannot be both provided"),
        ("tasks/create -F file_url=nothing", 400, "The format of the file URL is incorrect"),
        ("tasks/create -F file_upload=@talk.flac -F priority=urgent", 422, "high, normal, low"),
        ("tasks/create -F file_upload=@talk.flac -F task_type=sing", 422, "transcribe, translate"),
        ("tasks/create -F file_upload=@talk.flac -F temperature=warm", 422, "several with commas"),
        ("tasks/create -F file_upload=@talk.flac -F temperature=3", 422, "temperature"),
        ("tasks/create -F file_upload=@talk.flac -F clip_timestamps=5,1", 422, "clip_timestamps"),
        ("tasks/create -F file_upload=@talk.flac -F language=klingon", 422, "klingon"),
        ("tasks/create -F file_url=http://10.0.0.1/x.mp3", 403, ""),
        ("tasks/create -F file_upload=@talk.flac -F callback_url=ftp://a.example", 422, "neither http nor https"),
        ("tasks/query --json '{\"status\":\"asleep\"}'", 422, "queued, processing"),
        ("tasks/query --json '{\"limit\":\"many\"}'", 422, "whole number"),
        ("tasks/query --json '{\"created_after\":\"soon\"}'", 422, "2024-11-07T16:43:33"),
        ("tasks/query --json '[1]'", 400, "JSON object"),
        ("tasks/query --json '{'", 400, "JSON"),
        ("tasks/result", 422, "task_id"),
        ("'tasks/result?task_id=x'", 422, "whole number"),
        ("'tasks/result?task_id=99'", 404, "Task not found"),
        ("-X DELETE 'tasks/delete?task_id=99'", 404, "Task not found"),
        ("'generate_subtitles?task_id=99'", 404, "Task not found"),
        ("'generate_subtitles?task_id=99&output_format=doc'", 422, "srt or vtt"),
        ("callback/test --json '[]'", 400, "JSON object"),
        ("nothing", 404, "nothing at this path"),
        ("-X PUT tasks/create", 405, "method"),
    ] {
        let place = ["tasks/", "generate_", "callback/", "nothing"].iter().find_map(|word| case.find(word)).unwrap();
        let command = format!("curl {}{whisper}/{}", &case[..place], &case[place..]);
        let (status, body) = typed_json(&app, folder.path(), HERE, &command).await;
        assert_eq!(status, wanted, "{case}: {body}");
        let detail = &body["detail"];
        let (told, shape) = match wanted {
            422 => (detail[0]["msg"].as_str(), detail[0]["loc"].is_array()),
            _ => (detail["message"].as_str(), detail["code"] == wanted && detail["router"].is_string()),
        };
        assert!(shape && told.is_some_and(|told| told.contains(says)), "{case}: {body}");
    }
    for (site, title) in [("tiktok", "TikTok"), ("douyin", "Douyin")] {
        let command = format!("curl {HERE}/api/{site}/video_task -d url=https://example.com/video/1");
        let refused = typed_json(&app, folder.path(), HERE, &command).await;
        assert_eq!(refused, (400, json!({ "detail": format!("Invalid {title} video URL") })));
        let (status, body) =
            typed_json(&app, folder.path(), HERE, &format!("curl -X POST {HERE}/api/{site}/video_task")).await;
        assert_eq!((status, &body["detail"][0]["loc"]), (422, &json!(["body", "url"])), "{body}");
    }
    let (_, tasks) = app.get("/api/tasks").await;
    assert_eq!(tasks["total"], 0, "{tasks}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_text_of_douyin_is_understood() {
    let world = World::start(&["v.douyin.com"], |_: &Asked| missing()).await;
    let (app, folder) = (TestApp::with(&world.settings()).await, folder());
    let pasted = "7.43 复制打开抖音，看看 https://v.douyin.com/iANRkr9m/ 很有意思";
    let command = format!("curl {HERE}/api/douyin/video_task --data-urlencode 'url={pasted}'");
    let (status, made) = typed_json(&app, folder.path(), HERE, &command).await;
    assert_eq!((status, &made["data"]["platform"]), (200, &json!("douyin")), "{made}");
    assert_eq!(made["data"]["file_url"], "https://v.douyin.com/iANRkr9m/");
    app.delete("/api/tasks/1").await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callback_is_the_whole_task_signed() {
    let (app, folder, mut receiver) = (TestApp::start().await, folder(), Receiver::start().await);
    let id = done(&app, &folder, &format!("-F callback_url={}", receiver.url)).await;
    let told = receiver.next().await;
    assert!(told.verified && told.id.starts_with("msg_"), "{told:?}");
    assert_eq!(keys(&told.body), KEYS);
    assert_eq!((&told.body["id"], &told.body["status"]), (&json!(id), &json!("completed")));
    assert_eq!(told.body["result"]["text"], WORDS);
    assert_eq!(told.body["output_url"], format!("{}/api/whisper/tasks/result?task_id={id}", app.url));
    app.until_delivered(id).await;
    let (_, found) = typed_json(&app, folder.path(), HOST, RESULT).await;
    let data = &found["data"];
    assert_eq!((&data["callback_status_code"], &data["callback_message"]), (&json!(204), &json!(null)), "{data}");
    assert!(data["callback_time"].is_string() && receiver.try_next().is_none(), "{data}");
    app.finish().await;
}
