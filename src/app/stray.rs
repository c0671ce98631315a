//! Kept files that nothing knows of: taken in by a process that died before a row named them, or left when the storage was
//! away while a task was deleted.

use std::time::Duration;

use futures_util::StreamExt;

use super::App;
use crate::error::{Code, Error, Result};

/// So many files are looked up at once.
const PAGE: usize = 500;
/// More strays than this, and no file at all that has a name, are no leftovers: the storage is another database's.
const MANY: usize = 16;

impl App {
    /// Removes kept files that no row names and nobody has written for `older_than`, and what lies here of others that are
    /// gone from a bucket. Any node may do so at any time: the age keeps it from what another one is taking in.
    pub async fn sweep_kept(&self, older_than: Duration) {
        match self.sweep_stray(older_than).await {
            Ok(0) => {}
            Ok(files) => tracing::info!(files, "kept files that nothing named were removed"),
            Err(error) => tracing::warn!(error = %error.chain(), "kept files cannot be swept"),
        }
    }

    async fn sweep_stray(&self, older_than: Duration) -> Result<usize> {
        let (queue, files) = (&self.services.queue, &self.services.files);
        let (mut seen, mut stray) = (0, Vec::new());
        let mut pages = files.kept(older_than).await?.chunks(PAGE);
        while let Some(page) = pages.next().await {
            let page = page.into_iter().collect::<Result<Vec<String>, Error>>()?;
            seen += page.len();
            stray.extend(queue.store().unnamed_files(page).await?);
        }
        if stray.len() == seen && seen > MANY {
            let text =
                format!("The storage holds {seen} files and the database names none of them; nothing was removed");
            return Err(Error::new(Code::Config, text));
        }
        for key in &stray {
            queue.drop_file(files, key).await?;
        }
        for page in files.cached().chunks(PAGE) {
            for key in queue.store().unnamed_files(page.to_vec()).await? {
                files.forget(&key);
            }
        }
        Ok(stray.len())
    }
}
