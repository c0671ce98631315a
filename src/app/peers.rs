//! The other nodes on the same database, and on the same machine.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use crate::{
    domain::NodeState,
    error::{Code, Error, Result},
    queue::Queue,
};

/// Takes the data folder for this process: what lies there is nobody else's, whatever database it works on.
///
/// # Errors
/// `config` when another process has it.
pub(super) fn lock(data: &Path) -> Result<File> {
    let folder = File::open(data)?;
    match folder.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Error::new(Code::Config, "Another trawl uses the folder `paths.data`")
            .with_hint("Stop it, or give this one its own `paths.data`; media that nodes share lie at `storage.url`.")),
        // Some file systems lock no folders; then the operator has to know.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(folder),
    }
}

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
    let detail =
        format!("The node \"{}\" on this database has other keys than this one", other.said.name.escape_debug());
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

    #[test]
    fn a_data_folder_is_one_process_s() {
        let folder = tempfile::tempdir().unwrap();
        let held = lock(folder.path()).unwrap();
        assert_eq!(lock(folder.path()).unwrap_err().code, Code::Config);
        drop(held);
        lock(folder.path()).unwrap();
    }

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
