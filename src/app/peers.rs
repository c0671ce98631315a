//! The other nodes on the same database.

use crate::{
    domain::NodeState,
    error::{Code, Error, Result},
    queue::Queue,
};

/// Nodes that share a database must have the same keys: what one encrypts or signs, the others have to read.
///
/// # Errors
/// `config`, naming a node that has others.
pub(super) async fn check_keys(queue: &Queue, keys_sha256: &str) -> Result<()> {
    let store = queue.store();
    if store.is_exclusive() {
        return Ok(());
    }
    let nodes = store.nodes(queue.lease_ms()).await?;
    let mut others = nodes.iter().filter(|node| node.state != NodeState::Lost);
    let Some(other) = others.find(|node| node.said.keys_sha256 != keys_sha256) else { return Ok(()) };
    let detail = format!("The node \"{}\" on this database has other keys than this one", other.said.name.escape_debug());
    Err(Error::new(Code::Config, detail).with_hint(
        "Give every node the same `auth.key`, `identities.key`, `secrets.key` and `callbacks.secret`, or the files \
         auth.key, identities.key, secrets.key and callback.secret of one node's `paths.data`.",
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        config::Config,
        domain::Role,
        store::{NewNode, Store},
    };

    #[tokio::test]
    async fn a_node_with_other_keys_does_not_start() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("a.db").display());
        let own = Arc::new(Store::open(&url).await.unwrap());
        let shared = Arc::new(Store::open_beside(&url).await.unwrap());
        let queue = |store: &Arc<Store>| Queue::new(Arc::clone(store), Config::defaults().queue);
        let tx = own.begin().await.unwrap();
        let node = NewNode {
            id: "other".to_owned(),
            name: "machine".to_owned(),
            role: Role::All,
            version: "1".to_owned(),
            keys_sha256: "aa".to_owned(),
            draining: false,
            lanes: Vec::new(),
            devices: serde_json::json!([]),
            engines: serde_json::json!([]),
            models: Vec::new(),
        };
        tx.put_node(&node).await.unwrap();
        tx.commit().await.unwrap();
        check_keys(&queue(&shared), "aa").await.unwrap();
        let error = check_keys(&queue(&shared), "bb").await.unwrap_err();
        assert_eq!(error.code, Code::Config);
        assert!(error.detail.contains("machine") && !error.chain().contains("aa"), "{}", error.chain());
        check_keys(&queue(&own), "bb").await.unwrap();
    }
}
