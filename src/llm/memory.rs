//! Answers that were had already: a step that is tried again does not ask, and pay, for them once more.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::workflow::kinds::llm::Usage;

/// An answer with what it took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) text: String,
    pub(super) json: Option<Value>,
    pub(super) usage: Usage,
    /// Whether tokens were estimated.
    pub(super) is_estimated: bool,
}

/// The place of one answer.
pub(super) struct Memory {
    path: PathBuf,
}

impl Memory {
    /// The place for the answer to exactly this.
    pub(super) fn of(folder: &Path, asked: &Value) -> Self {
        let hash = Sha256::digest(asked.to_string());
        let name: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { path: folder.join(format!("{name}.json")) }
    }

    /// The answer, if it was had before.
    pub(super) async fn recall(&self) -> Option<Kept> {
        serde_json::from_slice(&tokio::fs::read(&self.path).await.ok()?).ok()
    }

    /// Keeps an answer. When that cannot be done another try has to ask again, which is no reason to fail.
    pub(super) async fn keep(&self, kept: &Kept) {
        let written = async {
            if let Some(folder) = self.path.parent() {
                tokio::fs::create_dir_all(folder).await?;
            }
            let draft = self.path.with_extension("new");
            tokio::fs::write(&draft, serde_json::to_vec(kept)?).await?;
            tokio::fs::rename(&draft, &self.path).await
        };
        if let Err(error) = written.await {
            tracing::warn!(%error, "an answer of a language model cannot be kept for another try");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn an_answer_belongs_to_its_question() {
        let folder = tempfile::tempdir().unwrap();
        let place = |asked: Value| Memory::of(&folder.path().join("made"), &asked);
        let kept = Kept { text: "a".to_owned(), json: Some(json!([1])), is_estimated: true, ..Kept::default() };
        assert_eq!(place(json!(["q"])).recall().await, None);
        place(json!(["q"])).keep(&kept).await;
        assert_eq!(place(json!(["q"])).recall().await, Some(kept));
        assert_eq!(place(json!(["r"])).recall().await, None);
    }
}
