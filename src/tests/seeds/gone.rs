//! Clients that go away before their answer comes: what they sent is heard all the same.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::super::support::{TestApp, sample_bytes};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_the_client_goes_away() {
    let app = TestApp::start().await;
    let address: SocketAddr = app.url.trim_start_matches("http://").parse().unwrap();
    let clip = sample_bytes("en-known-04.flac");
    for (count, (path, part)) in [
        ("/upload", "file"),
        ("/process/audio", "file"),
        ("/transcribe/file", "file"),
        ("/transcribe/binary?ext=flac", ""),
        ("/asr?output=srt", "audio_file"),
        ("/detect-language", "audio_file"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = Vec::new();
        if !part.is_empty() {
            let head = format!("--X\r\nContent-Disposition: form-data; name=\"{part}\"; filename=\"a.flac\"\r\n\r\n");
            body.extend(head.into_bytes());
        }
        body.extend(&clip);
        if !part.is_empty() {
            body.extend(b"\r\n--X--\r\n");
        }
        let kind = if part.is_empty() { "application/octet-stream" } else { "multipart/form-data; boundary=X" };
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut events = app.app.services.queue.wake().events();
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
        let made = |list: &Value| list["total"] == count as i64 + 1;
        while !made(&app.get("/api/tasks").await.1) {
            events.changed().await.unwrap();
        }
        drop(client);
    }
    for id in 1..=6 {
        let task = app.end(id).await;
        assert_eq!(task["result"]["text"], "The music is near the long box.", "{task}");
    }
    app.finish().await;
}
