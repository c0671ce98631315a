//! How long what is done stays.

use serde::Deserialize;

use crate::{
    domain::Span,
    error::{Code, Error, Result},
};

/// How long what is done stays. A span of 0: for ever.
#[derive(Clone, Debug, Deserialize)]
pub struct RetentionConfig {
    /// How often it is looked for what may go.
    pub every: Span,
    /// Tasks, from their end on, with all that belongs to them.
    pub tasks: Span,
    /// Kept media files, from the end of the last task that uses them on.
    pub media: Span,
    /// The bytes that all kept media files may have; 0: any number.
    pub media_bytes: u64,
    /// Events of tasks that have ended.
    pub events: Span,
    /// Attempts of deliveries that have ended, and messages about no task.
    pub attempts: Span,
    /// What work that died has left: working folders, files that nothing is made of, uploads that no task names.
    pub leftovers: Span,
}

impl RetentionConfig {
    pub(super) fn check(&self) -> Result<()> {
        let wrong = |key: &str, rule: &str| Err(Error::new(Code::Config, format!("`{key}` must be {rule}")));
        if self.every.0.as_secs() == 0 {
            return wrong("retention.every", "at least 1s");
        }
        // A client needs time between its upload and its task, and a step between its file and its row.
        if self.leftovers.0.as_secs() < 600 {
            return wrong("retention.leftovers", "at least 10m");
        }
        Ok(())
    }
}
