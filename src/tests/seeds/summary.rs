//! The system with a summary: `POST /upload` and what its program called `/process/audio`.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    super::support::{LlmServer, Say, Site, TestApp, sample, sample_bytes, walk},
    check_detail, typed, typed_json,
};

const HOST: &str = "http://127.0.0.1:8000";
const CLIP: &str = "en-known-04.flac";
const WORDS: &str = "The music is near the long box.";
const SUMMARY: &str = "There is music near a long box.";

fn with(llm: &LlmServer) -> String {
    format!("llm.base_url = \"{}\"\nllm.model = \"stub\"", llm.url)
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(sample(CLIP), folder.path().join("meeting.flac")).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_becomes_words_and_a_summary_in_whatever_way_it_comes() {
    let (llm, site, folder) = (LlmServer::answering(|_| Say::text(SUMMARY)).await, Site::start().await, folder());
    let app = TestApp::with(&with(&llm)).await;
    let link = site.file("/clip.flac", "audio/flac", sample_bytes(CLIP));
    let base64 = STANDARD.encode(sample_bytes(CLIP));
    for (name, body) in [
        ("code", json!({ "file": base64 })),
        ("data", json!({ "file": format!("data:audio/flac;base64,{base64}"), "language": "English" })),
        ("link", json!({ "file": link })),
    ] {
        std::fs::write(folder.path().join(name), body.to_string()).unwrap();
    }
    for request in [
        "/upload -F file=@meeting.flac",
        "/process/audio -F file=@meeting.flac -F language=en",
        "/upload --json @code",
        "/upload --json @data",
        "/upload --json @link",
    ] {
        let (status, body) = typed_json(&app, folder.path(), HOST, &format!("curl {HOST}{request}")).await;
        assert_eq!((status, &body["transcript"]), (200, &WORDS.into()), "{request}: {body}");
        assert_eq!((&body["summary"], &body["summary_error"]), (&SUMMARY.into(), &Value::Null), "{request}");
        let path = body["download_url"].as_str().unwrap();
        let file = typed(&app, folder.path(), HOST, &format!("curl '{HOST}{path}'")).await;
        assert_eq!(file, (200, format!("{WORDS}\n")), "{request}");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_come_when_there_is_no_summary() {
    let folder = folder();
    let refused = LlmServer::answering(|_| Say::Error(401, "who are you", "invalid_api_key", None)).await;
    for (settings, says) in [(String::new(), "llm.base_url"), (with(&refused), "key")] {
        let app = TestApp::with(&settings).await;
        let (status, body) =
            typed_json(&app, folder.path(), HOST, &format!("curl {HOST}/upload -F file=@meeting.flac")).await;
        assert_eq!((status, &body["transcript"], &body["summary"]), (200, &WORDS.into(), &Value::Null), "{body}");
        assert!(body["summary_error"].as_str().unwrap().contains(says), "{body}");
        app.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_heard_is_told_in_its_shape() {
    let (app, folder) = (TestApp::start().await, folder());
    std::fs::write(folder.path().join("words.mp3"), "only words").unwrap();
    for (request, status, says) in [
        ("/upload", 405, "takes POST"),
        ("/upload -X POST", 400, "There is no file \"file\""),
        ("/upload --json '{\"file\": \"<audio_file>\"}'", 400, "base64"),
        ("/upload --json '{\"file\": \"\"}'", 400, "There is no file \"file\""),
        ("/upload --json '{\"file\": \"http://10.0.0.1/a.mp3\"}'", 403, "refused"),
        ("/upload --json '[1]'", 400, "must be a JSON object"),
        ("/upload -F file=@meeting.flac -F language=klingon", 422, "klingon"),
        ("/upload -F file=@words.mp3", 422, "audio nor video"),
        // A form in which no file was chosen.
        ("/process/audio -F file=", 400, "There is no file \"file\""),
    ] {
        let answer = typed_json(&app, folder.path(), HOST, &format!("curl {HOST}{request}")).await;
        check_detail(request, &answer, status, says);
    }
    assert_eq!(app.get("/api/tasks").await.1["total"], 1);
    let (_, task) = app.get("/api/tasks/1").await;
    assert_eq!(task["status"], "failed");
    assert_eq!(walk(&app.folder().join("data/media")).len(), 1);
    app.finish().await;
}
