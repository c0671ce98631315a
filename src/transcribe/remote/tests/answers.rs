//! Servers whose answers have less than OpenAI's.

use serde_json::json;

use super::{
    remote, run,
    server::{Asked, Asr, Said},
    times,
};

fn text_only(asked: &Asked) -> Said {
    let (start, _) = times(asked);
    Said::Json(200, json!({"text": format!("From {start}.")}))
}

#[tokio::test]
async fn without_times_pieces_are_short_and_the_reader_is_told() {
    let server = Asr::start(text_only).await;
    let remote = super::remote_with(&server.url, |config| config.max_bytes = 10_000_000);
    let done = run(&remote, 100, json!({})).await.unwrap().transcript;
    let sent: Vec<f64> = server.seen().asked.iter().map(|asked| times(asked).1).collect();
    assert!(sent[0] > 99.0 && sent[1..].iter().all(|length| *length <= 30.0), "{sent:?}");
    assert_eq!(done.segments.len(), sent.len() - 1);
    assert!((done.segments[1].start - sent[1]).abs() < 0.011, "{:?}", done.segments);
    assert_eq!((done.segments[0].start, done.segments.last().unwrap().end), (0.0, 100.0));
    assert_eq!(done.language, "");
    let told = ["The server lab gives no times: segments are as long as the pieces that it was sent"];
    assert_eq!(done.warnings, told);
    // It is remembered.
    assert_eq!(run(&remote, 100, json!({})).await.unwrap().transcript.segments, done.segments);
    assert_eq!(server.seen().asked.len(), sent.len() * 2 - 1);
}

#[tokio::test]
async fn a_model_without_verbose_json_is_asked_for_plain() {
    let server = Asr::start(|asked| match asked.field("response_format")[..] {
        ["json"] => text_only(asked),
        _ => {
            let message = "response_format 'verbose_json' is not compatible with model 'gpt-4o-transcribe'. Use 'json' or 'text' instead.";
            let error = json!({"message": message, "type": "invalid_request_error", "param": "response_format", "code": "unsupported_value"});
            Said::Json(400, json!({ "error": error }))
        }
    })
    .await;
    let remote = remote(&server.url);
    for _ in 0..2 {
        assert_eq!(run(&remote, 5, json!({"word_timestamps": true})).await.unwrap().transcript.text, "From 0.");
    }
    let seen = server.seen();
    assert_eq!(seen.asked.len(), 3);
    assert!(seen.asked[1..].iter().all(|asked| asked.field("timestamp_granularities[]").is_empty()));
}

#[tokio::test]
async fn repetitions_are_dropped_here_too() {
    let segment = |at: usize| json!({"start": at, "end": at + 1, "text": " Thank you."});
    let segments: Vec<_> = (0..5).map(segment).collect();
    let server = Asr::start(move |_| Said::Json(200, json!({"text": "x", "segments": segments.clone()}))).await;
    let done = run(&remote(&server.url), 5, json!({})).await.unwrap().transcript;
    assert_eq!(done.text, "Thank you.");
    assert_eq!(done.warnings, ["A repetition was dropped: \"Thank you.\" was heard 5 times in a row"]);
}

#[tokio::test]
async fn a_language_that_nobody_tells_is_seen_in_the_script() {
    let said = |text: &'static str| async move {
        let server = Asr::start(move |_| Said::Json(200, json!({ "text": text }))).await;
        run(&remote(&server.url), 5, json!({})).await.unwrap().transcript.language
    };
    assert_eq!(said("今天我们说 Rust。").await, "zh");
    assert_eq!(said("今日はRustの話です。").await, "ja");
    assert_eq!(said("Today we speak of 网.").await, "");
}

#[tokio::test]
async fn the_language_is_what_was_heard_most() {
    let server = Asr::start(|asked| {
        let (start, length) = times(asked);
        let language = if start == 0.0 { "en" } else { "chinese" };
        let segment = json!({"start": 0, "end": length, "text": format!("From {start}.")});
        Said::Json(200, json!({"language": language, "text": "x", "segments": [segment]}))
    })
    .await;
    let done = run(&remote(&server.url), 100, json!({})).await.unwrap().transcript;
    assert_eq!((done.language.as_str(), done.language_probability), ("zh", 1.0));
    assert!(done.language_probs.is_empty());
}
