//! whisper-api: its README's requests, and each of its routes.

use serde_json::{Value, json};
use tempfile::TempDir;
use trawl::{
    access::{Wanted, create},
    domain::{Quota, Scope},
};

use super::{
    super::support::{TestApp, sample},
    typed, typed_json,
};

const HOST: &str = "http://localhost:8080";
const WORDS: &str = "The music is near the long box.";

/// The README's requests, as they are written there.
const LOGIN: &str = r#"curl -X POST "http://localhost:8080/auth/token" -H "Content-Type: application/json" -d '{"api_key": "your-api-key"}'"#;
const CREATE: &str = r#"curl -X POST "http://localhost:8080/transcribe" -H "Authorization: Bearer <token>" -F "audio=@/path/to/audio.wav" -F "language=en" -F "output_format=json" -F "model=base" -F "temperature=0.7" -F "threads=4""#;
const LIST: &str = r#"curl -X GET "http://localhost:8080/transcribe" -H "Authorization: Bearer <token>""#;

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(sample("en-known-04.flac"), folder.path().join("audio.wav")).unwrap();
    folder
}

/// A request of the README with the reader's own token and file.
fn own(command: &str, token: &str) -> String {
    command.replace("<token>", token).replace("/path/to/", "")
}

async fn log_in(app: &TestApp, folder: &TempDir, key: &str) -> String {
    let (status, body) = typed_json(app, folder.path(), HOST, &LOGIN.replace("your-api-key", key)).await;
    assert_eq!(status, 200, "{body}");
    body["token"].as_str().unwrap().to_owned()
}

/// A new access token.
async fn key(app: &TestApp, name: &str) -> String {
    let scopes = [Scope::Read, Scope::Submit].into_iter().collect();
    let wanted = Wanted { name: name.to_owned(), scopes, quota: Quota::default(), expires_at: None };
    create(app.app.services.queue.store(), wanted).await.unwrap().1.text().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readme_s_requests_work_as_they_are_written() {
    let (app, folder) = (TestApp::with("models.aliases.base = \"smoke-q8_0\"").await, folder());
    // Open on loopback: any key will do.
    let token = log_in(&app, &folder, "your-api-key").await;
    assert_eq!(token.split('.').count(), 3, "{token}");
    let (status, job) = typed_json(&app, folder.path(), HOST, &own(CREATE, &token)).await;
    assert_eq!((status, &job["id"]), (200, &json!("1")), "{job}");
    assert!(job["created_at"].as_i64().is_some_and(|at| at > 1_700_000_000) && job["updated_at"].is_i64(), "{job}");
    assert!(["pending", "processing"].contains(&job["status"].as_str().unwrap()), "{job}");
    let task = app.end(1).await;
    assert_eq!((&task["status"], &task["options"]["threads"]), (&json!("completed"), &json!(4)), "{task}");
    let (status, jobs) = typed_json(&app, folder.path(), HOST, &own(LIST, &token)).await;
    assert_eq!(
        (status, jobs.as_array().map(Vec::len), &jobs[0]["status"]),
        (200, Some(1), &json!("completed")),
        "{jobs}"
    );
    let transcription: Value = serde_json::from_str(jobs[0]["transcription"].as_str().unwrap()).unwrap();
    assert!(transcription["segments"].is_array(), "{transcription}");

    for (format, begins) in [("srt", "1\n00:00:0"), ("vtt", "WEBVTT\n\n"), ("txt", WORDS), ("", WORDS)] {
        let command = format!("curl {HOST}/transcribe -F audio=@audio.wav -F output_format={format}");
        let (status, job) = typed_json(&app, folder.path(), HOST, &command).await;
        assert_eq!(status, 200, "{job}");
        let id = job["id"].as_str().unwrap();
        app.end(id.parse().unwrap()).await;
        let (_, job) = typed_json(&app, folder.path(), HOST, &format!("curl {HOST}/transcribe/{id}")).await;
        assert!(job["transcription"].as_str().is_some_and(|text| text.starts_with(begins)), "{format}: {job}");
    }
    let gone = typed(&app, folder.path(), HOST, &format!("curl -X DELETE {HOST}/transcribe/1")).await;
    assert_eq!(gone, (204, String::new()));
    let (status, said) = typed(&app, folder.path(), HOST, &format!("curl {HOST}/transcribe/1")).await;
    assert!(status == 404 && said.starts_with("Transcription not found"), "{said}");
    let (status, used) = typed_json(&app, folder.path(), HOST, &format!("curl {HOST}/usage")).await;
    assert_eq!((status, &used["user_id"]), (200, &json!("")), "{used}");
    assert!(used["request_count"].as_i64() > Some(10) && used["total_duration"].as_i64() > Some(0), "{used}");
    assert!(used["total_data_size"].as_i64() > Some(10_000) && used["last_used_at"].is_string(), "{used}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_tokens_are_needed_a_key_is_one_and_jobs_are_their_owner_s() {
    let (app, folder) = (TestApp::with("auth.mode = \"on\"\nmodels.aliases.base = \"smoke-q8_0\"").await, folder());
    let (one, other) = (key(&app, "one").await, key(&app, "other").await);
    for refused in ["your-api-key", "trw_abcdefgh_AAAA"] {
        let said = typed(&app, folder.path(), HOST, &LOGIN.replace("your-api-key", refused)).await;
        assert!(said.0 == 401 && said.1.starts_with("Invalid API key"), "{said:?}");
    }
    let token = log_in(&app, &folder, &one).await;
    let (status, job) = typed_json(&app, folder.path(), HOST, &own(CREATE, &token)).await;
    assert_eq!((status, &job["user_id"]), (200, &json!("1")), "{job}");
    let bearer = async |command: &str, token: &str| {
        let command = format!("curl {HOST}/{command} -H 'Authorization: Bearer {token}'");
        typed(&app, folder.path(), HOST, &command).await
    };
    let theirs = log_in(&app, &folder, &other).await;
    for command in ["transcribe/1", "transcribe/1 -X DELETE"] {
        assert_eq!(bearer(command, &theirs).await.0, 404, "{command}");
        for stranger in ["x.y.z", ""] {
            let said = bearer(command, stranger).await;
            assert!(said.0 == 401 && !said.1.starts_with('{'), "{command}: {said:?}");
        }
    }
    assert_eq!(bearer("transcribe", &theirs).await, (200, "[]".to_owned()));
    // Logging in anew is still the same user.
    let again = log_in(&app, &folder, &one).await;
    assert!(bearer("transcribe", &again).await.1.contains("\"id\":\"1\""));
    let used: Value = serde_json::from_str(&bearer("usage", &again).await.1).unwrap();
    assert_eq!(used["user_id"], "1");
    assert!(used["request_count"].as_i64().is_some_and(|count| (3..10).contains(&count)), "{used}");
    assert_eq!(bearer("transcribe/1 -X DELETE", &again).await.0, 204);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_in_a_sentence() {
    let (app, folder) = (TestApp::start().await, folder());
    for (case, wanted, says) in [
        ("transcribe -X POST", 400, "Invalid audio file"),
        ("transcribe -F language=en", 400, "Invalid audio file"),
        ("transcribe -F audio=@audio.wav -F output_format=docx", 422, "docx"),
        ("transcribe -F audio=@audio.wav -F temperature=hot", 422, "temperature"),
        ("transcribe -F audio=@audio.wav -F temperature=9", 422, "temperature"),
        ("transcribe -F audio=@audio.wav -F threads=-1", 422, "threads"),
        ("transcribe -F audio=@audio.wav -F model=nobody", 422, "nobody"),
        ("transcribe -F audio=@audio.wav -F language=klingon", 422, "klingon"),
        ("transcribe/9", 404, "Transcription not found"),
        ("transcribe/word", 404, "Transcription not found"),
        ("transcribe/9 -X DELETE", 404, "Transcription not found"),
        ("auth/token --json '{}'", 400, "Invalid request body"),
        ("auth/token --json '{'", 400, "Invalid request body"),
        ("auth/token --json '[\"api_key\"]'", 400, "Invalid request body"),
        ("auth/token --json '{\"api_key\": \"trw_wrong\"}'", 401, "Invalid API key"),
        ("auth/token", 405, "method"),
    ] {
        let (status, said) = typed(&app, folder.path(), HOST, &format!("curl {HOST}/{case}")).await;
        assert!(status == wanted && said.contains(says) && !said.starts_with('{'), "{case}: {status} {said}");
    }
    let empty = typed_json(&app, folder.path(), HOST, &format!("curl {HOST}/transcribe")).await;
    assert_eq!(empty, (200, json!([])));
    app.finish().await;
}
