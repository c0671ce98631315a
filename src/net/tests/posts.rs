//! Callbacks.

use std::time::Duration;

use bytes::Bytes;

use super::{
    open_net,
    server::{Act, Server, head, redirect, reply},
};
use crate::{error::Code, net::Post};

fn post(server: &Server) -> Post {
    Post {
        url: server.url("/hook"),
        headers: vec![("Content-Type".into(), "application/json".into()), ("webhook-id".into(), "msg_1".into())],
        body: Bytes::from_static(b"{}"),
        timeout: Duration::from_secs(5),
    }
}

#[tokio::test]
async fn a_callback_is_sent_as_it_is() {
    let server = Server::start(|_| reply(503, "Retry-After: 3\r\n", "müde\x07".as_bytes())).await;
    let reply = open_net().post(post(&server)).await.unwrap();
    assert_eq!((reply.status, reply.retry_after), (503, Some(Duration::from_secs(3))));
    let asked = server.asked().remove(0);
    assert_eq!((asked.line.as_str(), &asked.body[..]), ("POST /hook HTTP/1.1", &b"{}"[..]));
    assert_eq!(asked.header("webhook-id"), Some("msg_1"));
    assert!(asked.header("user-agent").unwrap().starts_with("trawl/"));
}

#[tokio::test]
async fn redirects_of_callbacks_are_not_followed() {
    let canary = Server::canary().await;
    let to = canary.url("/");
    let server = Server::start(move |_| redirect(308, &to)).await;
    assert_eq!(open_net().post(post(&server)).await.unwrap().status, 308);
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn long_and_broken_answers_do_no_harm() {
    let endless = Server::start(|_| vec![head(200, ""), Act::Forever(vec![b'x'; 4096])]).await;
    assert_eq!(open_net().post(post(&endless)).await.unwrap().status, 200);
    let broken = Server::start(|_| vec![head(200, "Content-Length: 9\r\n"), Act::Send(b"half".to_vec())]).await;
    assert_eq!(open_net().post(post(&broken)).await.unwrap().status, 200);
}

#[tokio::test]
async fn silence_is_a_timeout_and_slow_words_are_not() {
    let timeout = Duration::from_millis(200);
    let silent = Server::start(|_| vec![Act::Hang]).await;
    let error = open_net().post(Post { timeout, ..post(&silent) }).await.unwrap_err();
    assert_eq!(error.code, Code::SourceTimeout);
    let slow = Server::start(|_| vec![head(204, ""), Act::Hang]).await;
    assert_eq!(open_net().post(Post { timeout, ..post(&slow) }).await.unwrap().status, 204);
    let slow = Server::start(|_| vec![head(200, "Content-Length: 5\r\n"), Act::Hang]).await;
    assert_eq!(open_net().post(Post { timeout, ..post(&slow) }).await.unwrap().status, 200);
}
