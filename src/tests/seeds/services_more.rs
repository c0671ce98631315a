//! Fast-Powerful-Whisper-AI-Services-API besides its tasks: films, summaries, callbacks tried out.

use std::process::Command;

use serde_json::{Value, json};

use super::{
    super::support::{LlmServer, Say, TestApp, sample, walk},
    services::{HERE, done, folder},
    typed, typed_json,
};

const SUMMARY: &str = "It is about music and a box.";

/// Makes a film of these inputs.
fn film(folder: &std::path::Path, name: &str, inputs: &[&str]) {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-nostdin", "-v", "error", "-f", "lavfi", "-i", "color=size=64x64:rate=5:duration=2"]);
    let done = ffmpeg.args(inputs).args(["-shortest", name]).current_dir(folder).status();
    assert!(done.unwrap().success(), "{name}");
}

/// What ffprobe says of a file: codec, rate, channels, length.
fn probed(folder: &std::path::Path, name: &str) -> String {
    let mut ffprobe = Command::new("ffprobe");
    ffprobe.args(["-v", "error", "-show_entries", "stream=codec_name,sample_rate,channels:format=duration"]);
    let said = ffprobe.args(["-of", "csv=p=0", name]).current_dir(folder).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sound_of_a_film_is_taken_out() {
    let (app, folder) = (TestApp::start().await, folder());
    film(folder.path(), "film.mp4", &["-i", sample("en-known-04.flac").to_str().unwrap()]);
    film(folder.path(), "silent.mp4", &[]);
    for (fields, name, wanted) in [
        ("", "sound.wav", "pcm_s16le,22050,1"),
        ("-F sample_rate=8000 -F bit_depth=1", "small.wav", "pcm_u8,8000,1"),
        ("-F output_format=mp3 -F sample_rate=44100", "sound.mp3", "mp3,44100,1"),
    ] {
        let command =
            format!("curl -D - -o {name} {HERE}/api/whisper/extract_audio -F 'file=@film.mp4;type=video/mp4' {fields}");
        let (status, head) = typed(&app, folder.path(), HERE, &command).await;
        assert_eq!(status, 200, "{}", std::fs::read_to_string(folder.path().join(name)).unwrap_or_default());
        let head = head.to_lowercase();
        let ending = &name[name.len() - 3..];
        assert!(
            head.contains(&format!("filename=\"extracted_audio.{ending}\"")) && head.contains("type: audio/"),
            "{head}"
        );
        let said = probed(folder.path(), name);
        let (stream, length) = said.trim().split_once('\n').unwrap();
        assert_eq!(stream, wanted, "{name}");
        assert!((1.5..2.5).contains(&length.parse::<f64>().unwrap()), "{name}: {said}");
    }
    for (fields, wanted, says) in [
        ("-F file=@silent.mp4", 400, "no sound"),
        ("-F 'file=@talk.flac;type=audio/flac'", 400, "says that it is no video"),
        ("-F 'file=@.curlrc;type=video/mp4'", 400, "neither audio nor video"),
        ("-F x=1", 400, "no part named"),
        ("-F file=@film.mp4 -F output_format=ogg", 422, "wav, mp3"),
        ("-F file=@film.mp4 -F bit_depth=3", 422, "1 or 2"),
        ("-F file=@film.mp4 -F sample_rate=1", 422, "8000 to 48000"),
        ("-F file=@film.mp4 -F sample_rate=10000 -F output_format=mp3", 422, "one of"),
    ] {
        let command = format!("curl {HERE}/api/whisper/extract_audio {fields}");
        let (status, body) = typed_json(&app, folder.path(), HERE, &command).await;
        assert_eq!(status, wanted, "{fields}: {body}");
        assert!(body["detail"].to_string().contains(says), "{fields}: {body}");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transcript_is_summarised_and_the_key_told_to_nobody() {
    let llm = LlmServer::answering(|_| Say::Text(SUMMARY.to_owned())).await;
    let settings = format!("llm.base_url = \"{}\"\nllm.model = \"gpt-3.5-turbo\"\nllm.api_key = \"own\"", llm.url);
    let (app, folder) = (TestApp::with(&settings).await, folder());
    let id = done(&app, &folder, "").await;
    let json = json!({
        "task_id": id, "chatgpt_api_key": "sk-theirs", "chatgpt_prompt": "", "chatgpt_model": "gpt-3.5-turbo",
        "output_language": "zh", "save_to_database": true,
    });
    let ask = async |body: &str| {
        typed_json(&app, folder.path(), HERE, &format!("curl {HERE}/api/chatgpt/summary {body}")).await
    };
    for (body, key) in [
        (format!("--json '{json}'"), "Bearer sk-theirs"),
        (format!("-d task_id={id} -d chatgpt_api_key= -d output_language=zh"), "Bearer own"),
    ] {
        let (status, said) = ask(&body).await;
        assert_eq!(status, 200, "{said}");
        let data = &said["data"];
        assert_eq!(data["task_text"], "The music is near the long box.");
        let completion = &data["chat_completion"];
        assert_eq!(
            (&completion["object"], &completion["choices"][0]["message"]["content"]),
            (&json!("chat.completion"), &json!(SUMMARY))
        );
        assert!(completion["usage"]["total_tokens"].as_i64().is_some_and(|tokens| tokens > 0), "{completion}");
        assert!(!said.to_string().contains("sk-theirs"), "{said}");
        let asked = llm.asked().pop().unwrap();
        assert_eq!(asked.authorization.as_deref(), Some(key));
        assert_eq!(asked.data(), "The music is near the long box.");
        assert!(asked.said_by("system")[0].contains("Answer in this language: zh"), "{asked:?}");
    }
    for (body, wanted, says) in [
        (r#"--json '{}'"#.to_owned(), 422, "task_id"),
        (r#"--json '{"task_id": 99}'"#.to_owned(), 404, "Task not found"),
        (format!(r#"--json '{{"task_id": {id}, "chatgpt_model": "gpt-9"}}'"#), 422, "gpt-9"),
        (format!(r#"--json '{{"task_id": {id}, "chatgpt_api_key": "a b"}}'"#), 422, "printable"),
    ] {
        let (status, said) = ask(&body).await;
        assert_eq!(status, wanted, "{said}");
        assert!(said["detail"].to_string().contains(says), "{said}");
    }
    let files = walk(&app.folder().join("data"));
    let holds =
        |file: &std::path::PathBuf| std::fs::read(file).unwrap_or_default().windows(9).any(|part| part == b"sk-theirs");
    assert_eq!(files.into_iter().find(holds), None, "the key is on the disk");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_language_model_it_says_what_to_set() {
    let (app, folder) = (TestApp::start().await, folder());
    let id = done(&app, &folder, "").await;
    let (status, said) =
        typed_json(&app, folder.path(), HERE, &format!("curl {HERE}/api/chatgpt/summary -d task_id={id}")).await;
    assert_eq!(
        (status, said["detail"]["hint"].as_str().is_some_and(|hint| hint.contains("llm.base_url"))),
        (500, true),
        "{said}"
    );
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_are_tried_out_and_it_is_healthy() {
    let (app, folder) = (TestApp::start().await, folder());
    let test = async |body: &str| {
        let command = format!("curl {HERE}/api/whisper/callback/test -H 'Content-Type: application/json' -d '{body}'");
        typed_json(&app, folder.path(), HERE, &command).await
    };
    let (status, said) = test(r#"{"id": 7}"#).await;
    assert_eq!(
        (status, &said["params"], &said["data"]["callback_data"]),
        (200, &json!({ "id": 7 }), &json!({ "id": 7 }))
    );
    assert_eq!(said["data"]["message"], "Callback interface test successful.");
    let (_, said) = test("{}").await;
    assert_eq!(said["data"]["callback_data"]["status"], "completed", "{said}");
    let healthy: (u16, Value) = typed_json(&app, folder.path(), HERE, &format!("curl {HERE}/api/health/check")).await;
    assert_eq!(healthy, (200, json!({ "status": "ok" })));
    app.finish().await;
}
