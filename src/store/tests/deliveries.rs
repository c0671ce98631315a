//! Deliveries and their endpoints.

use sea_orm::QueryTrait;

use super::*;
use crate::{
    domain::{DeliveryState, Endpoint, EndpointState, Heard},
    store::delivery_moves::due,
};

#[tokio::test]
async fn what_is_due_is_found_in_the_index_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&url(&folder)).await.unwrap();
    // Servers choose by what is in the tables.
    if store.dialect != Dialect::Sqlite {
        return;
    }
    for full in [&[][..], &["a", "b"]] {
        let mut statement = due(0, full).build(sea_orm::DbBackend::Sqlite);
        statement.sql = format!("EXPLAIN QUERY PLAN {}", statement.sql);
        let rows = store.read.query_all_raw(statement).await.unwrap();
        let plan: String = rows.iter().map(|row| row.try_get::<String>("", "detail").unwrap() + "\n").collect();
        assert!(plan.contains("COVERING INDEX deliveries_due"), "{plan}");
        assert!(plan.contains("endpoints_state") && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}

/// Writes alerts to `url`, due now.
async fn alerts(tx: &Tx, ids: impl Iterator<Item = String>, url: &str) {
    for id in ids {
        let (url, event, body) = (url.to_owned(), "schedule.failing".to_owned(), "{}".to_owned());
        tx.insert_alert(Alert { id, url, event, body }).await.unwrap();
    }
}

#[tokio::test]
async fn no_endpoint_has_more_on_their_way_than_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&url(&folder)).await.unwrap();
    let tx = store.begin().await.unwrap();
    alerts(&tx, (0..9).map(|number| format!("a{number}")), "https://a.example/x?n=1").await;
    alerts(&tx, (0..3).map(|number| format!("b{number}")), "https://a.example/y").await;
    let claim = async |tx: &Tx, owner: &str, limit| -> Vec<String> {
        let claimed = tx.claim_deliveries(owner, 60_000, limit, 2).await.unwrap();
        claimed.into_iter().map(|one| one.id).collect()
    };
    assert_eq!(claim(&tx, "me", 3).await, ["a0", "a1", "b0"]);
    // The limit is one of all processes.
    assert_eq!(claim(&tx, "you", 9).await, ["b1"]);
    assert!(claim(&tx, "me", 9).await.is_empty());
    tx.commit().await.unwrap();
    assert_eq!(store.next_delivery(2).await.unwrap(), None, "there is nothing to claim");
    assert!(store.next_delivery(3).await.unwrap().is_some());
    let tx = store.begin().await.unwrap();
    assert_eq!(tx.requeue_deliveries(false).await.unwrap(), 4);
    let heard = Heard::Gone;
    let (endpoint, states) = tx.note_endpoint("https://a.example/x?n=2", heard, 1).await.unwrap();
    assert_eq!(states, [EndpointState::On, EndpointState::Gone]);
    let others = claim(&tx, "me", 9).await;
    assert!(others.len() == 2 && others.iter().all(|id| id.starts_with('b')), "{others:?}");
    assert_eq!(tx.hold_deliveries(5).await.unwrap().len(), 5);
    assert_eq!(tx.hold_deliveries(5).await.unwrap().len(), 4);
    assert_eq!(tx.release_deliveries(&endpoint.id).await.unwrap(), 9);
    assert_eq!(tx.forget_endpoints().await.unwrap(), 0, "one that is off is remembered");
    assert!(tx.switch_endpoint(&endpoint.id, EndpointState::On).await.unwrap());
    assert!(!tx.switch_endpoint("nobody", EndpointState::On).await.unwrap());
    tx.note_endpoint("https://b.example/", Heard::Taken, 1).await.unwrap();
    assert_eq!(tx.forget_endpoints().await.unwrap(), 1, "it has deliveries, or had none");
    assert_eq!(claim(&tx, "me", 9).await, ["a0", "a1"]);
}

#[tokio::test]
async fn deliveries_of_an_older_schema_have_endpoints() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&url(&folder)).await.unwrap();
    let tx = store.begin().await.unwrap();
    alerts(&tx, (0..700).map(|number| format!("a{number:03}")), "https://a.example/x?n=1").await;
    tx.commit().await.unwrap();
    let all = migrations::Migrator::migrations();
    let before = all.iter().position(|one| one.name().ends_with("_endpoints")).unwrap();
    let later = u32::try_from(all.len() - before).unwrap();
    migrations::Migrator::down(&store.write, Some(later)).await.unwrap();
    drop(store);
    let store = Store::open(&url(&folder)).await.unwrap();
    let id = Endpoint::of("https://a.example/x").id;
    assert_eq!(store.deliveries_to(&id, DeliveryState::Pending).await.unwrap(), 700);
}
