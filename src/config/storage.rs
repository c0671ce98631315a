//! Where media are kept.

use std::{fmt, path::PathBuf};

use serde::Deserialize;
use url::Url;

use super::is_plain_address;
use crate::error::{Code, Error, Result};

/// Where media are kept.
#[derive(Clone, Deserialize)]
pub struct StorageConfig {
    /// A folder or bucket, see [`StoragePlace::parse`]; empty for a folder in the data folder.
    pub url: String,
    /// The address of a server that is not the provider's own; empty: the provider's.
    pub endpoint: String,
    /// The bucket's region; empty: what the environment says, else `us-east-1`.
    pub region: String,
    /// The access key's id, for Azure the account's name; empty: from the environment.
    pub access_key: String,
    /// The access key; empty: from the environment.
    pub secret_key: String,
    /// Whether the endpoint may be one without TLS.
    pub allow_http: bool,
    /// How much of what is kept elsewhere lies here, too, in bytes.
    pub cache_bytes: u64,
}

impl fmt::Debug for StorageConfig {
    /// Without the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StorageConfig")
            .field("url", &self.url)
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// What kind of storage it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Amazon S3 and everything that speaks its API.
    S3,
    /// Google Cloud Storage.
    Gcs,
    /// Azure Blob Storage.
    Azure,
}

/// Where media are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoragePlace {
    /// A folder in the data folder.
    Data,
    /// A folder anywhere.
    Folder(PathBuf),
    /// A bucket.
    Bucket {
        /// Whose.
        provider: Provider,
        /// Its name; Azure says container.
        name: String,
        /// What stands before every key, without slashes at its ends; may be empty.
        prefix: String,
    },
}

impl StoragePlace {
    /// Reads `""`, `file:///path`, `s3://bucket/prefix`, `gs://bucket/prefix` or `az://container/prefix`.
    ///
    /// None for anything else.
    pub fn parse(url: &str) -> Option<Self> {
        if url.is_empty() {
            return Some(Self::Data);
        }
        let (scheme, rest) = url.split_once("://")?;
        let provider = match scheme {
            "file" => {
                let url = Url::parse(url).ok().filter(|url| url.query().is_none() && url.fragment().is_none())?;
                return url.to_file_path().ok().filter(|path| path.parent().is_some()).map(Self::Folder);
            }
            "s3" => Provider::S3,
            "gs" => Provider::Gcs,
            "az" => Provider::Azure,
            _ => return None,
        };
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let is_name = (3..=222).contains(&name.len()) && name.chars().all(is_plain) && !name.starts_with('.');
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let is_segment = |part: &str| !part.is_empty() && !part.starts_with('.') && part.chars().all(is_plain);
        let is_prefix = prefix.is_empty() || prefix.len() <= 512 && prefix.split('/').all(is_segment);
        (is_name && is_prefix).then(|| Self::Bucket { provider, name: name.to_owned(), prefix: prefix.to_owned() })
    }
}

impl StorageConfig {
    /// Where media are kept.
    ///
    /// # Errors
    /// `config` for a URL that is none of ours.
    pub fn place(&self) -> Result<StoragePlace> {
        StoragePlace::parse(&self.url).ok_or_else(|| {
            Error::new(Code::Config, "`storage.url` must be empty, file:///path, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix")
                .with_hint("A prefix holds letters, digits and -_. between its slashes; everything else about the storage has a key of its own.")
        })
    }

    pub(super) fn check(&self) -> Result<()> {
        let wrong = |key: &str, rule: &str| Err(Error::new(Code::Config, format!("`{key}` must be {rule}")));
        self.place()?;
        if !self.endpoint.is_empty() {
            match Url::parse(&self.endpoint) {
                Ok(url) if is_plain_address(&url) => {
                    if url.scheme() == "http" && !self.allow_http {
                        return wrong("storage.endpoint", "an https address while `storage.allow_http` is false");
                    }
                }
                _ => return wrong("storage.endpoint", "empty or an address such as https://minio.example:9000"),
            }
        }
        if self.access_key.is_empty() != self.secret_key.is_empty() {
            return wrong("storage.access_key and storage.secret_key", "both given or both empty");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bucket(provider: Provider, name: &str, prefix: &str) -> Option<StoragePlace> {
        Some(StoragePlace::Bucket { provider, name: name.to_owned(), prefix: prefix.to_owned() })
    }

    #[test]
    fn urls_are_read() {
        for (url, expected) in [
            ("", Some(StoragePlace::Data)),
            ("file:///srv/media", Some(StoragePlace::Folder("/srv/media".into()))),
            ("file:///srv/my%20media/", Some(StoragePlace::Folder("/srv/my media/".into()))),
            ("s3://media", bucket(Provider::S3, "media", "")),
            ("s3://media/", bucket(Provider::S3, "media", "")),
            ("s3://my.media-1/a/b_c/", bucket(Provider::S3, "my.media-1", "a/b_c")),
            ("gs://media/trawl", bucket(Provider::Gcs, "media", "trawl")),
            ("az://container/trawl", bucket(Provider::Azure, "container", "trawl")),
        ] {
            assert_eq!(StoragePlace::parse(url), expected, "{url}");
        }
    }

    #[test]
    fn others_are_refused() {
        for url in [
            "media",
            "/srv/media",
            "file://media",
            "file:///",
            "file:///a?b",
            "s3:media",
            "s3://",
            "s3:///prefix",
            "s3://ab",
            "s3://me:secret@media",
            "s3://media:9000",
            "s3://media/a//b",
            "s3://media/../other",
            "s3://media/a?x=1",
            "s3://media/a#b",
            "s3://media/%2e%2e",
            "S3://media",
            "https://media.s3.amazonaws.com",
            "memory:///",
        ] {
            assert_eq!(StoragePlace::parse(url), None, "{url}");
        }
    }

    #[test]
    fn keys_are_told_to_nobody() {
        let mut config = crate::config::Config::defaults().storage;
        (config.access_key, config.secret_key) = ("who".to_owned(), "hush".to_owned());
        config.url = "s3://media".to_owned();
        let shown = format!("{config:?}");
        assert!(shown.contains("s3://media") && !shown.contains("hush") && !shown.contains("who"), "{shown}");
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let with = |change: &dyn Fn(&mut StorageConfig)| {
            let mut config = crate::config::Config::defaults().storage;
            config.url = "s3://media".to_owned();
            change(&mut config);
            config.check()
        };
        with(&|_| ()).unwrap();
        with(&|config| config.endpoint = "https://minio.example:9000".to_owned()).unwrap();
        for (change, word) in [
            (
                &(|config: &mut StorageConfig| config.endpoint = "http://minio.example".to_owned())
                    as &dyn Fn(&mut StorageConfig),
                "allow_http",
            ),
            (&|config| config.endpoint = "minio.example".to_owned(), "storage.endpoint"),
            (&|config| config.endpoint = "https://me:hush@minio.example".to_owned(), "storage.endpoint"),
            (&|config| config.access_key = "who".to_owned(), "storage.secret_key"),
            (&|config| config.url = "ftp://media".to_owned(), "storage.url"),
        ] {
            let error = with(change).unwrap_err();
            assert!(error.code == Code::Config && error.detail.contains(word), "{error}");
        }
    }

    proptest! {
        #[test]
        fn a_prefix_never_leads_out(url in "(s3|gs|az)://[a-z]{3,8}/[a-z./%\\\\~ -]{0,12}") {
            if let Some(StoragePlace::Bucket { prefix, .. }) = StoragePlace::parse(&url) {
                prop_assert!(prefix.is_empty() || prefix.split('/').all(|part| !part.is_empty() && part != "." && part != ".."));
                prop_assert!(!prefix.contains(['%', '\\', ' ']));
            }
        }
    }
}
