//! The secret that signs callbacks: from the configuration, or made once and kept in the data folder.

use std::{fs, io::Write, os::unix::fs::OpenOptionsExt};

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::{config::Config, error::Result};

const FILE: &str = "callback.secret";

/// `whsec_` and base64 of 32 random bytes, unless the operator has chosen another one.
pub(super) fn callback(config: &Config) -> Result<String> {
    if !config.callbacks.secret.is_empty() {
        return Ok(config.callbacks.secret.clone());
    }
    let path = config.paths.data.join(FILE);
    if let Ok(secret) = fs::read_to_string(&path) {
        return Ok(secret.trim().to_owned());
    }
    let secret = format!("whsec_{}", BASE64_STANDARD.encode(rand::random::<[u8; 32]>()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    file.write_all(secret.as_bytes())?;
    tracing::info!(file = FILE, "made the secret which signs callbacks; it lies in the data folder");
    Ok(secret)
}
