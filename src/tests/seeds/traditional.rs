//! The front end and back end of the distributed system: a file at once, Chinese in traditional characters.

use serde_json::Value;

use super::{
    super::support::{TestApp, sample},
    typed_json,
};

const HOST: &str = "http://140.96.170.75:8496";

async fn daemon() -> (TestApp, tempfile::TempDir) {
    let app = TestApp::with("models.aliases.large-v3 = \"smoke-q8_0\"\nmodels.aliases.large = \"smoke-q8_0\"").await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(sample("zh-new-19.mp3"), folder.path().join("your-audio.mp3")).unwrap();
    std::fs::copy(sample("zh-known-13.wav"), folder.path().join("your-audio.wav")).unwrap();
    std::fs::copy(sample("en-known-04.flac"), folder.path().join("english.flac")).unwrap();
    (app, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_requests_of_its_page_work() {
    let (app, folder) = daemon().await;
    let ask = async |command: &str| {
        let (status, body) = typed_json(&app, folder.path(), HOST, command).await;
        assert_eq!(status, 200, "{command}: {body}");
        body
    };
    let file = ask(r#"curl -X POST http://140.96.170.75:8496/transcribe/file \
  -F "file=@your-audio.mp3" \
  -F "model=large-v3" \
  -F "timestamps=true"
"#)
    .await;
    assert_eq!((&file["success"], &file["language"]), (&true.into(), &"zh".into()));
    assert_eq!(file["text"], "你現在學習音樂。你喜歡藍色的汽車。");
    assert!(file["process_time"].as_f64().unwrap() > 0.0, "{file}");
    let segments = file["segments"].as_array().unwrap();
    let texts: Vec<&str> = segments.iter().map(|segment| segment["text"].as_str().unwrap()).collect();
    assert_eq!(texts.concat(), file["text"]);
    assert!(segments.iter().all(|segment| segment["start"].as_f64() < segment["end"].as_f64()), "{file}");

    let binary = ask(r#"curl -X POST "http://140.96.170.75:8496/transcribe/binary?model=large-v3&ext=wav" \
  --data-binary "@your-audio.wav" \
  -H "Content-Type: application/octet-stream"
"#)
    .await;
    assert_eq!((&binary["success"], &binary["segments"]), (&true.into(), &Value::Null));
    assert_eq!(binary["text"], "那個圖片很大。他們明天要語言。");
    let (_, task) = app.get(&format!("/api/tasks/{}", binary["task_id"])).await;
    assert_eq!((&task["status"], &task["media"]["title"]), (&"completed".into(), &"audio.wav".into()));

    let models = ask("curl http://140.96.170.75:8496/models").await;
    assert_eq!((&models["success"], &models["default"]), (&true.into(), &"smoke-q8_0".into()));
    assert!(models["models"].as_array().unwrap().iter().any(|model| model["loaded"] == true), "{models}");
    let health = ask("curl http://140.96.170.75:8496/health").await;
    assert_eq!(health, serde_json::json!({ "status": "OK", "version": env!("CARGO_PKG_VERSION") }));

    // Other languages stay as they are, and another script can be asked for.
    let english = ask("curl http://140.96.170.75:8496/transcribe/file -F file=@english.flac").await;
    assert_eq!((&english["text"], &english["segments"]), (&"The music is near the long box.".into(), &Value::Null));
    let simple = ask("curl 'http://140.96.170.75:8496/transcribe/file?zh=hans' -F file=@your-audio.mp3").await;
    assert_eq!(simple["text"], "你现在学习音乐。你喜欢蓝色的汽车。");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_heard_is_told_in_its_shape() {
    let (app, folder) = daemon().await;
    std::fs::write(folder.path().join("words.mp3"), "only words").unwrap();
    std::fs::write(folder.path().join("empty.mp3"), "").unwrap();
    for (request, wanted, says) in [
        ("/transcribe/file", 405, "takes POST"),
        ("/transcribe/file -X POST", 400, "There is no file \"file\""),
        ("/transcribe/file -F model=large-v3", 400, "There is no file \"file\""),
        ("/transcribe/file -F audio=@english.flac", 400, "There is no file \"file\""),
        ("/transcribe/file --json '{\"file\": \"x\"}'", 400, "There is no file \"file\""),
        ("/transcribe/file --json '{\"file\":'", 400, "JSON"),
        ("/transcribe/file -H 'Content-Type: text/plain' -d x", 415, "not understood"),
        ("/transcribe/file -H 'Content-Type: multipart/form-data' -d x", 400, "boundary"),
        ("/transcribe/file -F file=@english.flac -F model=larg-v3", 422, "Did you mean"),
        ("/transcribe/file -F file=@english.flac -F model=large-v2", 503, "trawl models pull large-v2"),
        ("/transcribe/file -F file=@english.flac -F timestamps=perhaps", 422, "true or false"),
        ("/transcribe/file -F file=@english.flac -F language=klingon", 422, "klingon"),
        ("/transcribe/file -F file=@english.flac -F zh=tradtional", 422, "zh"),
        ("/transcribe/file -F file=@empty.mp3", 422, "zero bytes"),
        ("/transcribe/file -F file=@words.mp3", 422, "audio nor video"),
        ("/transcribe/binary -X POST", 422, "zero bytes"),
        ("/transcribe/binary?timestamps=2 --data-binary @english.flac", 422, "true or false"),
        ("/transcribe/binary?ext=wav --data-binary @words.mp3", 422, "audio nor video"),
    ] {
        let (status, body) = typed_json(&app, folder.path(), HOST, &format!("curl {HOST}{request}")).await;
        let error = body["error"].as_str().unwrap_or_default();
        assert_eq!((status, &body["success"]), (wanted, &false.into()), "{request}: {body}");
        assert!(error.contains(says) && error.ends_with(['.', '?']), "{request}: {body}");
    }
    // Only what could not be known before has become a task.
    assert_eq!(app.get("/api/tasks").await.1["total"], 2);
    app.finish().await;
}
