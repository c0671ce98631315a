//! Secrets over a real store.

use serde_json::json;

use super::*;

const VALUE: &str = "hush-7f3a91c2";

async fn bench(key: u8) -> (Secrets, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&crate::store::test_url::test_url(folder.path())).await.unwrap();
    (Secrets::new(Arc::new(store), &[key; 32]), folder)
}

#[tokio::test]
async fn a_secret_is_revealed_to_its_hosts_alone() {
    let (secrets, _folder) = bench(1).await;
    let (listed, is_new) = secrets.set("key", &format!("{VALUE}\n"), &["api.example.com".into()]).await.unwrap();
    assert!(is_new && listed.last_used_at.is_none() && listed.problem.is_none());
    let template = json!({ "authorization": "Bearer ${secrets.key}", "n": "${params.n}" });
    let scope = json!({ "params": { "n": 1 } });
    let job = secrets.for_job();
    let filled = job.reveal(&template, &scope, "API.example.com").await.unwrap();
    assert_eq!(filled, json!({ "authorization": format!("Bearer {VALUE}"), "n": 1 }));
    assert_eq!(job.revealed().json(filled)["authorization"], "Bearer ***");
    assert!(secrets.list().await.unwrap()[0].last_used_at.is_some());
    for (template, host) in [(&template, "evil.example"), (&json!("${secrets.other}"), "api.example.com")] {
        let error = secrets.reveal(template, &scope, host).await.unwrap_err();
        assert_eq!(error.code, Code::SecretRefused, "{error}");
        assert!(!error.chain().contains(VALUE));
    }
    let (listed, is_new) = secrets.set("key", "another value", &["exec:x".into()]).await.unwrap();
    assert!(!is_new && listed.hosts == ["exec:x"]);
    assert_eq!(secrets.value("key", "exec:x").await.unwrap(), "another value");
    assert!(secrets.check("key", "api.example.com").await.is_err());
    secrets.remove("key").await.unwrap();
    assert_eq!(secrets.remove("key").await.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn what_makes_no_secret_is_refused() {
    let (secrets, _folder) = bench(1).await;
    let host = ["a.example".to_owned()];
    for (name, value, field) in [
        ("", VALUE, "name"),
        ("1a", VALUE, "name"),
        ("a-b", VALUE, "name"),
        ("a", " short ", "value"),
        ("a", "1234\x005678", "value"),
    ] {
        let error = secrets.set(name, value, &host).await.unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (Code::InvalidValue, Some(field)), "{name}");
    }
    assert_eq!(secrets.set("a", VALUE, &["*".to_owned()]).await.unwrap_err().field.as_deref(), Some("hosts"));
}

#[tokio::test]
async fn another_key_is_told_and_opens_nothing() {
    let (secrets, _folder) = bench(1).await;
    secrets.set("key", VALUE, &["a.example".to_owned()]).await.unwrap();
    let other = Secrets::new(Arc::clone(&secrets.inner.store), &[2; 32]);
    assert!(other.list().await.unwrap()[0].problem.as_deref().unwrap().contains("another key"));
    assert_eq!(other.value("key", "a.example").await.unwrap_err().code, Code::Config);
}

#[test]
fn a_template_that_is_one_secret_is_known() {
    assert_eq!(named(&json!("${secrets.callback}")).as_deref(), Some("callback"));
    for other in [json!("x${secrets.callback}"), json!("${params.secret}"), json!("plain"), json!(1)] {
        assert_eq!(named(&other), None, "{other}");
    }
    assert!(holds_any(&json!({ "a": ["Bearer ${secrets.x}"] })) && !holds_any(&json!("$${secrets.x}")));
}

#[tokio::test]
async fn a_secret_that_was_replaced_is_known_beside_the_new_one() {
    let (secrets, _folder) = bench(1).await;
    let (hosts, host) = (["a.example".to_owned()], "a.example");
    secrets.set("key", VALUE, &hosts).await.unwrap();
    assert_eq!(secrets.signing("key", host).await.unwrap(), Signing { present: VALUE.to_owned(), previous: None });
    assert_eq!(secrets.signing("key", "b.example").await.unwrap_err().code, Code::SecretRefused);
    let before = chrono::Utc::now();
    secrets.set("key", "another value", &hosts).await.unwrap();
    let both = secrets.signing("key", host).await.unwrap();
    let (previous, at) = both.previous.clone().unwrap();
    assert_eq!((both.present.as_str(), previous.as_str()), ("another value", VALUE));
    assert!((at - before).num_seconds().abs() < 60, "{at}");
    // Only who may see it was changed.
    secrets.set("key", "another value", &["*.example.com".to_owned(), hosts[0].clone()]).await.unwrap();
    assert_eq!(secrets.signing("key", host).await.unwrap(), both);
    secrets.remove("key").await.unwrap();
    secrets.set("key", VALUE, &hosts).await.unwrap();
    assert_eq!(secrets.signing("key", host).await.unwrap().previous, None, "what was removed lives on");
}

#[tokio::test]
async fn the_daemons_own_secret_is_remembered_and_nobodys_to_see() {
    let (secrets, _folder) = bench(1).await;
    assert_eq!(secrets.own_signing("first one").await.unwrap().previous, None);
    assert_eq!(secrets.own_signing("first one").await.unwrap().previous, None);
    let both = secrets.own_signing("second one").await.unwrap();
    assert_eq!(both.previous.as_ref().unwrap().0, "first one");
    assert_eq!(secrets.own_signing("second one").await.unwrap(), both, "the next start forgets it");
    assert_eq!(secrets.list().await.unwrap(), []);
    assert_eq!(secrets.remove("callbacks.secret").await.unwrap_err().code, Code::NotFound);
    assert_eq!(secrets.value("callbacks.secret", "a.example").await.unwrap_err().code, Code::SecretRefused);
    let other = Secrets::new(Arc::clone(&secrets.inner.store), &[2; 32]);
    let alone = Signing { present: "third one".to_owned(), previous: None };
    assert_eq!(other.own_signing("third one").await.unwrap(), alone, "what another key encrypted is in the way");
}
