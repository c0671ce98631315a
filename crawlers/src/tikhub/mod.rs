//! TikHub: a paid service that fetches posts of Douyin and TikTok for whoever has a key. It answers in an envelope whose
//! `data` is what the platform itself said.

use serde_json::Value;

use crate::{CrawlError, ErrorClass, Request, Response, Rhythm, Visit};

/// The strategy's name on every platform.
pub(crate) const NAME: &str = "tikhub";
/// Answers beyond this are not read.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Why it cannot be asked, if so.
pub(crate) fn hindrance(visit: &Visit<'_>) -> Option<String> {
    visit.settings.tikhub.key.is_empty().then(|| "There is no key for TikHub (`crawlers.tikhub.key`).".to_owned())
}

/// What the platform said to TikHub: the answer's `data`. `path_and_query` begins with `/api/`.
///
/// Every error is one of the way, never of the post: [`ErrorClass::Credentials`] for a key that is wrong or out of funds,
/// [`ErrorClass::RateLimited`] with the wait that it asks for, [`ErrorClass::Blocked`] for an answer
/// without data, [`ErrorClass::SiteError`] for the rest.
pub(crate) async fn fetch(visit: &Visit<'_>, path_and_query: &str) -> Result<Value, CrawlError> {
    let settings = &visit.settings.tikhub;
    let url =
        url::Url::parse(&format!("{}{path_and_query}", settings.base_url.trim_end_matches('/'))).map_err(|_| {
            CrawlError::new(
                ErrorClass::SiteError,
                "`crawlers.tikhub.base_url` is not a URL, so TikHub cannot be asked.",
            )
        })?;
    let endpoint = format!("{NAME}{}", url.path());
    // The key goes to this host and nowhere else, so redirects are not followed.
    let request = Request::get(url, MAX_BYTES)
        .no_redirects()
        .header("Authorization", format!("Bearer {}", settings.key))
        .header("Accept", "application/json");
    data(&visit.fetch(Rhythm::Post, &endpoint, request).await?)
}

/// Opens the envelope.
fn data(response: &Response) -> Result<Value, CrawlError> {
    judge(u64::from(response.status), response)?;
    let mut envelope: Value = serde_json::from_slice(&response.body).map_err(|_| {
        CrawlError::new(ErrorClass::SiteError, "TikHub answered with something that is not JSON. Try again later.")
    })?;
    judge(crate::loose::number(&envelope["code"]).unwrap_or(200), response)?;
    match envelope.get_mut("data").map_or(Value::Null, Value::take) {
        Value::Null => {
            Err(CrawlError::new(ErrorClass::Blocked, "TikHub got nothing from the platform. Try again later."))
        }
        data => Ok(data),
    }
}

/// What a status says: that of HTTP or the envelope's own.
fn judge(status: u64, response: &Response) -> Result<(), CrawlError> {
    let (class, message) = match status {
        0 | 200..=299 => return Ok(()),
        401 | 403 => (
            ErrorClass::Credentials,
            "TikHub does not accept the key, or the key may not do this. Check `crawlers.tikhub.key`.".to_owned(),
        ),
        402 => (ErrorClass::Credentials, "The TikHub account is out of funds. Top it up or remove the key.".to_owned()),
        429 => (ErrorClass::RateLimited, "TikHub says that we ask too often. Try again later.".to_owned()),
        400 | 422 => (ErrorClass::SiteError, format!("TikHub could not work with the request (status {status}).")),
        _ => (ErrorClass::SiteError, format!("TikHub has a problem at the moment (status {status}). Try again later.")),
    };
    Err(CrawlError::new(class, message).with_retry_after(response.retry_after()))
}

#[cfg(test)]
mod tests;
