//! A secret is replaced, and receivers learn of it one after the other.

use http::HeaderMap;
use standardwebhooks::Webhook;

use super::{Bench, SECRET};
use crate::{
    domain::DeliveryState,
    net::tests::server::{Asked, Server, reply},
    store::NewDelivery,
};

const NEXT: &str = "whsec_dGhlIG5leHQgb25lIHRoZSBuZXh0IG9uZSBvZg==";
const OTHER: &str = "whsec_c29tZSBvdGhlciBzZWNyZXQgb2Ygc29tZW9uZQ==";

/// Whether a receiver that knows a secret, and checks with a library that is not ours, is content.
fn is_content(secret: &str, asked: &Asked) -> bool {
    let mut headers = HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, asked.header(name).unwrap().parse().unwrap());
    }
    Webhook::new(secret).unwrap().verify(&asked.body, &headers).is_ok()
}

#[tokio::test]
async fn receivers_that_know_either_secret_are_content() {
    let server = Server::start(|_| reply(204, "", b"")).await;
    let mut bench = Bench::new().await;
    bench.attempt(&server.url("/")).await;
    // The daemon starts with another secret.
    bench.courier.own = bench.secrets.own_signing(NEXT).await.unwrap().into();
    bench.attempt(&server.url("/")).await;
    bench.courier.config = {
        let mut config = crate::config::CallbacksConfig::clone(&bench.courier.config);
        config.rotation = super::span("0s");
        config.into()
    };
    bench.attempt(&server.url("/")).await;
    let asked = server.asked();
    let known: Vec<_> =
        asked.iter().map(|asked| [SECRET, NEXT, OTHER].map(|secret| is_content(secret, asked))).collect();
    assert_eq!(known, [[true, false, false], [true, true, false], [false, true, false]]);
    assert_eq!(asked[1].header("webhook-signature").unwrap().split(' ').count(), 2);
}

#[tokio::test]
async fn so_it_is_with_secrets_that_have_names() {
    let server = Server::start(|_| reply(204, "", b"")).await;
    let bench = Bench::new().await;
    let hosts = ["127.0.0.1".to_owned()];
    let (stop, running) = bench.run();
    for (number, secret) in [(0, SECRET), (1, NEXT), (2, OTHER)] {
        bench.secrets.set("hook", secret, &hosts).await.unwrap();
        let tx = bench.store().begin().await.unwrap();
        let (id, url, event) = (format!("msg_{number}"), server.url("/"), "my.event".to_owned());
        let secret = Some("hook".to_owned());
        let new = NewDelivery { id: id.clone(), task_id: bench.task, url, event, body: "{}".to_owned(), secret };
        tx.insert_delivery(new, 0).await.unwrap();
        tx.commit().await.unwrap();
        bench.queue.wake().event();
        bench.until(&id, |one| one.state == DeliveryState::Delivered).await;
    }
    let known: Vec<_> =
        server.asked().iter().map(|asked| [SECRET, NEXT, OTHER].map(|secret| is_content(secret, asked))).collect();
    assert_eq!(known, [[true, false, false], [true, true, false], [false, true, true]]);

    // A secret that is gone is not the receiver's fault.
    bench.secrets.remove("hook").await.unwrap();
    let tx = bench.store().begin().await.unwrap();
    let (id, url, event) = ("msg_3".to_owned(), server.url("/other"), "my.event".to_owned());
    let secret = Some("hook".to_owned());
    let new = NewDelivery { id: id.clone(), task_id: bench.task, url, event, body: "{}".to_owned(), secret };
    tx.insert_delivery(new, 0).await.unwrap();
    tx.commit().await.unwrap();
    bench.queue.wake().event();
    let delivery = bench.until(&id, |one| !one.attempts.is_empty()).await;
    assert_eq!(delivery.attempts[0].error.as_ref().unwrap().code.as_str(), "secret_refused");
    assert!(bench.store().endpoint(&delivery.endpoint).await.unwrap().is_none(), "it was held against the receiver");
    stop.cancel();
    running.await.unwrap();
}
