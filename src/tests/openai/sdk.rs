//! OpenAI's own SDKs against the daemon. `make test` puts them in place (scripts/sdks.sh).

use std::path::PathBuf;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{TestApp, root};

const WORDS: &str = "We will go to the garden today. She will send the open table tonight.";

/// Where the SDKs are. A test that needs them fails without them.
fn home() -> PathBuf {
    let home = root().join("target/sdk");
    assert!(
        home.join("bin/node-for-tests").exists(),
        "no SDKs in {} (run scripts/sdks.sh, or make test)",
        home.display()
    );
    home
}

/// What a script has told of its calls.
async fn told(app: &TestApp, program: &str, script: &str) -> Value {
    let here = root().join("src/tests/openai").join(script);
    let mut command = Command::new(home().join("bin").join(program));
    command.arg(here).arg(&app.url).arg(root().join("models/smoke/samples")).arg(home().join("node"));
    command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1").kill_on_drop(true);
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn deltas(events: &Value) -> String {
    events.as_array().unwrap().iter().filter_map(|event| event["delta"].as_str()).collect()
}

/// What both SDKs must have seen.
fn check(told: &Value) {
    let (answer, usage) = (&told["json"], &told["json"]["usage"]);
    assert_eq!((&answer["text"], &answer["languages"]), (&json!(WORDS), &json!([{"code": "en"}])));
    assert_eq!((&usage["type"], usage["seconds"].as_f64()), (&json!("duration"), Some(6.0)));
    assert_eq!(told["bytes"]["text"], WORDS);
    // What was asked for here is heard a little differently.
    assert!(
        told["fields"]["text"].as_str().unwrap().starts_with("We will go to the garden today."),
        "{}",
        told["fields"]
    );
    let headers = &told["headers"];
    assert!(headers["x-task-id"].as_str().unwrap().parse::<i64>().unwrap() > 0);
    assert!(!headers["x-request-id"].as_str().unwrap().is_empty(), "{headers}");
    let models = told["models"].as_array().unwrap();
    for name in ["smoke-q8_0", "smoke", "whisper-1", "gpt-transcribe", "gpt-4o-transcribe", "gpt-4o-mini-transcribe"] {
        assert!(models.contains(&name.into()), "{name}: {models:?}");
    }
    assert!(!models.contains(&"tiny".into()), "a model that is not here: {models:?}");
    assert_eq!((&told["model"]["id"], &told["model"]["object"]), (&json!("whisper-1"), &json!("model")));

    assert_eq!(told["text"], format!("{WORDS}\n"));
    let (srt, vtt) = (told["srt"].as_str().unwrap(), told["vtt"].as_str().unwrap());
    assert!(srt.starts_with("1\n00:00:0") && srt.contains(" --> ") && srt.contains("\n\n2\n"), "{srt}");
    assert!(vtt.starts_with("WEBVTT\n\n") && vtt.contains("She will send"), "{vtt}");

    let verbose = &told["verbose"];
    assert_eq!(
        (&verbose["task"], &verbose["language"], &verbose["text"]),
        (&json!("transcribe"), &json!("english"), &json!(WORDS))
    );
    let segments = verbose["segments"].as_array().unwrap();
    assert_eq!((segments.len(), verbose.get("words")), (2, None));
    let members = [
        "id",
        "seek",
        "start",
        "end",
        "text",
        "tokens",
        "temperature",
        "avg_logprob",
        "compression_ratio",
        "no_speech_prob",
    ];
    assert!(members.iter().all(|member| !segments[0][member].is_null()), "{verbose}");
    assert_eq!((&segments[0]["id"], &segments[0]["text"]), (&json!(0), &json!("We will go to the garden today.")));
    let words = told["words"]["words"].as_array().unwrap();
    assert_eq!((words.len(), &words[0]["word"]), (14, &json!("We")));
    assert!(words.iter().all(|word| word["start"].as_f64() <= word["end"].as_f64()), "{words:?}");
    assert_eq!(told["words"]["segments"].as_array().map(Vec::len), Some(2));
    assert_eq!((told["only_words"].get("segments"), &told["only_words"]["words"]), (None, &told["words"]["words"]));

    let stream = told["stream"].as_array().unwrap();
    let kinds: Vec<&str> = stream.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["transcript.text.delta", "transcript.text.delta", "transcript.text.done"]);
    assert_eq!((deltas(&told["stream"]).as_str(), &stream[2]["text"]), (WORDS, &json!(WORDS)));
    let logprobs = told["logprobs"]["logprobs"].as_array().unwrap();
    let tokens: String = logprobs.iter().map(|each| each["token"].as_str().unwrap()).collect();
    assert!(tokens == WORDS && logprobs.iter().all(|each| each["logprob"].as_f64().unwrap() <= 0.0), "{logprobs:?}");

    assert_eq!(told["traditional"]["text"], "那個圖片很大。他們明天要語言。");
    assert_eq!(told["translation"]["text"], "That picture is very big. They want languages tomorrow.");
    let verbose = &told["verbose_translation"];
    assert_eq!((&verbose["task"], &verbose["language"]), (&json!("translate"), &json!("english")));

    for (name, class, status, code, param) in [
        ("no_media", "BadRequestError", 400, "not_media", Some("file")),
        ("no_media_streamed", "BadRequestError", 400, "not_media", Some("file")),
        ("empty", "BadRequestError", 400, "empty_media", Some("file")),
        ("model", "NotFoundError", 404, "model_not_found", Some("model")),
        ("missing_model", "InternalServerError", 503, "model_missing", Some("model")),
        ("speakers", "BadRequestError", 400, "diarization_unavailable", Some("response_format")),
        ("temperature", "BadRequestError", 400, "invalid_value", Some("temperature")),
        ("unknown_model", "NotFoundError", 404, "model_not_found", Some("model")),
    ] {
        let error = &told["errors"][name];
        let seen = (error["class"].as_str(), error["status"].as_u64(), error["code"].as_str(), error["param"].as_str());
        assert_eq!(seen, (Some(class), Some(status), Some(code), param), "{name}: {error}");
        let kind = if status < 500 { "invalid_request_error" } else { "server_error" };
        assert_eq!((&error["type"], &error["retries"]), (&json!(kind), &json!(0)), "{name}: {error}");
        assert!(error["message"].as_str().unwrap().ends_with(['.', '?']), "{error}");
        assert!(!error["request"].as_str().unwrap().is_empty(), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_sdk_gets_what_it_asks_for() {
    let app = TestApp::start().await;
    check(&told(&app, "python", "sdk.py").await);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_sdk_gets_what_it_asks_for() {
    let app = TestApp::start().await;
    check(&told(&app, "node-for-tests", "sdk.cjs").await);
    app.finish().await;
}
