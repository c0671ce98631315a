//! Downloads of official models, over a network which is handed in.

use std::path::Path;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{ModelRef, Models, file_name, official, verify_file};
use crate::error::{Code, Error, Result};

/// Hears how many bytes are here, and of how many if that is known.
pub type Progress<'a> = dyn Fn(u64, Option<u64>) + Send + Sync + 'a;

/// The network, as far as models need it. The daemon implements it over its guarded client.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// Downloads `url` into the file `part`, going on after what it holds already, and gives the file's size.
    async fn fetch(&self, url: &str, part: &Path, progress: &Progress<'_>, cancel: &CancellationToken) -> Result<u64>;
}

impl Models {
    /// Downloads an official model, trying each mirror in order. What arrived stays in a `.part` file when it fails, and
    /// is gone on with next time; the model appears only when size and hash are right.
    pub async fn pull(
        &self,
        name: &str,
        fetch: &dyn Fetch,
        progress: &Progress<'_>,
        cancel: &CancellationToken,
    ) -> Result<ModelRef> {
        let name = self.name(Some(name))?;
        if let Ok(model) = self.resolve(Some(&name)) {
            return Ok(model);
        }
        if official(&name).is_none() {
            return Err(Error::new(Code::UnknownModel, format!("The model {name} is not published anywhere")));
        }
        if self.offline {
            let error = Error::new(Code::ModelPull, "Downloads of models are switched off (models.offline)");
            let hint =
                format!("Put the file {} into the models folder, or set models.offline to false.", file_name(&name));
            return Err(error.with_hint(hint));
        }
        let _guard = self.start_pulling(&name)?;
        tokio::fs::create_dir_all(&self.dir).await?;
        let path = self.dir.join(file_name(&name));
        let part = self.dir.join(format!("{}.part", file_name(&name)));

        let mut last = Error::new(Code::ModelPull, "There is no address to download models from (models.base_urls)");
        for base in &self.base_urls {
            let url = format!("{}/{}", base.trim_end_matches('/'), file_name(&name));
            let fetched = fetch.fetch(&url, &part, progress, cancel).await;
            if cancel.is_cancelled() {
                return Err(Error::new(Code::Cancelled, format!("The download of {name} was cancelled")));
            }
            let error = match fetched {
                Ok(size) => match self.accept(&name, size, &part, &path).await {
                    Ok(()) => return Ok(ModelRef { name, path }),
                    Err(error) => error,
                },
                Err(error) => error,
            };
            tracing::warn!(model = name, url, error = error.chain(), "A model could not be downloaded from here");
            last = error;
        }
        let detail = format!("The model {name} could not be downloaded: {}", last.detail);
        Err(Error::new(Code::ModelPull, detail).with_retry_after(last.retry_after).with_source(last))
    }

    /// Checks a whole download and gives it its name. A wrong one is thrown away: there is nothing to go on from.
    async fn accept(&self, name: &str, size: u64, part: &Path, path: &Path) -> Result<()> {
        let there = tokio::fs::metadata(part).await?.len();
        if there != size {
            return Err(Error::new(Code::ModelPull, format!("{there} bytes are here instead of {size}")));
        }
        let (checked, file) = (name.to_owned(), part.to_owned());
        let verdict = tokio::task::spawn_blocking(move || {
            let verdict = verify_file(&checked, &file)?;
            std::fs::File::open(&file)?.sync_all()?;
            Ok::<_, Error>(verdict)
        });
        let verdict =
            verdict.await.map_err(|error| Error::new(Code::Internal, "A check broke off").with_source(error))?;
        match verdict {
            Ok(_) => Ok(tokio::fs::rename(part, path).await?),
            Err(error) => {
                tokio::fs::remove_file(part).await?;
                Err(error)
            }
        }
    }

    fn start_pulling(&self, name: &str) -> Result<Pulling<'_>> {
        let mut pulling = self.pulling.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !pulling.insert(name.to_owned()) {
            let detail = format!("The model {name} is being downloaded already");
            return Err(Error::new(Code::Conflict, detail).with_hint("Wait for the download that runs."));
        }
        Ok(Pulling { models: self, name: name.to_owned() })
    }
}

/// Two downloads into one file would spoil it.
struct Pulling<'a> {
    models: &'a Models,
    name: String,
}

impl Drop for Pulling<'_> {
    fn drop(&mut self) {
        self.models.pulling.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(&self.name);
    }
}
