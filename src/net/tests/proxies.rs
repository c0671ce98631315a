//! Requests through a proxy of the operator's.

use tokio_util::sync::CancellationToken;

use super::{config, server::Server, server::reply};
use crate::{
    error::{Code, Result},
    net::{Download, Get, Net, Reply},
};

/// A client that goes through a server, and refuses everything on loopback.
fn through(server: &Server) -> Net {
    Net::through(&server.url(""), "models.proxy", &config()).unwrap()
}

async fn get(net: &Net, url: &str) -> Result<Reply> {
    net.get(Get { url: url.to_owned(), ..Get::default() }).await
}

#[tokio::test]
async fn the_proxy_is_asked_and_looks_names_up_itself() {
    let proxy = Server::start(|_| reply(200, "", b"from the proxy")).await;
    let net = through(&proxy);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.part");
    let request = Download {
        url: "http://nowhere.invalid/x".to_owned(),
        headers: vec![],
        path: path.clone(),
        range: None,
        min_bytes: 0,
        max_bytes: 1_000,
        keep: false,
    };
    net.download(request, &|_| {}, &CancellationToken::new()).await.unwrap();
    assert_eq!(std::fs::read(path).unwrap(), b"from the proxy");
    assert_eq!(proxy.asked()[0].line, "GET http://nowhere.invalid/x HTTP/1.1");
}

#[tokio::test]
async fn what_links_say_is_checked_all_the_same() {
    let proxy = Server::start(|asked| match asked.line.contains("redirect") {
        true => super::server::redirect(302, "http://127.0.0.1/inside"),
        false => reply(200, "", b"never"),
    })
    .await;
    let net = through(&proxy);
    for (url, code) in [
        ("http://127.0.0.1/x", Code::AddressRefused),
        ("http://localhost/x", Code::AddressRefused),
        ("http://169.254.169.254/latest", Code::AddressRefused),
        ("http://site.example:22/x", Code::PortRefused),
        ("http://me:secret@site.example/x", Code::InvalidLink),
        ("ftp://site.example/x", Code::InvalidLink),
    ] {
        assert_eq!(get(&net, url).await.unwrap_err().code, code, "{url}");
    }
    assert_eq!(proxy.connections(), 0);
    let error = get(&net, "http://site.example/redirect").await.unwrap_err();
    assert_eq!((error.code, proxy.asked().len()), (Code::AddressRefused, 1));
}

#[tokio::test]
async fn encrypted_links_go_through_a_tunnel_with_the_proxy_s_password() {
    let proxy = Server::start(|_| reply(403, "", b"no tunnels here")).await;
    let address = format!("http://me:secret@{}", proxy.address);
    let net = Net::through(&address, "models.proxy", &config()).unwrap();
    let error = get(&net, "https://site.example/x").await.unwrap_err();
    assert_eq!(error.code, Code::ConnectFailed, "{}", error.chain());
    assert!(error.detail.contains("proxy") && !error.chain().contains("secret"), "{}", error.chain());
    let asked = &proxy.asked()[0];
    assert_eq!(asked.line, "CONNECT site.example:443 HTTP/1.1");
    assert_eq!(asked.header("proxy-authorization"), Some("Basic bWU6c2VjcmV0"));
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_told() {
    let gone = Server::canary().await.url("");
    let net = Net::through(&gone, "models.proxy", &config()).unwrap();
    let error = get(&net, "http://site.example/x").await.unwrap_err();
    assert_eq!(
        (error.code, error.detail.as_str()),
        (Code::ConnectFailed, "site.example cannot be reached through the proxy")
    );
    assert!(error.hint.contains("proxy"), "{}", error.hint);
    // No address, no proxy.
    let net = Net::through("", "models.proxy", &config()).unwrap();
    assert_eq!(get(&net, "http://127.0.0.1/").await.unwrap_err().code, Code::AddressRefused);
}
