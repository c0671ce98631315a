//! The workflows that ship with the binary, stored at the start: a changed one becomes a new revision.

use sha2::{Digest, Sha256};

use crate::{
    error::{Code, Error, Result},
    store::Store,
    workflow::Definition,
};

/// Name and text of every workflow that ships.
const SHIPPED: [&str; 1] = [include_str!("../../workflows/transcribe.json")];

/// Stores the shipped workflows.
pub(super) async fn load(store: &Store) -> Result<()> {
    let tx = store.begin().await?;
    for text in SHIPPED {
        let definition = Definition::parse(text)?;
        let json = serde_json::to_value(&definition)
            .map_err(|error| Error::new(Code::Internal, "A workflow cannot be written as JSON").with_source(error))?;
        let hash = Sha256::digest(json.to_string());
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        tx.save_workflow(&definition.name, json, &hash).await?;
    }
    tx.commit().await
}
