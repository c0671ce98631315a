//! The server over real sockets.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::Api;
use crate::{api::serve, config::Config, domain::Span, error::Result};

pub(super) struct Running {
    api: Api,
    pub(super) address: SocketAddr,
    stop: CancellationToken,
    server: JoinHandle<Result<()>>,
}

pub(super) async fn start(change: impl FnOnce(&mut Config)) -> Running {
    let api = Api::with(change).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let server = tokio::spawn(serve(api.state.clone(), listener, stop.clone()));
    Running { api, address, stop, server }
}

pub(super) async fn read_all(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    // A reset instead of a clean end is an end, too.
    let _ = tokio::time::timeout(Duration::from_secs(20), stream.read_to_string(&mut text)).await.unwrap();
    text
}

#[tokio::test]
async fn a_half_sent_head_is_closed_and_others_are_served() {
    let running = start(|config| config.server.head_timeout = Span(Duration::from_millis(200))).await;
    let mut slow = TcpStream::connect(running.address).await.unwrap();
    slow.write_all(b"GET /live HTTP/1.1\r\nhost: localhost\r\n").await.unwrap();
    let mut quick = TcpStream::connect(running.address).await.unwrap();
    quick.write_all(b"GET /live HTTP/1.1\r\nhost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    assert!(read_all(&mut quick).await.ends_with("{\"status\":\"live\"}"));
    assert_eq!(read_all(&mut slow).await, "");
}

#[tokio::test]
async fn who_comes_when_all_places_are_taken_waits() {
    let running = start(|config| config.server.max_connections = 1).await;
    let first = TcpStream::connect(running.address).await.unwrap();
    let mut second = TcpStream::connect(running.address).await.unwrap();
    second.write_all(b"GET /live HTTP/1.1\r\nhost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    drop(first);
    assert!(read_all(&mut second).await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn stopping_ends_views_and_waits() {
    let running = start(|_| ()).await;
    running.api.task().await;
    let mut view = TcpStream::connect(running.address).await.unwrap();
    view.write_all(b"GET /api/tasks/1/events HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut wait = TcpStream::connect(running.address).await.unwrap();
    wait.write_all(b"GET /api/tasks/1?wait=60 HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let idle = TcpStream::connect(running.address).await.unwrap();
    let mut first = [0; 15];
    view.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    running.stop.cancel();
    tokio::time::timeout(Duration::from_secs(20), running.server).await.unwrap().unwrap().unwrap();
    assert!(read_all(&mut view).await.ends_with("0\r\n\r\n"));
    assert!(read_all(&mut wait).await.contains("\"status\":\"queued\""));
    assert!(running.api.state.draining.load(std::sync::atomic::Ordering::Relaxed));
    drop(idle);
}

#[tokio::test]
async fn silence_ends_no_answer_that_is_worked_on() {
    let running = start(|config| config.server.idle_timeout = Span(Duration::from_millis(300))).await;
    running.api.task().await;
    let url = format!("http://{}/api/tasks/1?wait=1", running.address);
    let mut view = TcpStream::connect(running.address).await.unwrap();
    view.write_all(b"GET /api/tasks/1/events HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut idle = TcpStream::connect(running.address).await.unwrap();
    idle.write_all(b"GET /live HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    // In frames, silence is all that can be seen from outside.
    let _ = rustls::crypto::ring::default_provider().install_default();
    for client in [reqwest::Client::builder(), reqwest::Client::builder().http2_prior_knowledge()] {
        let answer = client.no_proxy().build().unwrap().get(&url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.text().await.unwrap().contains("queued"));
    }
    assert!(read_all(&mut idle).await.ends_with("{\"status\":\"live\"}"), "an idle one is closed");
    running.stop.cancel();
    assert!(read_all(&mut view).await.ends_with("0\r\n\r\n"), "the view has lived on until the end");
}

/// Connections that this test may hold, both ends, up to 10,000: half of the process's files, the rest is for the others.
fn affordable() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` has room for what is written.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) }, 0);
    let files = usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX);
    (files / 4).clamp(100, 10_000)
}

#[tokio::test]
async fn idle_connections_do_no_harm() {
    let count = affordable();
    let running = start(|config| config.server.max_connections = count * 9 / 10).await;
    let mut idle = Vec::new();
    for _ in 0..count {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(b"GET /live HTTP/1.1\r\n").await.unwrap();
        idle.push(stream);
    }
    let mut quick = TcpStream::connect(running.address).await.unwrap();
    quick.write_all(b"GET /live HTTP/1.1\r\nhost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    assert!(read_all(&mut quick).await.starts_with("HTTP/1.1 200 OK"), "{count} idle connections are in the way");
}

#[tokio::test]
async fn heads_have_limits() {
    let running = start(|_| ()).await;
    let send = async |head: String| {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        // The server may stop listening before all is sent.
        let _ = stream.write_all(head.as_bytes()).await;
        read_all(&mut stream).await
    };
    let lines: String = (0..10_000).map(|number| format!("x-{number}: y\r\n")).collect();
    let many = send(format!("GET /live HTTP/1.1\r\nhost: localhost\r\n{lines}\r\n")).await;
    assert!(many.is_empty() || many.starts_with("HTTP/1.1 431 "), "{many}");
    let lines: String = (0..101).map(|number| format!("x-{number}: y\r\n")).collect();
    let some = send(format!("GET /live HTTP/1.1\r\nhost: localhost\r\n{lines}\r\n")).await;
    assert!(some.starts_with("HTTP/1.1 431 "), "{some}");
    assert_eq!(send(format!("GET /live HTTP/1.1\r\nx: {}", "y".repeat(200_000))).await, "");
    let path = send(format!("GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n", "a".repeat(70_000))).await;
    assert!(path.starts_with("HTTP/1.1 414 "), "{path}");
}
