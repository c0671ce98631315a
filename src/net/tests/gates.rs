//! The gate, as a program behind it sees it.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    config, open_net,
    server::{Act, Server, head, reply},
};
use crate::{
    error::Code,
    net::{Gate, Net},
};

/// A client as programs have it, with the gate as its proxy.
fn behind(gate: &Gate) -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().proxy(reqwest::Proxy::all(gate.url()).unwrap()).build().unwrap()
}

/// What the gate answers to bytes.
async fn raw(gate: &Gate, bytes: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", gate.port())).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A client that has said too much is cut off in the middle.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn authorised(gate: &Gate, line: &str) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let url = url::Url::parse(&gate.url()).unwrap();
    let pair = BASE64_STANDARD.encode(format!("{}:{}", url.username(), url.password().unwrap()));
    format!("{line} HTTP/1.1\r\nProxy-Authorization: Basic {pair}\r\n\r\n")
}

#[tokio::test]
async fn plain_requests_and_tunnels_pass() {
    let server = Server::start(|asked| reply(200, "", &[asked.path().as_bytes(), &asked.body].concat())).await;
    let gate = open_net().gate(1_000_000).await.unwrap();
    let client = behind(&gate);
    let posted = client.post(server.url("/a?b=c")).header("cookie", "d=e").body("body").send().await.unwrap();
    assert_eq!(posted.text().await.unwrap(), "/a?b=cbody");
    let asked = &server.asked()[0];
    assert_eq!((asked.header("cookie"), asked.header("proxy-authorization")), (Some("d=e"), None));
    let request =
        format!("{}GET /in HTTP/1.1\r\nHost: x\r\n\r\n", authorised(&gate, &format!("CONNECT {}", server.address)));
    assert!(raw(&gate, &request).await.ends_with("/in"));
    assert!(gate.refusal().is_none());
}

#[tokio::test]
async fn what_links_may_not_reach_programs_cannot_reach() {
    let canary = Server::canary().await;
    for (url, code) in [
        (canary.url("/"), Code::AddressRefused),
        (format!("http://localhost:{}/", canary.address.port()), Code::AddressRefused),
        (format!("http://[::ffff:127.0.0.1]:{}/", canary.address.port()), Code::AddressRefused),
        ("http://169.254.169.254/latest/meta-data/".to_owned(), Code::AddressRefused),
        ("https://169.254.169.254/".to_owned(), Code::AddressRefused),
        ("https://10.0.0.1/".to_owned(), Code::AddressRefused),
        ("http://1.1.1.1:22/".to_owned(), Code::PortRefused),
    ] {
        let gate = Net::new(&config()).unwrap().gate(1_000).await.unwrap();
        let answer = behind(&gate).get(&url).send().await;
        assert!(answer.is_err() || answer.unwrap().status() == 403, "{url}");
        assert_eq!(gate.refusal().map(|error| error.code), Some(code), "{url}");
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn what_stands_for_a_host_is_reached_in_its_place() {
    let server = Server::start(|asked| reply(200, "", asked.header("host").unwrap_or_default().as_bytes())).await;
    let mut config = config();
    config.host_map = [("www.site.example".to_owned(), server.url(""))].into();
    let gate = Net::new(&config).unwrap().gate(10_000).await.unwrap();
    let answer = behind(&gate).get("http://www.site.example/a").send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "www.site.example");
    // The name itself is exempt from nothing.
    let answer = behind(&gate).get(server.url("/")).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), server.asked().len()), (403, 1));
}

#[tokio::test]
async fn strangers_are_not_let_in() {
    let server = Server::canary().await;
    let gate = open_net().gate(1_000).await.unwrap();
    for line in [format!("CONNECT {}", server.address), format!("GET {}", server.url("/"))] {
        assert!(raw(&gate, &format!("{line} HTTP/1.1\r\n\r\n")).await.starts_with("HTTP/1.1 407"), "{line}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn too_many_bytes_and_a_second_request_do_not_pass() {
    let server = Server::start(|asked| match asked.path() {
        "/endless" => vec![head(200, ""), Act::Forever(vec![b'x'; 1_000])],
        _ => reply(200, "", b"one"),
    })
    .await;
    let gate = open_net().gate(5_000).await.unwrap();
    let answer = behind(&gate).get(server.url("/endless")).send().await;
    let passed = match answer {
        Ok(answer) => answer.bytes().await.map_or(0, |body| body.len()),
        Err(_) => 0,
    };
    assert!(passed < 5_000, "{passed}");
    assert_eq!(gate.refusal().unwrap().code, Code::TooLarge);

    let gate = open_net().gate(5_000).await.unwrap();
    let one = authorised(&gate, &format!("GET {}", server.url("/one")));
    let before = server.asked().len();
    raw(&gate, &format!("{one}{one}")).await;
    assert!(server.asked().len() <= before + 1);
}

#[tokio::test]
async fn a_dropped_gate_is_closed() {
    let gate = open_net().gate(1_000).await.unwrap();
    let port = gate.port();
    drop(gate);
    // The task ends when the runtime comes to it.
    while TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
        tokio::task::yield_now().await;
    }
}
