//! Over real HTTP on loopback: the limits that the transport is told are those that stop it.

use std::net::SocketAddr;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::{Request, Response, Transport, TransportError};

/// Says that a file is long, sends more than the head, and then waits for the client to leave.
async fn serve(listener: TcpListener) {
    while let Ok((mut stream, address)) = listener.accept().await {
        tokio::spawn(async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await?);
            }
            let (headers, body) = match String::from_utf8_lossy(&head).split(' ').nth(1) {
                Some("/talk") => ("Content-Type: text/html", b"<title>Talk</title><audio src=/talk.mp3>".to_vec()),
                Some("/talk.mp3") => (
                    "Content-Type: audio/mpeg\r\nContent-Length: 50000000",
                    [b"ID3".as_slice(), &[0; 100_000]].concat(),
                ),
                _ => ("Content-Type: text/plain", b"what?".to_vec()),
            };
            stream.write_all(format!("HTTP/1.1 200 OK\r\n{headers}\r\nConnection: close\r\n\r\n").as_bytes()).await?;
            let sent = stream.write_all(&body).await;
            if headers.contains("50000000") {
                // The rest never comes: whoever wants all of it hangs here.
                let _ = stream.read_u8().await;
            }
            tracing::debug!(%address, "served");
            sent
        });
    }
}

/// A client that reads exactly what it was told to.
struct Client;

#[async_trait]
impl Transport for Client {
    async fn fetch(&self, request: Request) -> Result<Response, TransportError> {
        self.get(&request).await.map_err(|error| TransportError {
            code: "net.io".to_owned(),
            message: error.to_string(),
            retryable: true,
            retry_after: None,
        })
    }
}

impl Client {
    async fn get(&self, request: &Request) -> std::io::Result<Response> {
        let address: SocketAddr = request.url.socket_addrs(|| None)?[0];
        let mut stream = TcpStream::connect(address).await?;
        let line = format!("GET {} HTTP/1.1\r\nHost: {address}\r\n", request.url.path());
        let headers: String = request.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        stream.write_all(format!("{line}{headers}\r\n").as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let headers: Vec<(String, String)> =
            head.lines().filter_map(|line| line.split_once(": ")).map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
        let content_type = headers.iter().find(|(name, _)| name == "Content-Type").map(|(_, value)| value.as_str());
        let limit = request.body_limit(content_type);
        let mut body = Vec::new();
        let mut stream = stream.take(limit as u64);
        stream.read_to_end(&mut body).await?;
        let truncated = body.len() == limit;
        Ok(Response { url: request.url.clone(), status, headers, body: Bytes::from(body), truncated })
    }
}

#[tokio::test]
async fn a_page_and_its_file_resolve_without_pulling_the_file() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap();
    tokio::spawn(serve(listener));

    let found = resolve(&format!("看看这个 http://{host}/talk，很好"), &Client).await.unwrap();
    assert_eq!(urls(&found), [format!("http://{host}/talk.mp3")]);
    assert_eq!(found.title, "Talk");

    let found = resolve(&format!("http://{host}/talk.mp3"), &Client).await.unwrap();
    assert_eq!(found.candidates[0].size, Some(50_000_000));
    assert_eq!(found.candidates[0].container.as_deref(), Some("mp3"));

    let error = resolve(&format!("http://{host}/else"), &Client).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::NoMediaFound);
}
