//! What stands behind kept files: a folder, or a bucket elsewhere.

use std::{error::Error as _, path::PathBuf, sync::Arc, time::Duration};

use futures_util::TryStreamExt;
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, ObjectStoreExt, RetryConfig, aws::AmazonS3Builder,
    azure::MicrosoftAzureBuilder, gcp::GoogleCloudStorageBuilder, local::LocalFileSystem, path::Path as Location,
    prefix::PrefixStore,
};

use super::{blocking, cache::Cache, folder, unusable};
use crate::{
    config::{Provider, StorageConfig, StoragePlace},
    error::{Code, Error, Result, is_no_room},
};

/// Until a connection stands.
const CONNECT: Duration = Duration::from_secs(5);
/// How long the other side may be silent, which is also how long one part of an upload may take.
const SILENCE: Duration = Duration::from_secs(30);
/// How often a request is made again, at most for so long after its first try.
const RETRIES: (usize, Duration) = (5, Duration::from_secs(60));
/// The waits between them.
const WAITS: BackoffConfig =
    BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(5), base: 2.0 };

/// How kept files lie there.
#[derive(Debug)]
pub(super) enum Shelf {
    /// In a folder, where everybody reads them directly. `shared`: other nodes write there, too.
    Folder { path: PathBuf, shared: bool },
    /// In a bucket; what is read by path lies in the cache, too.
    Bucket(Cache),
}

/// Whether the storage of a configuration can be written and read, in a sentence.
///
/// # Errors
/// `config` when it refuses or is not there, `storage` when it does not answer.
pub async fn check_storage(config: &StorageConfig) -> Result<String> {
    match config.place()? {
        StoragePlace::Data => Ok("A folder in `paths.data`.".to_owned()),
        StoragePlace::Folder(path) => {
            let path = blocking(move || folder("storage.url", &path)).await?;
            Ok(format!("{} can be written and read.", path.display()))
        }
        StoragePlace::Bucket { .. } => {
            probe(&*bucket(config)?, &config.url).await?;
            Ok(format!("{} can be written and read.", config.url))
        }
    }
}

/// A store over a folder that is there.
pub(super) fn local(key: &str, path: &std::path::Path) -> Result<Arc<dyn ObjectStore>> {
    let store = LocalFileSystem::new_with_prefix(path).map_err(|error| unusable(key, path, error))?;
    Ok(Arc::new(store.with_fsync(true)))
}

/// The bucket of a configuration. Nothing is asked of it yet.
pub(super) fn bucket(config: &StorageConfig) -> Result<Arc<dyn ObjectStore>> {
    let StoragePlace::Bucket { provider, name, prefix } = config.place()? else {
        return Err(Error::new(Code::Internal, "The storage is no bucket"));
    };
    // The client takes the one of the process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let (endpoint, id, secret) = (given(&config.endpoint), given(&config.access_key), given(&config.secret_key));
    let client = ClientOptions::new()
        .with_allow_http(config.allow_http)
        .with_timeout_disabled()
        .with_connect_timeout(CONNECT)
        .with_read_timeout(SILENCE);
    let retry = RetryConfig { backoff: WAITS, max_retries: RETRIES.0, retry_timeout: RETRIES.1 };
    let built: object_store::Result<Arc<dyn ObjectStore>> = match provider {
        Provider::S3 => {
            let mut builder = AmazonS3Builder::from_env().with_bucket_name(name);
            builder = endpoint.into_iter().fold(builder, AmazonS3Builder::with_endpoint);
            builder = given(&config.region).into_iter().fold(builder, AmazonS3Builder::with_region);
            if let (Some(id), Some(secret)) = (id, secret) {
                builder = builder.with_access_key_id(id).with_secret_access_key(secret);
            }
            // Each request is signed with the SHA-256 of what it brings: what arrives otherwise is refused over there.
            builder.with_client_options(client).with_retry(retry).build().map(|store| Arc::new(store) as _)
        }
        Provider::Gcs => {
            let mut builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(name);
            builder = endpoint.iter().fold(builder, |builder, endpoint| builder.with_base_url(endpoint));
            builder.with_client_options(client).with_retry(retry).build().map(|store| Arc::new(store) as _)
        }
        Provider::Azure => {
            let mut builder = MicrosoftAzureBuilder::from_env().with_container_name(name);
            builder = endpoint.into_iter().fold(builder, MicrosoftAzureBuilder::with_endpoint);
            if let (Some(id), Some(secret)) = (id, secret) {
                builder = builder.with_account(id).with_access_key(secret);
            }
            builder.with_client_options(client).with_retry(retry).build().map(|store| Arc::new(store) as _)
        }
    };
    let store = built.map_err(|error| {
        Error::new(Code::Config, format!("The storage {} cannot be used as it is configured", config.url))
            .with_hint("See docs/storage.md for what this kind of storage needs.")
            .with_source(error)
    })?;
    Ok(if prefix.is_empty() { store } else { Arc::new(PrefixStore::new(store, prefix)) })
}

/// Writes something, reads it, lists what is near it and removes it: all that is ever asked of a bucket.
pub(super) async fn probe(store: &dyn ObjectStore, url: &str) -> Result<()> {
    let id = uuid::Uuid::new_v4().simple().to_string();
    let place = Location::from(format!(".trawl-{id}"));
    let cannot = |what: &str, error: object_store::Error| {
        let (code, why, hint) = match &error {
            object_store::Error::NotFound { .. } => {
                (Code::Config, "there is no such bucket", "Create it, or correct `storage.url` and `storage.endpoint`.")
            }
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                (Code::Config, "access is refused", "Check the keys and what they may do: get, put, delete and list.")
            }
            _ => (
                Code::Storage,
                "it does not answer as it should",
                "Check `storage.endpoint`, the network and the server.",
            ),
        };
        Error::new(code, format!("The storage {url} cannot be {what}: {why}")).with_hint(hint).with_source(error)
    };
    store.put(&place, id.clone().into()).await.map_err(|error| cannot("written", error))?;
    let found = async { store.get(&place).await?.bytes().await }.await.map_err(|error| cannot("read", error))?;
    let listed = store.list(Some(&place)).try_next().await;
    store.delete(&place).await.map_err(|error| cannot("deleted from", error))?;
    listed.map_err(|error| cannot("listed", error))?;
    if found != id.as_bytes() {
        return Err(Error::new(Code::Storage, format!("The storage {url} gives other bytes than it was given")));
    }
    Ok(())
}

/// A file that is not there.
pub(super) fn missing() -> Error {
    Error::new(Code::NotFound, "The media file is not here any more")
}

/// An error of the folder's store.
pub(super) fn of_folder(error: object_store::Error) -> Error {
    if matches!(error, object_store::Error::NotFound { .. }) {
        return missing().with_source(error);
    }
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.downcast_ref::<std::io::Error>().is_some_and(|error| is_no_room(error.kind())) {
            return Error::new(Code::InsufficientStorage, "The disk takes nothing more").with_source(error);
        }
        cause = inner.source();
    }
    Error::new(Code::Io, "A media file could not be read or written").with_source(error)
}

/// An error of a bucket.
pub(super) fn of_bucket(error: object_store::Error) -> Error {
    use object_store::Error as E;
    let text = match error {
        E::NotFound { .. } => return missing().with_source(error),
        E::PermissionDenied { .. } | E::Unauthenticated { .. } => "The media storage refuses access",
        _ => "The media storage does not answer as it should",
    };
    Error::new(Code::Storage, text).with_source(error)
}
