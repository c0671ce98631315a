//! Links that must not be followed, and redirects to them (the numbers are those of the threat list in docs/security.md).

use std::process::Command;

use super::{
    config, net_with, open_net,
    server::{Server, head, redirect, reply},
};
use crate::{
    error::Code,
    net::{Get, Net},
};

fn get(url: impl Into<String>) -> Get {
    Get { url: url.into(), max_bytes: 1 << 20, ..Get::default() }
}

#[tokio::test]
async fn refused_links_reach_nobody() {
    let canary = Server::canary().await;
    let port = canary.address.port();
    let mut config = config();
    // So that nothing but the address rule stands between the link and the canary.
    config.ports.push(port);
    let net = Net::new(&config).unwrap();
    let mut cases = Vec::new();
    for host in [
        "127.0.0.1",
        "127.1",
        "0177.0.0.1",
        "0x7f.1",
        "2130706433",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "0",
        "[::1]",
        "[::ffff:7f00:1]",
        "[::7f00:1]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[fd00:ec2::254]",
        "169.254.169.254",
        "100.100.100.200",
        "localhost.",
        "localhost",
        "x.localhost",
        "LOCALHOST",
    ] {
        cases.push((format!("http://{host}:{port}/"), Code::AddressRefused));
    }
    for (link, code) in [
        (format!("http://1.1.1.1@127.0.0.1:{port}/"), Code::InvalidLink),
        (format!("http://user:pw@127.0.0.1:{port}/"), Code::InvalidLink),
        (format!("http://127.0.0.1:{port}#@ok.com"), Code::AddressRefused),
        (format!("http:\\\\127.0.0.1:{port}/"), Code::AddressRefused),
        (format!("http:127.0.0.1:{port}/"), Code::AddressRefused),
        (format!("http://[fe80::1%25eth0]:{port}/"), Code::InvalidLink),
        ("file:///etc/passwd".into(), Code::InvalidLink),
        (format!("gopher://127.0.0.1:{port}/"), Code::InvalidLink),
        (format!("ftp://127.0.0.1:{port}/"), Code::InvalidLink),
        ("data:text/plain,hello".into(), Code::InvalidLink),
        (format!("dict://127.0.0.1:{port}/"), Code::InvalidLink),
        ("http://1.1.1.1:22/".into(), Code::PortRefused),
        ("http://1.1.1.1:25/".into(), Code::PortRefused),
        ("http://1.1.1.1:6379/".into(), Code::PortRefused),
        ("http://1.1.1.1:0/".into(), Code::PortRefused),
        (format!("http://127.0.0.1:{port}/a\r\nX-Evil: 1"), Code::InvalidLink),
        (format!("http://127.0.0.1:{port}/{}", "a".repeat(64 * 1024)), Code::InvalidLink),
        ("http://127.0.0.1:8000/api".into(), Code::AddressRefused),
        ("http://".into(), Code::InvalidLink),
        ("no link".into(), Code::InvalidLink),
        (String::new(), Code::InvalidLink),
    ] {
        cases.push((link, code));
    }
    for (link, code) in cases {
        let shown: String = link.chars().take(80).collect();
        assert_eq!(net.check_url(&link).unwrap_err().code, code, "{shown}");
        let error = net.get(get(link)).await.unwrap_err();
        assert_eq!(error.code, code, "{shown}");
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn headers_cannot_carry_line_ends() {
    let canary = Server::canary().await;
    let headers = vec![("x".to_owned(), "a\r\nX-Evil: 1".to_owned())];
    let error = open_net().get(Get { headers, ..get(canary.url("/")) }).await.unwrap_err();
    assert_eq!((error.code, canary.connections()), (Code::InvalidRequest, 0));
}

#[tokio::test]
async fn redirects_to_refused_places_reach_nobody() {
    let canary = Server::canary().await;
    let port = canary.address.port();
    for (to, code) in [
        (format!("http://127.0.0.1:{port}/"), Code::AddressRefused),
        (format!("//localhost:{port}/"), Code::AddressRefused),
        (format!("http://0x7f.1:{port}/"), Code::AddressRefused),
        ("http://1.1.1.1:22/".to_owned(), Code::PortRefused),
        ("file:///etc/passwd".to_owned(), Code::RedirectRefused),
        ("intent://x".to_owned(), Code::RedirectRefused),
        (format!("http://u:p@127.0.0.1:{port}/"), Code::RedirectRefused),
        ("http://[".to_owned(), Code::RedirectRefused),
    ] {
        let location = to.clone();
        let server = Server::start(move |_| redirect(302, &location)).await;
        // Only this server is exempt; the canary is not.
        let mut config = config();
        config.allow_hosts = vec![server.address.to_string()];
        let error = Net::new(&config).unwrap().get(get(server.url("/"))).await.unwrap_err();
        assert_eq!(error.code, code, "{to}");
        assert_eq!(server.connections(), 1);
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn redirects_are_followed_five_times_and_no_more() {
    let server = Server::start(|asked| {
        let left: usize = asked.path()[1..].parse().unwrap();
        if left == 0 { reply(200, "", b"there") } else { redirect(301, &format!("/{}", left - 1)) }
    })
    .await;
    let net = open_net();
    let reply = net.get(get(server.url("/5"))).await.unwrap();
    assert_eq!((reply.status, reply.url.path(), &reply.body[..]), (200, "/0", &b"there"[..]));
    assert_eq!(net.get(get(server.url("/6"))).await.unwrap_err().code, Code::TooManyRedirects);
    let looping = Server::start(|_| redirect(307, "/again")).await;
    assert_eq!(net.get(get(looping.url("/"))).await.unwrap_err().code, Code::TooManyRedirects);
    assert_eq!(looping.connections(), 6);
}

#[test]
fn encryption_is_not_given_up() {
    let net = open_net();
    let from = "https://example.com/a".parse().unwrap();
    let refused = net.inner.rules.redirect(&from, "http://example.com/a").unwrap_err();
    assert_eq!(refused.code, Code::RedirectRefused);
    assert!(net.inner.rules.redirect(&from, "/b").is_ok());
}

#[tokio::test]
async fn other_sites_see_no_secrets() {
    let other = Server::start(|_| reply(200, "", b"")).await;
    let to = other.url("/there");
    let first = Server::start(move |asked| match asked.path() {
        "/" => redirect(302, "/same"),
        _ => redirect(302, &to),
    })
    .await;
    let pairs =
        [("Authorization", "Bearer t"), ("Cookie", "a=b"), ("X-Key", "k"), ("Referer", "r"), ("User-Agent", "u")];
    let headers = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    open_net().get(Get { headers, ..get(first.url("/")) }).await.unwrap();
    for asked in first.asked() {
        assert!(asked.header("authorization").is_some() && asked.header("cookie").is_some(), "{asked:?}");
    }
    let asked = other.asked().remove(0);
    assert!(["authorization", "cookie", "x-key"].iter().all(|name| asked.header(name).is_none()), "{asked:?}");
    assert_eq!((asked.header("referer"), asked.header("user-agent")), (Some("r"), Some("u")));
}

#[tokio::test]
async fn an_exemption_goes_no_further_than_it_says() {
    let server = Server::start(|_| reply(200, "", b"ok")).await;
    let by_port = net_with(|config| config.allow_hosts = vec![server.address.to_string()]);
    assert_eq!(by_port.get(get(server.url("/"))).await.unwrap().status, 200);
    let other_port = net_with(|config| config.allow_hosts = vec!["127.0.0.1:1".to_owned()]);
    assert_eq!(other_port.get(get(server.url("/"))).await.unwrap_err().code, Code::AddressRefused);
}

#[tokio::test]
async fn a_host_is_given_only_its_share_of_connections() {
    let (release, _) = tokio::sync::broadcast::channel::<()>(1);
    let server = Server::start(|_| vec![head(200, ""), super::server::Act::Hang]).await;
    let net = net_with(|config| config.per_host = 1);
    let (first_net, url) = (net.clone(), server.url("/"));
    let mut done = release.subscribe();
    let first = tokio::spawn(async move {
        tokio::select! { _ = first_net.get(get(url)) => {}, _ = done.recv() => {} }
    });
    while server.asked().is_empty() {
        tokio::task::yield_now().await;
    }
    let mut second = Box::pin(net.get(get(server.url("/second"))));
    // The place is taken, so that this stays pending without ever connecting.
    assert!(futures_util::poll!(&mut second).is_pending());
    assert_eq!(server.connections(), 1);
    release.send(()).unwrap();
    first.await.unwrap();
    tokio::select! {
        _ = &mut second => panic!("the server never ends its answers"),
        () = async { while server.asked().len() < 2 { tokio::task::yield_now().await } } => {}
    }
}

/// A proxy in the environment is ignored: a child with `HTTP_PROXY` set does the asking.
#[tokio::test]
async fn proxies_from_the_environment_are_ignored() {
    let canary = Server::canary().await;
    let server = Server::start(|_| reply(200, "", b"direct")).await;
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "net::tests::links::child_behind_a_proxy", "--nocapture"]);
    child.env("TRAWL_TEST_URL", server.url("/"));
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, canary.url(""));
    }
    child.env_remove("NO_PROXY").env_remove("no_proxy");
    let output = tokio::task::spawn_blocking(move || child.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!((server.connections(), canary.connections()), (1, 0));
}

/// The child of the test above; by itself it has nothing to ask.
#[tokio::test]
async fn child_behind_a_proxy() {
    let Ok(url) = std::env::var("TRAWL_TEST_URL") else { return };
    assert_eq!(&open_net().get(get(url)).await.unwrap().body[..], b"direct");
}
