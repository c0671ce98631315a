//! Servers that fail, lie, or say nothing.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tracing_subscriber::fmt::MakeWriter;

use super::{
    KEY, honest, remote, remote_with, run,
    server::{Asr, Said, in_turn},
    times,
};
use crate::{
    domain::Span,
    error::{Code, Error},
    transcribe::engine::Engine,
};

async fn fail(said: Said) -> (Error, super::Remote, Asr) {
    let server = Asr::start(in_turn(vec![said])).await;
    let remote = remote(&server.url);
    let error = run(&remote, 2, json!({})).await.unwrap_err();
    (error, remote, server)
}

#[tokio::test]
async fn refusals_are_for_good_and_name_what_to_correct() {
    let told =
        json!({"error": {"message": "Incorrect API key provided: sk-do-not-show.", "type": "invalid_request_error"}});
    let (error, remote, _server) = fail(Said::Json(401, told)).await;
    assert_eq!((error.code, error.is_retryable()), (Code::Config, false));
    assert_eq!(error.detail, "The server lab does not let us in (401): \"Incorrect API key provided: ….\"");
    assert_eq!(error.hint, "Correct `engine.remote.lab.api_key`.");
    let status = remote.status().remove(0);
    assert_eq!((status.state.as_str(), status.problem), ("failed", Some(error.detail)));
    assert_eq!(remote.wait(), None);

    let (error, remote, _server) = fail(Said::Json(400, json!({"detail": "no such audio"}))).await;
    assert_eq!((error.code, error.is_retryable()), (Code::RemoteEngine, false));
    assert!(error.detail.ends_with("\"no such audio\""), "{}", error.detail);
    assert_eq!(remote.problem(), None);

    let (error, ..) = fail(Said::Raw(307, vec![("location", "http://127.0.0.1:1/".to_owned())], Vec::new())).await;
    assert_eq!((error.code, error.is_retryable()), (Code::Config, false));
}

#[tokio::test]
async fn troubles_pass_and_the_server_is_left_alone_meanwhile() {
    for status in [429, 503] {
        let (error, remote, server) =
            fail(Said::Raw(status, vec![("retry-after", "40".to_owned())], b"<b>".to_vec())).await;
        assert_eq!((error.code, error.retry_after), (Code::RemoteEngine, Some(Duration::from_secs(40))));
        assert!(error.is_retryable() && !error.detail.contains("<b>"), "{}", error.detail);
        assert!(remote.wait().unwrap() > Duration::from_secs(35));
        assert_eq!((remote.status()[0].state.as_str(), remote.problem()), ("waiting", Some(error.detail)));
        assert_eq!(server.seen().asked.len(), 1);
    }
    let (error, remote, _server) = fail(Said::Json(500, json!({"error": "out of memory"}))).await;
    assert_eq!(error.detail, "The server lab answered with status 500: \"out of memory\"");
    assert!(remote.wait().unwrap() <= Duration::from_secs(1));

    let gone = Asr::start(honest).await.url.clone();
    let error = run(&remote_with(&gone, |_| {}), 2, json!({})).await.unwrap_err();
    assert_eq!((error.code, error.is_retryable()), (Code::RemoteEngine, true));
    assert_eq!(error.detail, "The server lab cannot be used: 127.0.0.1 cannot be reached");
}

#[tokio::test]
async fn a_success_makes_up_for_a_failure() {
    let failure = || Said::Json(500, json!({}));
    let good = Said::Json(200, json!({"text": "Hi.", "segments": [{"start": 0, "end": 1, "text": "Hi."}]}));
    let server = Asr::start(in_turn(vec![failure(), good])).await;
    let remote = remote(&server.url);
    assert!(run(&remote, 2, json!({})).await.is_err() && remote.wait().is_some());
    assert_eq!(run(&remote, 2, json!({})).await.unwrap().transcript.text, "Hi.");
    assert_eq!((remote.wait(), remote.status()[0].state.as_str()), (None, "ready"));
}

#[tokio::test]
async fn silence_and_rubbish_are_failures() {
    let silent = Asr::start(|_| Said::Hang).await;
    let hasty = remote_with(&silent.url, |config| config.timeout = Span(Duration::from_millis(300)));
    let error = run(&hasty, 2, json!({})).await.unwrap_err();
    assert_eq!(
        (error.code, error.detail.as_str()),
        (Code::RemoteEngine, "The server lab cannot be used: 127.0.0.1 is too slow")
    );

    let raw = |body: &[u8]| Said::Raw(200, Vec::new(), body.to_vec());
    let deep = [b"[".repeat(10_000), b"]".repeat(10_000)].concat();
    for rubbish in [&b""[..], b"<html>", b"{\"text\": NaN}", b"[]", b"{\"text\": 5}", b"\xFF\xFE", &deep] {
        let (error, ..) = fail(raw(rubbish)).await;
        assert_eq!(error.detail, "The server lab gave no transcript. Its answer cannot be read");
        assert!(error.is_retryable());
    }
    let (error, ..) = fail(raw(br#"{"error":"failed to process audio"}"#)).await;
    assert_eq!(error.detail, "The server lab failed: \"failed to process audio\"");
}

#[tokio::test]
async fn answers_that_are_too_much_for_their_piece_are_failures() {
    let text = |length: usize| Said::Json(200, json!({ "text": "x".repeat(length) }));
    let (error, ..) = fail(text(300 * 1024)).await;
    assert_eq!(error.detail, "The server lab gave no transcript. Its answer is too long");
    let (error, ..) = fail(text(1_300)).await;
    assert_eq!(error.detail, "The server lab gave no transcript. Nobody says as much in that time");
    assert!(error.code == Code::RemoteEngine && error.is_retryable());
}

#[tokio::test]
async fn a_server_that_takes_less_gets_less_once() {
    let server = Asr::start(|asked| {
        // 413 as nginx says it.
        if asked.file.len() > 600_000 { Said::Raw(413, Vec::new(), b"<html>".to_vec()) } else { honest(asked) }
    })
    .await;
    let done = run(&remote(&server.url), 65, json!({})).await.unwrap().transcript;
    let seen = server.seen();
    let refused = seen.asked.iter().filter(|asked| asked.file.len() > 600_000).count();
    assert!(refused <= 2, "the pieces after the first ones are short from the beginning: {refused}");
    let mut at = 0.0;
    for segment in &done.segments {
        assert!((segment.start - at).abs() < 1e-6, "a gap at {at}");
        assert!(segment.end > at && segment.text.starts_with("From "));
        at = segment.end;
    }
    assert_eq!(at, 65.0);

    let never =
        Asr::start(|_| Said::Json(413, json!({"error": {"message": "Maximum content size limit exceeded"}}))).await;
    let error = run(&remote(&never.url), 20, json!({})).await.unwrap_err();
    assert_eq!((error.code, error.is_retryable()), (Code::TooLarge, false));
    assert_eq!(error.hint, "Lower `engine.remote.lab.max_bytes`.");
    let sent: Vec<f64> = never.seen().asked.iter().map(|asked| times(asked).1).collect();
    assert!(sent.len() == 2 && sent[0] == 20.0 && sent[1] <= 10.0, "{sent:?}");
}

#[tokio::test]
async fn an_address_that_is_not_public_needs_the_operators_word() {
    let server = Asr::start(honest).await;
    let net = crate::net::Net::new(&crate::config::Config::defaults().net).unwrap();
    let remote = super::Remote::new("lab", &super::config(&server.url), net).unwrap();
    let error = run(&remote, 2, json!({})).await.unwrap_err();
    assert_eq!((error.code, error.is_retryable()), (Code::Config, false));
    assert!(error.hint.contains("engine.remote.lab.url") && error.hint.contains("net.allow_hosts"), "{}", error.hint);
    assert!(server.seen().asked.is_empty());
}

/// Many servers refuse from the head alone, and do not read the rest.
#[tokio::test]
async fn an_early_refusal_is_heard() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 512];
        assert!(stream.read(&mut head).await.unwrap() > 0);
        let answer = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
        // Reads on until the client has gone, as servers do that want their answer to arrive.
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    });
    let error = run(&remote(&url), 29, json!({})).await.unwrap_err();
    assert_eq!(error.code, Code::Config, "{}", error.chain());
    server.await.unwrap();
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Write::write(&mut *self.0.lock().unwrap(), bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn keys_and_answers_are_not_logged() {
    let log = Log::default();
    let everything = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let _guard = tracing::subscriber::set_default(everything);
    let told: Value = json!({"error": {"message": format!("bad key {KEY}")}});
    for said in [Said::Json(401, told), Said::Json(500, json!({"detail": KEY})), Said::Raw(200, Vec::new(), KEY.into())]
    {
        let (error, remote, _server) = fail(said).await;
        tracing::warn!(error = %error.chain(), whole = ?error, status = ?remote.status(), "failed");
    }
    let text = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(text.contains("answered with status 500"), "the log is empty");
    assert!(!text.contains(KEY), "{}", text.lines().find(|line| line.contains(KEY)).unwrap());
}
