//! whisper-asr-webservice: `/asr` and `/detect-language`, as its documentation page and Bazarr ask.

use serde_json::Value;

use super::{
    super::support::{TestApp, sample, sample_bytes},
    check_detail, typed, typed_json,
};

const HOST: &str = "http://localhost:9000";
const WORDS: &str = "Please send the lazy teacher at ten o'clock.";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(sample("en-known-12.wav"), folder.path().join("audio.wav")).unwrap();
    std::fs::copy(sample("zh-new-23.m4a"), folder.path().join("chinese.m4a")).unwrap();
    std::fs::write(folder.path().join("words.mp3"), "only words").unwrap();
    // As players hand on what they have decoded: 16 bits, mono, 16 kHz, and no header.
    std::fs::write(folder.path().join("bare"), &sample_bytes("en-known-12.wav")[44..]).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn every_output_comes_as_it_was_asked_for() {
    let (app, folder) = (TestApp::start().await, folder());
    let ask = async |request: &str| {
        let (status, body) = typed(&app, folder.path(), HOST, request).await;
        assert_eq!(status, 200, "{request}: {body}");
        body
    };
    let page = ask(r#"curl -X 'POST' \
  'http://localhost:9000/asr?encode=true&task=transcribe&language=en&initial_prompt=&vad_filter=false&word_timestamps=false&output=txt' \
  -H 'accept: application/json' \
  -H 'Content-Type: multipart/form-data' \
  -F 'audio_file=@audio.wav;type=audio/x-wav'
"#)
    .await;
    assert_eq!(page, format!("{WORDS}\n"));
    assert_eq!(ask("curl http://localhost:9000/asr -F audio_file=@audio.wav").await, page);
    let json: Value = serde_json::from_str(
        &ask("curl 'http://localhost:9000/asr?output=json&word_timestamps=true' -F audio_file=@audio.wav").await,
    )
    .unwrap();
    assert_eq!((&json["text"], &json["language"]), (&WORDS.into(), &"en".into()));
    assert_eq!(json["segments"][0]["words"][0]["word"].as_str().map(str::trim), Some("Please"));
    let vtt = ask("curl 'http://localhost:9000/asr?output=vtt' -F audio_file=@audio.wav").await;
    assert!(vtt.starts_with("WEBVTT\n\n") && vtt.contains(WORDS), "{vtt}");
    let tsv = ask("curl 'http://localhost:9000/asr?output=tsv' -F audio_file=@audio.wav").await;
    assert!(tsv.starts_with("start\tend\ttext\n") && tsv.contains(WORDS), "{tsv}");
    let chinese =
        ask("curl 'http://localhost:9000/asr?language=chinese&task=translate' -F audio_file=@chinese.m4a").await;
    assert_eq!(chinese, "That plane is very hot.\n");

    // With a header, which newer clients send all the same, and without.
    for file in ["audio.wav", "bare"] {
        let request = format!(
            "curl -i 'http://localhost:9000/asr?task=transcribe&language=en&output=srt&encode=false' -F 'audio_file=@{file};filename=audio_file'"
        );
        let srt = ask(&request).await.replace('\r', "");
        assert!(srt.contains("\n1\n00:00:0") && srt.contains(WORDS), "{file}: {srt}");
        let head = srt.to_lowercase();
        for line in [
            "asr-engine: whisper.cpp",
            "attachment; filename=\"audio_file.srt\"",
            "x-task-id: ",
            "application/x-subrip",
        ] {
            assert!(head.contains(line), "{file}, {line}: {srt}");
        }
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_language_is_told() {
    let (app, folder) = (TestApp::start().await, folder());
    for (request, name, code) in [
        ("/detect-language -F audio_file=@audio.wav", "english", "en"),
        ("/detect-language?encode=false -F audio_file=@bare", "english", "en"),
        ("/detect-language?encode=true -F audio_file=@chinese.m4a", "chinese", "zh"),
    ] {
        let (status, found) = typed_json(&app, folder.path(), HOST, &format!("curl '{HOST}'{request}")).await;
        assert_eq!((status, &found["detected_language"], &found["language_code"]), (200, &name.into(), &code.into()));
        let confidence = found["confidence"].as_f64().unwrap();
        assert!(confidence > 0.3 && confidence <= 1.0, "{found}");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_heard_is_told_in_its_shape() {
    let (app, folder) = (TestApp::start().await, folder());
    for (request, status, says) in [
        ("/asr", 405, "takes POST"),
        ("/asr -X POST", 400, "There is no file \"audio_file\""),
        ("/asr -F file=@audio.wav", 400, "There is no file \"audio_file\""),
        ("/asr?output=docx -F audio_file=@audio.wav", 422, "Known: txt, vtt, srt, tsv, json"),
        ("/asr?task=summarise -F audio_file=@audio.wav", 422, "task"),
        ("/asr?language=klingon -F audio_file=@audio.wav", 422, "klingon"),
        ("/asr?encode=2 -F audio_file=@audio.wav", 422, "true or false"),
        ("/asr?diarize=true -F audio_file=@audio.wav", 400, "tell speakers apart"),
        ("/asr -F audio_file=@words.mp3", 422, "audio nor video"),
        ("/detect-language -X POST", 400, "There is no file \"audio_file\""),
        ("/detect-language -F audio_file=@words.mp3", 422, "audio nor video"),
    ] {
        let answer = typed_json(&app, folder.path(), HOST, &format!("curl '{HOST}'{request}")).await;
        check_detail(request, &answer, status, says);
    }
    assert_eq!(app.get("/api/tasks").await.1["total"], 2);
    app.finish().await;
}
