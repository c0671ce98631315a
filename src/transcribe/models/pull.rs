//! Downloads of official models, over a network which is handed in.

use std::{
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::PoisonError,
};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{
    ModelRef, Models,
    catalogue::{Official, official},
    files::{file_name, verify_file},
    lock::Lock,
};
use crate::{
    error::{Code, Error, Result},
    net::is_complete,
};

/// Hears how many bytes are here, and of how many if that is known.
pub type Progress<'a> = dyn Fn(u64, Option<u64>) + Send + Sync + 'a;

/// The network, as far as models need it. The daemon implements it over its guarded client.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// Downloads `url` into the file `part`, going on after what it holds already, and gives the file's size. What is
    /// announced or turns out to have none of `sizes` is refused, and is no reason to lose a part.
    async fn fetch(
        &self,
        url: &str,
        part: &Path,
        sizes: RangeInclusive<u64>,
        progress: &Progress<'_>,
        cancel: &CancellationToken,
    ) -> Result<u64>;
}

/// What there is to pull.
pub(super) enum Pullable {
    /// Nothing: the model is here.
    Here(ModelRef),
    /// This.
    Absent(&'static Official),
}

impl Models {
    /// Whether a model can be downloaded, as far as that shows without asking anyone.
    pub(super) fn pullable(&self, name: &str) -> Result<Pullable> {
        let name = self.name(Some(name))?;
        if let Some(path) = self.files().remove(&name) {
            return Ok(Pullable::Here(ModelRef::new(name, path)));
        }
        let Some(official) = official(&name) else {
            return Err(Error::new(Code::UnknownModel, format!("The model {name} is not published anywhere")));
        };
        if self.offline {
            let error = Error::new(Code::ModelPull, "Downloads of models are switched off (models.offline)");
            let hint =
                format!("Put the file {} into the models folder, or set models.offline to false.", file_name(&name));
            return Err(error.with_hint(hint));
        }
        Ok(Pullable::Absent(official))
    }

    /// Downloads an official model, trying each mirror in order. What arrived stays in a `.part` file when it fails, and
    /// is gone on with next time; the model appears only when size and hash are right. A full disk is
    /// `insufficient_storage`, a cancelled download `cancelled`, one that runs already, here or in another process,
    /// `conflict`, everything else `model_pull`.
    pub async fn pull(
        &self,
        name: &str,
        fetch: &dyn Fetch,
        progress: &Progress<'_>,
        cancel: &CancellationToken,
    ) -> Result<ModelRef> {
        let official = match self.pullable(name)? {
            Pullable::Here(model) => return Ok(model),
            Pullable::Absent(official) => official,
        };
        let name = official.name;
        let _guard = self.start_pulling(name)?;
        tokio::fs::create_dir_all(&self.dir).await?;
        let path = self.dir.join(file_name(name));
        let lock = Lock::take(self.dir.join(format!("{}.lock", file_name(name))))?;
        let _lock = lock.ok_or_else(|| running(name))?;
        // Another process may have brought it to its end a moment ago, or been killed during the check.
        if let Pullable::Here(model) = self.pullable(name)? {
            return Ok(model);
        }
        if self.finish(official, &path).await? {
            return Ok(ModelRef::new(name, path));
        }

        let mut last = Error::new(Code::ModelPull, "There is no address to download models from (models.base_urls)");
        for base in &self.base_urls {
            let url = format!("{}/{}", base.trim_end_matches('/'), file_name(name));
            let fetched = fetch.fetch(&url, &self.part(name), official.sizes(), progress, cancel).await;
            if cancel.is_cancelled() {
                return Err(Error::new(Code::Cancelled, format!("The download of {name} was cancelled"))
                    .with_hint("What is here of it is kept; pull it again to go on."));
            }
            let error = match fetched {
                Ok(size) => match self.accept(official, size, &path).await {
                    Ok(()) => return Ok(ModelRef::new(name, path)),
                    Err(error) => error,
                },
                Err(error) => error,
            };
            let url = shown(&url);
            tracing::warn!(model = name, url, error = error.chain(), "A model could not be downloaded from here");
            let is_ours = matches!(error.code, Code::InsufficientStorage | Code::Io);
            last = error;
            if is_ours {
                break;
            }
        }
        Err(failed(name, last))
    }

    /// Bytes that are here of a download that has not ended.
    pub fn started(&self, name: &str) -> u64 {
        self.part(name).metadata().map_or(0, |part| part.len())
    }

    fn part(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{}.part", file_name(name)))
    }

    /// Checks a whole download and gives it its name. A wrong one is thrown away: there is nothing to go on from.
    async fn accept(&self, official: &'static Official, size: u64, path: &Path) -> Result<()> {
        let part = self.part(official.name);
        let there = tokio::fs::metadata(&part).await?.len();
        if there != size {
            return Err(Error::new(Code::ModelPull, format!("{there} bytes are here instead of {size}")));
        }
        match check(official, part.clone()).await {
            Ok(()) => Ok(tokio::fs::rename(part, path).await?),
            Err(error) => {
                tokio::fs::remove_file(part).await?;
                Err(error)
            }
        }
    }

    /// Gives a download its name that is whole already and was never checked. Says whether there was one.
    async fn finish(&self, official: &'static Official, path: &Path) -> Result<bool> {
        let part = self.part(official.name);
        if !official.sizes().contains(&self.started(official.name)) || !is_complete(&part) {
            return Ok(false);
        }
        if let Err(error) = check(official, part.clone()).await {
            tracing::warn!(model = official.name, error = error.chain(), "What is here of a model cannot be used");
            return Ok(false);
        }
        tokio::fs::rename(part, path).await?;
        Ok(true)
    }

    /// Whether a download of this model runs.
    pub fn is_pulling(&self, name: &str) -> bool {
        self.pulling.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }

    fn start_pulling(&self, name: &str) -> Result<Pulling<'_>> {
        let mut pulling = self.pulling.lock().unwrap_or_else(PoisonError::into_inner);
        if !pulling.insert(name.to_owned()) {
            return Err(running(name));
        }
        Ok(Pulling { models: self, name: name.to_owned() })
    }
}

/// Reads a whole file, and sees that what was read stays.
async fn check(official: &'static Official, file: PathBuf) -> Result<()> {
    let checked = tokio::task::spawn_blocking(move || {
        verify_file(official.name, &file)?;
        Ok(std::fs::File::open(&file)?.sync_all()?)
    });
    checked.await.map_err(|error| Error::new(Code::Internal, "A check broke off").with_source(error))?
}

/// An address without what may be secret in it.
pub(super) fn shown(url: &str) -> String {
    let Ok(url) = url::Url::parse(url) else { return "an address that is none".to_owned() };
    format!("{}://{}{}", url.scheme(), url.authority().rsplit('@').next().unwrap_or_default(), url.path())
}

/// The error for a second download of the same model.
pub(super) fn running(name: &str) -> Error {
    Error::new(Code::Conflict, format!("The model {name} is being downloaded already"))
        .with_hint("Wait for the download that runs, or cancel it.")
}

/// What is told when no mirror gave the model.
fn failed(name: &str, last: Error) -> Error {
    let detail = format!("The model {name} could not be downloaded: {}", last.detail);
    match last.code {
        Code::InsufficientStorage => Error::new(last.code, detail)
            .with_hint("Free some disk space in the models folder and pull again: what is here of it is kept.")
            .with_source(last),
        _ => Error::new(Code::ModelPull, detail).with_retry_after(last.retry_after).with_source(last),
    }
}

/// Two downloads into one file would spoil it.
struct Pulling<'a> {
    models: &'a Models,
    name: String,
}

impl Drop for Pulling<'_> {
    fn drop(&mut self) {
        self.models.pulling.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}
