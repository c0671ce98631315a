//! Files in forms.

use std::{io::Write, time::Duration};

use tempfile::NamedTempFile;

use super::{
    config, open_net,
    server::{Act, Server, head, redirect, reply},
};
use crate::{
    error::{Code, Result},
    net::{FilePart, Form, FormReply, Net},
};

const TOKEN: &str = "sk-very-secret";

fn file() -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    // More than one read, so that the pieces have to be put together.
    file.write_all(&(0..200_000u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>()).unwrap();
    file
}

fn form(server: &Server, file: &NamedTempFile) -> Form {
    Form {
        url: server.url("/v1/audio?x=1"),
        bearer: TOKEN.to_owned(),
        fields: vec![("model", "large".to_owned()), ("prompt", "你好\r\n--x".to_owned())],
        file: FilePart {
            field: "file",
            name: "audio.wav",
            content_type: "audio/wav",
            head: b"HEAD".to_vec(),
            path: file.path().to_owned(),
            range: 4..400_000,
        },
        timeout: Duration::from_secs(5),
        max_reply: 100,
    }
}

async fn send(net: &Net, server: &Server, change: impl FnOnce(&mut Form)) -> Result<FormReply> {
    let file = file();
    let mut form = form(server, &file);
    change(&mut form);
    net.send_form(form).await
}

#[tokio::test]
async fn the_form_arrives_byte_by_byte() {
    let server = Server::start(|_| reply(200, "", b"{}")).await;
    let answer = send(&open_net(), &server, |_| {}).await.unwrap();
    assert_eq!((answer.status, &answer.body[..]), (200, &b"{}"[..]));
    let asked = server.asked().remove(0);
    assert_eq!(asked.line, "POST /v1/audio?x=1 HTTP/1.1");
    assert_eq!(asked.header("authorization"), Some("Bearer sk-very-secret"));
    assert_eq!(asked.header("transfer-encoding"), None);
    let boundary = asked.header("content-type").unwrap().split_once("boundary=").unwrap().1.to_owned();
    let mut wanted = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nlarge\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\n你好\r\n--x\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"audio.wav\"\r\n\
         Content-Type: audio/wav\r\n\r\nHEAD"
    )
    .into_bytes();
    wanted.extend((1..100_000u32).flat_map(u32::to_le_bytes));
    wanted.extend(format!("\r\n--{boundary}--\r\n").into_bytes());
    assert!(asked.body == wanted, "{} bytes instead of {}", asked.body.len(), wanted.len());
}

#[tokio::test]
async fn the_rules_for_addresses_hold_and_redirects_are_not_followed() {
    let canary = Server::canary().await;
    let to = canary.url("/");
    for status in [302, 307, 308] {
        let to = to.clone();
        let server = Server::start(move |_| redirect(status, &to)).await;
        assert_eq!(send(&open_net(), &server, |_| {}).await.unwrap().status, status);
    }
    let guarded = Net::new(&config()).unwrap();
    assert_eq!(send(&guarded, &canary, |_| {}).await.unwrap_err().code, Code::AddressRefused);
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn answers_have_limits() {
    let net = open_net();
    let long = Server::start(|_| reply(200, "", &[b'x'; 101])).await;
    assert_eq!(send(&net, &long, |_| {}).await.unwrap_err().code, Code::TooLarge);
    let endless = Server::start(|_| vec![head(200, ""), Act::Forever(vec![b'x'; 4096])]).await;
    assert_eq!(send(&net, &endless, |_| {}).await.unwrap_err().code, Code::TooLarge);
    let half = Server::start(|_| vec![head(200, "Content-Length: 9\r\n"), Act::Send(b"half".to_vec())]).await;
    assert_eq!(send(&net, &half, |_| {}).await.unwrap_err().code, Code::SourceError);
    let short = |form: &mut Form| form.timeout = Duration::from_millis(200);
    for slow in [vec![Act::Hang], vec![head(200, "Content-Length: 5\r\n"), Act::Hang]] {
        let acts = std::sync::Mutex::new(Some(slow));
        let server = Server::start(move |_| acts.lock().unwrap().take().unwrap()).await;
        assert_eq!(send(&net, &server, short).await.unwrap_err().code, Code::SourceTimeout);
    }
    let later = Server::start(|_| reply(429, "Retry-After: 7\r\n", b"later")).await;
    let answer = send(&net, &later, |_| {}).await.unwrap();
    assert_eq!((answer.status, answer.retry_after), (429, Some(Duration::from_secs(7))));
}

#[tokio::test]
async fn keys_do_not_show() {
    let server = Server::start(|_| reply(200, "", b"")).await;
    let wrong = send(&open_net(), &server, |form| form.bearer = format!("{TOKEN}\n")).await.unwrap_err();
    assert_eq!(wrong.code, Code::Config);
    assert!(!format!("{wrong:?} {}", wrong.chain()).contains(TOKEN));
    assert!(!format!("{:?}", super::super::form::bearer(TOKEN)).contains(TOKEN));
}
