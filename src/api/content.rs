//! Content types and hashes.

use poem::Request;
use sha2::{Digest, Sha256};

use crate::error::{Code, Error, Result};

/// Refuses a body that does not say that it is JSON.
pub(super) fn expect_json(request: &Request) -> Result<()> {
    let given = request.content_type().unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")) {
        return Ok(());
    }
    let detail = match essence.as_str() {
        "" => "The request does not say what its body is".to_owned(),
        essence => format!("The body is \"{}\", not JSON", essence.escape_debug()),
    };
    Err(Error::new(Code::UnsupportedFormat, detail)
        .with_hint("Send JSON with the header Content-Type: application/json."))
}

/// The SHA-256 in hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
