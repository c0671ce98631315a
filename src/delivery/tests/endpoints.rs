//! One receiver and the others.

use serde_json::json;

use super::{Bench, span};
use crate::{
    domain::{DeliveryState, Endpoint, EndpointState},
    net::tests::server::{Act, Server, reply},
    store::Redelivery,
};

#[tokio::test]
async fn a_receiver_that_hangs_takes_its_own_places_only() {
    let server = Server::start(|asked| match asked.path() {
        "/well" => reply(204, "", b""),
        _ => vec![Act::Hang],
    })
    .await;
    // As many places as two such receivers would take.
    let bench = Bench::with(|config| {
        config.net.allow_hosts = vec!["127.0.0.0/8".to_owned()];
        config.callbacks.timeout = span("1h");
        config.queue.drain = span("0s");
        config.queue.deliver = 8;
    })
    .await;
    bench.write("hung", &server.url("/hung?task=1"), 30).await;
    bench.write("well", &server.url("/well"), 30).await;
    let (stop, running) = bench.run();
    for number in 0..30 {
        bench.until(&format!("well{number}"), |one| one.state == DeliveryState::Delivered).await;
    }
    let hung = |path: &str| path.starts_with("/hung");
    server.until_asked(|asked| asked.iter().filter(|one| hung(one.path())).count() == 4).await;
    // What is written now finds the same four there.
    bench.write("later", &server.url("/well"), 1).await;
    bench.until("later0", |one| one.state == DeliveryState::Delivered).await;
    assert_eq!(server.asked().iter().filter(|one| hung(one.path())).count(), 4);
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn even_few_places_are_not_all_of_one_receiver() {
    let bench = Bench::with(|config| config.queue.deliver = 3).await;
    assert_eq!(bench.courier.per_endpoint(), 2);
    let bench = Bench::with(|config| config.queue.deliver = 1).await;
    assert_eq!(bench.courier.per_endpoint(), 1);
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_sent_nothing_until_it_is_switched_on() {
    let server = Server::start(|asked| match asked.path() {
        "/gone?task=1" => reply(410, "", b""),
        _ => reply(204, "", b""),
    })
    .await;
    let bench = Bench::new().await;
    let (gone, id) = (server.url("/gone?task=1"), Endpoint::of(&server.url("/gone")).id);
    bench.write("first", &gone, 1).await;
    let (stop, running) = bench.run();
    bench.until("first0", |one| one.state == DeliveryState::Dead).await;
    assert_eq!(bench.told("first0").await[0]["endpoint"], json!({ "id": id, "state": "gone" }));
    let endpoint = bench.store().endpoint(&id).await.unwrap().unwrap();
    assert_eq!((endpoint.health.state, endpoint.address), (EndpointState::Gone, server.url("/gone")));

    // More than are set aside at once; another path of the same host goes on.
    bench.write("held", &server.url("/gone?task=2"), 130).await;
    bench.write("other", &server.url("/other"), 1).await;
    bench.until("other0", |one| one.state == DeliveryState::Delivered).await;
    for number in 0..130 {
        let held = bench.until(&format!("held{number}"), |one| one.state == DeliveryState::Held).await;
        assert!(held.attempts.is_empty());
    }
    assert_eq!(bench.told("held7").await[0]["state"], "held");
    assert_eq!(server.asked().len(), 2);

    bench.queue.switch_endpoint(&id, true).await.unwrap();
    for number in 0..130 {
        let sent = bench.until(&format!("held{number}"), |one| one.state == DeliveryState::Delivered).await;
        assert_eq!(sent.attempts.len(), 1);
    }
    assert_eq!(bench.get("first0").await.state, DeliveryState::Dead, "what had ended began anew");
    let endpoint = bench.store().endpoint(&id).await.unwrap().unwrap();
    assert_eq!((endpoint.health.state, endpoint.health.failures), (EndpointState::On, 0));

    bench.queue.switch_endpoint(&id, false).await.unwrap();
    bench.write("off", &server.url("/gone?task=2"), 1).await;
    bench.until("off0", |one| one.state == DeliveryState::Held).await;
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn nothing_but_failures_switch_a_receiver_off() {
    let server = Server::start(|_| reply(500, "", b"")).await;
    let bench = Bench::with(|config| {
        config.net.allow_hosts = vec!["127.0.0.0/8".to_owned()];
        config.callbacks.schedule = vec![span("0s"); 3];
        config.callbacks.off_after = span("0s");
    })
    .await;
    bench.write("a", &server.url("/"), 1).await;
    let (stop, running) = bench.run();
    let delivery = bench.until("a0", |one| one.state == DeliveryState::Held).await;
    assert_eq!(delivery.attempts.len(), 1, "{delivery:?}");
    let endpoint = bench.store().endpoint(&Endpoint::of(&server.url("/")).id).await.unwrap().unwrap();
    assert_eq!(endpoint.health.state, EndpointState::Failed);
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn what_had_ended_is_tried_once_more_and_no_longer() {
    let server = Server::start(|asked| match asked.path() {
        "/well" => reply(204, "", b""),
        _ => reply(500, "", b""),
    })
    .await;
    let bench = Bench::with(|config| {
        config.net.allow_hosts = vec!["127.0.0.0/8".to_owned()];
        config.callbacks.schedule = vec![span("0s"), span("0s"), span("1h")];
    })
    .await;
    bench.write("well", &server.url("/well"), 1).await;
    let (stop, running) = bench.run();
    bench.until("well0", |one| one.state == DeliveryState::Delivered).await;
    bench.write("bad", &server.url("/bad"), 2).await;
    for id in ["bad0", "bad1"] {
        // Two attempts, and an hour until the third.
        bench.until(id, |one| one.attempts.len() == 2 && one.state == DeliveryState::Pending).await;
    }
    // One that waits is tried before its time, and that was its last attempt.
    bench.queue.redeliver(&bench.get("bad0").await).await.unwrap();
    bench.until("bad0", |one| one.state == DeliveryState::Dead && one.attempts.len() == 3).await;

    let since = bench.get("well0").await.created_at.timestamp_millis();
    let until = chrono::Utc::now().timestamp_millis() + 1;
    let all = Redelivery { since, until, delivered: false, endpoint: None };
    let none = Redelivery { until: since, ..all.clone() };
    assert_eq!(bench.queue.redeliver_many(&none).await.unwrap(), 0);
    let elsewhere = Redelivery { endpoint: Some(Endpoint::of(&server.url("/well")).id), ..all.clone() };
    assert_eq!(bench.queue.redeliver_many(&elsewhere).await.unwrap(), 0);
    assert_eq!(bench.queue.redeliver_many(&all).await.unwrap(), 1);
    bench.until("bad0", |one| one.state == DeliveryState::Dead && one.attempts.len() == 4).await;
    assert_eq!(bench.get("bad1").await.state, DeliveryState::Pending, "one that waits was no dead one");

    let arrived = Redelivery { delivered: true, ..elsewhere };
    assert_eq!(bench.queue.redeliver_many(&arrived).await.unwrap(), 1);
    bench.until("well0", |one| one.state == DeliveryState::Delivered && one.attempts.len() == 2).await;
    stop.cancel();
    running.await.unwrap();
}
