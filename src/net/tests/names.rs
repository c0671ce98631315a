//! Names and what they resolve to. `127.0.0.0/8` stands for the public internet here; ports are listed, not exempt.

use std::{
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::future::BoxFuture;

use super::{
    config,
    server::{Server, redirect, reply},
};
use crate::{
    error::Code,
    net::{Get, Net, resolve::Lookup},
};

/// Answers in turn with these lists, the last one again and again.
struct Scripted {
    answers: Vec<Vec<&'static str>>,
    asked: AtomicUsize,
}

impl Lookup for Scripted {
    fn lookup(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst).min(self.answers.len().saturating_sub(1));
        let answer = self.answers.get(turn).map(|list| list.iter().map(|text| text.parse().unwrap()).collect());
        Box::pin(async move { answer.ok_or_else(|| io::Error::other("no such name")) })
    }
}

fn net(server: &Server, allow: &[&str], answers: &[&[&'static str]]) -> (Net, Arc<Scripted>) {
    let mut config = config();
    config.allow_hosts = allow.iter().map(ToString::to_string).collect();
    config.ports.push(server.address.port());
    let answers = answers.iter().map(|list| list.to_vec()).collect();
    let lookup = Arc::new(Scripted { answers, asked: AtomicUsize::new(0) });
    (Net::with_lookup(&config, lookup.clone()).unwrap(), lookup)
}

fn get(server: &Server, name: &str) -> Get {
    Get { url: format!("http://{name}:{}/", server.address.port()), max_bytes: 1000, ..Get::default() }
}

#[tokio::test]
async fn names_with_any_refused_address_reach_nobody() {
    let canary = Server::canary().await;
    for answer in [
        &["127.0.0.1"][..],
        &["10.0.0.1"],
        &["1.1.1.1", "127.0.0.1"],
        &["1.1.1.1", "fd00::1"],
        &["2606:4700::1111", "::ffff:127.0.0.1"],
    ] {
        let (net, _) = net(&canary, &[], &[answer]);
        let error = net.get(get(&canary, "evil.example")).await.unwrap_err();
        assert_eq!(error.code, Code::AddressRefused, "{answer:?}");
        assert!(error.detail.contains("evil.example"));
    }
    let (mixed, _) = net(&canary, &["127.0.0.0/8"], &[&["127.0.0.1", "fd00::1"]]);
    assert_eq!(mixed.get(get(&canary, "evil.example")).await.unwrap_err().code, Code::AddressRefused);
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn a_name_that_changes_gains_nothing() {
    let server = Server::start(|_| reply(200, "", b"ok")).await;
    let (net, lookup) = net(&server, &["127.0.0.0/8"], &[&["127.0.0.1"], &["10.0.0.1"]]);
    assert_eq!(net.get(get(&server, "rebind.example")).await.unwrap().status, 200);
    assert_eq!(lookup.asked.load(Ordering::SeqCst), 1, "one lookup, and it is the checked one");
    assert_eq!(net.get(get(&server, "rebind.example")).await.unwrap_err().code, Code::AddressRefused);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn redirects_to_names_are_looked_up_and_checked() {
    let server = Server::start(|_| redirect(302, "http://inner.example:8080/")).await;
    let (net, _) = net(&server, &["127.0.0.0/8"], &[&["127.0.0.1"], &["192.168.0.1"]]);
    assert_eq!(net.get(get(&server, "outer.example")).await.unwrap_err().code, Code::AddressRefused);
}

#[tokio::test]
async fn unknown_and_exempt_names() {
    let server = Server::start(|_| reply(200, "", b"ok")).await;
    let (nobody, _) = net(&server, &[], &[]);
    assert_eq!(nobody.get(get(&server, "nobody.example")).await.unwrap_err().code, Code::HostNotFound);
    let (empty, _) = net(&server, &[], &[&[]]);
    assert_eq!(empty.get(get(&server, "empty.example")).await.unwrap_err().code, Code::HostNotFound);
    let (exempt, _) = net(&server, &["nas.example"], &[&["127.0.0.1"]]);
    assert_eq!(exempt.get(get(&server, "NAS.example")).await.unwrap().status, 200);
    assert_eq!(exempt.get(get(&server, "other.example")).await.unwrap_err().code, Code::AddressRefused);
    // An exempt address is no exemption for names that lead there.
    let (address, _) = net(&server, &["127.0.0.1"], &[&["127.0.0.1"]]);
    assert_eq!(address.get(get(&server, "other.example")).await.unwrap_err().code, Code::AddressRefused);
}
