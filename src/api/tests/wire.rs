//! Requests as bytes on a socket, as no proper client sends them: numbers are those of research/security.md §7.

use std::time::Duration;

use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
};

use super::server::{Running, read_all, start};
use crate::{config::AuthMode, domain::Span};

const POST: &str = "POST /api/tasks HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
const LIVE: &str = "GET /live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/// Sends everything, then nothing more, and reads to the end.
async fn say(running: &Running, request: &str) -> String {
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    read_all(&mut stream).await
}

/// 40.
#[tokio::test]
async fn a_length_that_lies_is_found_out() {
    let running = start(|_| ()).await;
    let short = say(&running, &format!("{POST}content-length: 100\r\n\r\n{{\"link\": \"https:")).await;
    assert!(short.is_empty() || short.starts_with("HTTP/1.1 400 "), "{short}");
    let two = say(&running, &format!("{POST}content-length: 2\r\ncontent-length: 300\r\n\r\n{{}}{LIVE}")).await;
    assert!(two.starts_with("HTTP/1.1 400 ") && two.matches("HTTP/1.1 ").count() == 1, "{two}");
    // With chunks no length counts, and as a proxy may have thought otherwise, nothing that follows is taken for a request.
    let body = r#"{"lnik": "x"}"#;
    let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\n{LIVE}", body.len());
    let (length, chunked) = ("content-length: 10\r\n", "transfer-encoding: chunked\r\n");
    for head in [format!("{length}{chunked}"), format!("{chunked}{length}")] {
        let both = say(&running, &format!("{POST}{head}\r\n{chunks}")).await;
        assert!(both.starts_with("HTTP/1.1 422 ") && both.contains("lnik"), "{both}");
        assert_eq!(both.matches("HTTP/1.1 ").count(), 1, "{both}");
    }
    let wild = say(&running, &format!("{POST}{chunked}\r\nffffffffffffffffff\r\n{{}}")).await;
    assert!(wild.is_empty() || wild.starts_with("HTTP/1.1 400 "), "{wild}");
}

#[tokio::test]
async fn a_client_that_sends_all_before_it_reads_is_told_why_not() {
    let running = start(|config| config.auth.mode = AuthMode::On).await;
    let length = 8 * 1024 * 1024;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let head = format!("{POST}connection: close\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    // More than the system's buffers hold: somebody has to take it.
    let body = vec![b' '; length];
    tokio::time::timeout(Duration::from_secs(20), stream.write_all(&body)).await.expect("nobody takes it").unwrap();
    let answer = read_all(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("\"unauthorized\""), "{answer}");
}

#[tokio::test]
async fn two_hosts_are_none() {
    let running = start(|_| ()).await;
    let head = "GET /live HTTP/1.1\r\nhost: 127.0.0.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    let answer = say(&running, head).await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("Host"), "{answer}");
}

/// 79: one that asks and asks and takes no answer gives its place back.
#[tokio::test]
async fn a_client_that_reads_nothing_is_closed() {
    let running = start(|config| {
        config.server.max_connections = 1;
        config.server.idle_timeout = Span(Duration::from_millis(200));
    })
    .await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut greedy = socket.connect(running.address).await.unwrap();
    // Far more than the system's buffers hold.
    let asked = "GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(40);
    greedy.write_all(asked.as_bytes()).await.unwrap();
    let mut other = TcpStream::connect(running.address).await.unwrap();
    other.write_all(LIVE.as_bytes()).await.unwrap();
    assert!(read_all(&mut other).await.starts_with("HTTP/1.1 200 OK"));
    let answers = read_all(&mut greedy).await;
    assert!(answers.matches("HTTP/1.1 200 OK").count() < 40, "all was taken");
}
