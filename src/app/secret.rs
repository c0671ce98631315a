//! Secrets from the configuration, or made once and kept in the data folder: the one that signs callbacks, and the keys
//! that encrypt identities and the secrets of workflows or sign sessions.

use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

use crate::{
    config::Config,
    error::{Code, Error, Result},
};

const CALLBACKS: &str = "callback.secret";
const IDENTITIES: &str = "identities.key";
const SECRETS: &str = "secrets.key";
const AUTH: &str = "auth.key";
/// Standard Webhooks asks for 24 to 64 bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// `whsec_` and base64 of 32 random bytes, unless the operator has chosen another one.
pub(super) fn callback(config: &Config) -> Result<String> {
    let given = &config.callbacks.secret;
    let (secret, from) = kept(given, "callbacks.secret", &config.paths.data, CALLBACKS, || {
        format!("whsec_{}", BASE64_STANDARD.encode(rand::random::<[u8; 32]>()))
    })?;
    check(&secret, &from).map(str::to_owned)
}

/// The key that encrypts identities: 32 random bytes, unless the operator has chosen others.
pub(super) fn identities(config: &Config) -> Result<[u8; 32]> {
    key(&config.identities.key, IDENTITIES, &config.paths.data)
}

/// The key that encrypts the secrets of workflows, likewise.
pub(super) fn secrets(config: &Config) -> Result<[u8; 32]> {
    key(&config.secrets.key, SECRETS, &config.paths.data)
}

/// The key that signs sessions and JWTs, likewise.
pub(super) fn auth(config: &Config) -> Result<[u8; 32]> {
    key(&config.auth.key, AUTH, &config.paths.data)
}

/// The SHA-256 over all of these, in hex: nodes that share a database need the same ones.
pub(super) fn fingerprint(config: &Config) -> Result<String> {
    let mut hash = Sha256::new();
    hash.update(callback(config)?);
    for key in [identities(config)?, secrets(config)?, auth(config)?] {
        hash.update(key);
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A key given under a setting, or kept in the file that has the setting's name.
fn key(given: &str, name: &str, data: &Path) -> Result<[u8; 32]> {
    let (key, from) = kept(given, name, data, name, || BASE64_STANDARD.encode(rand::random::<[u8; 32]>()))?;
    let bytes = BASE64_STANDARD.decode(&key).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes.ok_or_else(|| Error::new(Code::Config, format!("{from} must be 32 bytes in base64")))
}

/// Whether that key is there already.
pub(super) fn has_identities(config: &Config) -> bool {
    !config.identities.key.trim().is_empty() || config.paths.data.join(IDENTITIES).exists()
}

/// What is given under the setting `name`, else what lies in the file, else what is made and put there; and which of
/// them it is, in words.
fn kept(given: &str, name: &str, data: &Path, file: &str, make: impl Fn() -> String) -> Result<(String, String)> {
    if !given.trim().is_empty() {
        return Ok((given.trim().to_owned(), format!("`{name}`")));
    }
    let path = data.join(file);
    let from = format!("The file {file} in `paths.data`");
    match fs::read_to_string(&path) {
        Ok(text) => return Ok((text.trim().to_owned(), from)),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Error::new(Code::Io, format!("{from} cannot be read")).with_source(error));
        }
        Err(_) => {}
    }
    let secret = make();
    // Written beside its place first: half a secret must never be taken for one.
    let draft = data.join(format!("{file}.new"));
    let mut open = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    open.write_all(secret.as_bytes())?;
    open.sync_all()?;
    fs::rename(&draft, &path)?;
    tracing::info!(file, "made a secret; it lies in the data folder");
    Ok((secret, from))
}

fn check<'a>(secret: &'a str, what: &str) -> Result<&'a str> {
    let key = secret.strip_prefix("whsec_").and_then(|key| BASE64_STANDARD.decode(key).ok());
    if key.is_some_and(|key| KEY_BYTES.contains(&key.len())) {
        return Ok(secret);
    }
    Err(Error::new(Code::Config, format!("{what} must be whsec_ followed by base64 of 24 to 64 bytes")))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn weak_secrets_are_refused() {
        assert!(check("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", "x").is_ok());
        for weak in ["", "whsec_", "whsec_c2hvcnQ=", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", "whsec_***"] {
            assert_eq!(check(weak, "x").unwrap_err().code, Code::Config, "{weak}");
        }
    }

    #[test]
    fn other_keys_have_another_fingerprint() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::defaults();
        config.paths.data = folder.path().to_owned();
        let first = fingerprint(&config).unwrap();
        assert_eq!(fingerprint(&config).unwrap(), first);
        config.auth.key = BASE64_STANDARD.encode([5; 32]);
        let second = fingerprint(&config).unwrap();
        config.callbacks.secret = format!("whsec_{}", BASE64_STANDARD.encode([5; 32]));
        let third = fingerprint(&config).unwrap();
        assert!(first != second && second != third && third.len() == 64, "{third}");
    }

    #[test]
    fn a_key_is_made_once_and_kept_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::defaults();
        config.paths.data = folder.path().to_owned();
        assert!(!has_identities(&config));
        let key = identities(&config).unwrap();
        assert!(has_identities(&config));
        assert_eq!(identities(&config).unwrap(), key);
        let mode = fs::metadata(folder.path().join(IDENTITIES)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        config.identities.key = BASE64_STANDARD.encode([5; 32]);
        assert_eq!(identities(&config).unwrap(), [5; 32]);
        for weak in ["c2hvcnQ=", "geheim", &BASE64_STANDARD.encode([5; 33])] {
            weak.clone_into(&mut config.identities.key);
            let error = identities(&config).unwrap_err();
            assert_eq!((error.code, error.chain().contains(weak)), (Code::Config, false), "{}", error.chain());
        }
        config.identities.key.clear();
        fs::write(folder.path().join(IDENTITIES), "half").unwrap();
        assert_eq!(identities(&config).unwrap_err().code, Code::Config);
    }
}
