//! Bodies that are too much, too slow or not what they seem.

use std::{io::Write, time::Duration};

use flate2::{Compression, write::GzEncoder};

use super::{
    net_with, open_net,
    server::{Act, Server, head, reply},
};
use crate::{domain::Span, error::Code, net::Get};

fn get(server: &Server) -> Get {
    Get { url: server.url("/page?token=geheim"), max_bytes: 1 << 20, ..Get::default() }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn any_status_is_a_reply() {
    for status in [200, 204, 304, 404, 429, 500] {
        let server = Server::start(move |_| reply(status, "Retry-After: 7\r\nX-A: b\r\n", b"")).await;
        let reply = open_net().get(get(&server)).await.unwrap();
        assert_eq!((reply.status, reply.header("x-a")), (status, Some("b")));
        assert_eq!(reply.check_status().is_ok(), status < 300);
    }
    let server = Server::start(|_| reply(429, "Retry-After: 7\r\n", b"")).await;
    let error = open_net().get(get(&server)).await.unwrap().check_status().unwrap_err();
    assert_eq!((error.code, error.retry_after), (Code::RateLimited, Some(Duration::from_secs(7))));
}

#[tokio::test]
async fn pages_are_unpacked_and_cut_at_the_limit() {
    let packed = gzip(&b"words ".repeat(1000));
    let server = Server::start(move |asked| {
        assert_eq!(asked.header("accept-encoding"), Some("gzip"));
        reply(200, "Content-Encoding: gzip\r\n", &packed)
    })
    .await;
    let net = open_net();
    let whole = net.get(get(&server)).await.unwrap();
    assert_eq!((whole.body.len(), whole.truncated), (6000, false));
    let exact = net.get(Get { max_bytes: 6000, ..get(&server) }).await.unwrap();
    assert_eq!((exact.body.len(), exact.truncated), (6000, false));
    let cut = net.get(Get { max_bytes: 5999, ..get(&server) }).await.unwrap();
    assert_eq!((cut.body.len(), cut.truncated), (5999, true));
}

#[tokio::test]
async fn a_bomb_is_stopped_at_the_limit() {
    // 64 MiB in 64 KiB.
    let bomb = gzip(&vec![0; 64 << 20]);
    assert!(bomb.len() < 100_000);
    let server = Server::start(move |_| reply(200, "Content-Encoding: gzip\r\n", &bomb)).await;
    let net = net_with(|config| config.max_page_bytes = 1 << 20);
    let reply = net.get(Get { max_bytes: u64::MAX, ..get(&server) }).await.unwrap();
    assert_eq!((reply.body.len(), reply.truncated), (1 << 20, true));
    assert!(reply.body.iter().all(|byte| *byte == 0));
}

#[tokio::test]
async fn endless_bodies_are_cut() {
    let server = Server::start(|_| {
        let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000)).into_bytes();
        vec![head(200, "Transfer-Encoding: chunked\r\n"), Act::Forever(chunk)]
    })
    .await;
    let reply = open_net().get(get(&server)).await.unwrap();
    assert_eq!((reply.body.len(), reply.truncated), (1 << 20, true));
}

#[tokio::test]
async fn broken_and_odd_answers_are_source_errors() {
    let many = (0..10_000).map(|n| format!("X-{n}: y\r\n")).collect::<String>();
    let long = format!("X-Long: {}\r\n", "y".repeat(70_000));
    let cases: Vec<Box<dyn Fn() -> Vec<Act> + Send + Sync>> = vec![
        Box::new(|| vec![head(200, "Content-Length: 100\r\n"), Act::Send(b"short".to_vec())]),
        Box::new(|| vec![head(200, "Transfer-Encoding: chunked\r\n"), Act::Send(b"5\r\nhello\r\n".to_vec())]),
        Box::new(|| vec![Act::Send(b"SSH-2.0-OpenSSH\r\n".to_vec())]),
        Box::new(|| vec![head(200, "Content-Encoding: gzip\r\n"), Act::Send(b"no gzip at all".to_vec())]),
        Box::new(|| reply(200, "Content-Encoding: zstd\r\n", b"(\xb5/\xfd")),
        Box::new(move || reply(200, &many, b"")),
        Box::new(move || reply(200, &long, b"")),
    ];
    for (number, case) in cases.into_iter().enumerate() {
        let server = Server::start(move |_| case()).await;
        let error = open_net().get(get(&server)).await.unwrap_err();
        assert_eq!(error.code, Code::SourceError, "case {number}");
        assert!(!error.chain().contains("geheim"), "case {number}: {}", error.chain());
    }
}

#[tokio::test]
async fn slow_servers_are_left() {
    let short = Span(Duration::from_millis(200));
    let no_head = Server::start(|_| vec![Act::Hang]).await;
    let drips = Server::start(|_| vec![head(200, ""), Act::Send(b"x".to_vec()), Act::Hang]).await;
    let quick = net_with(|config| (config.connect_timeout, config.first_byte_timeout) = (short, short));
    assert_eq!(quick.get(get(&no_head)).await.unwrap_err().code, Code::SourceTimeout);
    let stalls = net_with(|config| config.stall_window = short);
    assert_eq!(stalls.get(get(&drips)).await.unwrap_err().code, Code::SourceTimeout);
    let total = net_with(|config| config.total_timeout = short);
    assert_eq!(total.get(get(&drips)).await.unwrap_err().code, Code::SourceTimeout);
    assert_eq!(total.get(get(&no_head)).await.unwrap_err().code, Code::SourceTimeout);
}

#[tokio::test]
async fn a_closed_port_cannot_be_reached() {
    let server = Server::start(|_| vec![]).await;
    let request = get(&server);
    drop(server);
    // The listener closes when its task has ended.
    let error = loop {
        let error = open_net().get(request.clone()).await.unwrap_err();
        if error.code != Code::SourceError {
            break error;
        }
    };
    assert_eq!(error.code, Code::ConnectFailed);
    assert!(!error.chain().contains("geheim"), "{}", error.chain());
}

#[tokio::test]
async fn media_is_only_tasted() {
    let net = open_net();
    let mp4 = [&b"\0\0\0\x20ftypisom"[..], &[7; 100_000]].concat();
    let playlist = [&b"#EXTM3U\n"[..], &[b'\n'; 20_000]].concat();
    for (kind, body, read) in [
        ("video/mp4", vec![1; 100_000], 4096),
        ("application/octet-stream", vec![1; 100_000], 4096),
        ("text/plain", mp4.clone(), 4096),
        ("audio/mpegurl", playlist.clone(), 20_008),
        ("application/octet-stream", playlist, 20_008),
        ("text/html", b"<html>".repeat(1000), 6000),
        ("audio/mpeg", vec![1; 100], 100),
    ] {
        let expected = body.len();
        let server = Server::start(move |_| reply(200, &format!("Content-Type: {kind}; x=y\r\n"), &body)).await;
        let reply = net.get(Get { stop_if_media: true, ..get(&server) }).await.unwrap();
        assert_eq!(reply.body.len(), read, "{kind}");
        assert_eq!(reply.truncated, read < expected, "{kind}");
        let whole = net.get(get(&server)).await.unwrap();
        assert_eq!(whole.body.len(), expected);
    }
}

#[tokio::test]
async fn only_the_head() {
    let server = Server::start(|asked| {
        assert!(asked.line.starts_with("HEAD "));
        vec![head(200, "Content-Length: 1000\r\n")]
    })
    .await;
    let reply = open_net().get(Get { head_only: true, ..get(&server) }).await.unwrap();
    assert_eq!((reply.status, reply.header("content-length"), reply.body.len()), (200, Some("1000"), 0));
}

#[tokio::test]
async fn a_server_without_encryption_cannot_be_reached_over_https() {
    let server = Server::start(|_| reply(200, "", b"")).await;
    let url = server.url("/").replace("http:", "https:");
    let error = open_net().get(Get { url, ..get(&server) }).await.unwrap_err();
    assert_eq!((error.code, server.asked().len()), (Code::ConnectFailed, 0));
}
