//! The secret that signs callbacks: from the configuration, or made once and kept in the data folder.

use std::{fs, io::Write, os::unix::fs::OpenOptionsExt};

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::{
    config::Config,
    error::{Code, Error, Result},
};

const FILE: &str = "callback.secret";
/// Standard Webhooks asks for 24 to 64 bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// `whsec_` and base64 of 32 random bytes, unless the operator has chosen another one.
pub(super) fn callback(config: &Config) -> Result<String> {
    if !config.callbacks.secret.is_empty() {
        return check(&config.callbacks.secret, "`callbacks.secret`").map(str::to_owned);
    }
    let path = config.paths.data.join(FILE);
    if let Ok(secret) = fs::read_to_string(&path) {
        return check(secret.trim(), "The file callback.secret in `paths.data`").map(str::to_owned);
    }
    let secret = format!("whsec_{}", BASE64_STANDARD.encode(rand::random::<[u8; 32]>()));
    // Written beside its place first: half a secret must never be taken for one.
    let draft = path.with_extension("secret.new");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(secret.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, &path)?;
    tracing::info!(file = FILE, "made the secret which signs callbacks; it lies in the data folder");
    Ok(secret)
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
    use super::*;

    #[test]
    fn weak_secrets_are_refused() {
        assert!(check("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", "x").is_ok());
        for weak in ["", "whsec_", "whsec_c2hvcnQ=", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", "whsec_***"] {
            assert_eq!(check(weak, "x").unwrap_err().code, Code::Config, "{weak}");
        }
    }
}
