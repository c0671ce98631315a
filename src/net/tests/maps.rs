//! Hosts that something on loopback stands in for.

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::{
    config,
    server::{Server, redirect, reply},
};
use crate::{
    error::Code,
    net::{Download, Get, Net, Post},
};

/// A client that knows stand-ins, and refuses everything else on loopback.
fn net(entries: &[(&str, &Server)]) -> Net {
    let mut config = config();
    config.host_map = entries.iter().map(|(name, server)| ((*name).to_owned(), server.url(""))).collect();
    Net::new(&config).unwrap()
}

fn get(url: &str) -> Get {
    Get { url: url.to_owned(), max_bytes: 1000, ..Get::default() }
}

#[tokio::test]
async fn a_request_goes_elsewhere_and_is_shown_under_its_name() {
    let server = Server::start(|_| reply(404, "", b"gone")).await;
    let net = net(&[("www.site.example", &server)]);
    // No port and no scheme stands between a name and what stands for it.
    for (url, host) in [
        ("https://www.site.example/a%20b/?q=1&r=%2F#part", "www.site.example"),
        ("http://WWW.site.example:6379/", "www.site.example:6379"),
    ] {
        let answer = net.get(get(url)).await.unwrap();
        let asked = server.asked().pop().unwrap();
        assert_eq!(asked.header("host"), Some(host));
        assert_eq!(answer.url, url::Url::parse(url).unwrap());
        let error = answer.check_status().unwrap_err();
        assert!(error.detail.starts_with("www.site.example has no such page"), "{}", error.detail);
    }
    assert_eq!(server.asked()[0].path(), "/a%20b/?q=1&r=%2F");
    let post = Post {
        url: "https://www.site.example/hook".to_owned(),
        headers: vec![("Host".to_owned(), "evil.example".to_owned())],
        body: Bytes::from_static(b"{}"),
        timeout: std::time::Duration::from_secs(10),
    };
    assert_eq!(net.post(post).await.unwrap().status, 404);
    assert_eq!(server.asked().pop().unwrap().header("host"), Some("www.site.example"));
}

#[tokio::test]
async fn the_rest_of_the_world_is_as_guarded_as_ever() {
    let server = Server::start(|asked| redirect(302, asked.path().trim_start_matches("/to/"))).await;
    let net = net(&[("site.example", &server)]);
    for (url, code) in [
        (server.url("/"), Code::AddressRefused),
        ("http://user:word@site.example/".to_owned(), Code::InvalidLink),
        ("ftp://site.example/".to_owned(), Code::InvalidLink),
        (format!("https://site.example/to/{}", server.url("/").replace("http:", "https:")), Code::AddressRefused),
        (format!("https://site.example/to/{}", server.url("/")), Code::RedirectRefused),
        ("http://site.example/to/http://other.example:22/".to_owned(), Code::PortRefused),
    ] {
        assert_eq!(net.get(get(&url)).await.unwrap_err().code, code, "{url}");
    }
}

#[tokio::test]
async fn redirects_lead_from_one_stand_in_to_another() {
    let second = Server::start(|_| reply(200, "", b"here")).await;
    let first = Server::start(|asked| match asked.path() {
        "/a" => redirect(302, "/b"),
        _ => redirect(301, "http://b.example/c"),
    })
    .await;
    let net = net(&[("a.example", &first), ("b.example", &second)]);
    let cookie = vec![("Cookie".to_owned(), "key=secret".to_owned())];
    let answer = net.get(Get { headers: cookie, ..get("https://a.example/a") }).await.unwrap();
    assert_eq!((answer.url.as_str(), &answer.body[..]), ("http://b.example/c", &b"here"[..]));
    let cookies: Vec<_> = first.asked().iter().map(|asked| asked.header("cookie").map(ToOwned::to_owned)).collect();
    assert_eq!(cookies, [Some("key=secret".to_owned()), Some("key=secret".to_owned())]);
    assert_eq!(second.asked()[0].header("cookie"), None, "another site, whatever stands for it");
}

#[tokio::test]
async fn downloads_and_errors_use_the_name() {
    let server = Server::start(|_| reply(200, "", b"media")).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.part");
    let download = |path| Download {
        url: "https://cdn.example/a.mp4".to_owned(),
        headers: vec![],
        path,
        range: None,
        min_bytes: 0,
        max_bytes: 1_000,
        keep: false,
    };
    let mapped = net(&[("cdn.example", &server)]);
    mapped.download(download(path.clone()), &|_| {}, &CancellationToken::new()).await.unwrap();
    assert_eq!(std::fs::read(path).unwrap(), b"media");
    let gone = net(&[("cdn.example", &Server::canary().await)]);
    let path = folder.path().join("b.part");
    let error = gone.download(download(path), &|_| {}, &CancellationToken::new()).await.unwrap_err();
    assert_eq!((error.code, error.detail.as_str()), (Code::ConnectFailed, "cdn.example cannot be reached"));
}

#[test]
fn a_base_that_is_none_stops_the_start() {
    let mut config = config();
    config.host_map.insert("a.example".to_owned(), "http://127.0.0.1:9/path".to_owned());
    assert_eq!(Net::new(&config).unwrap_err().code, Code::Config);
}
