//! Signatures by Standard Webhooks 1.0.0. Pure.

use std::time::Duration;

use chrono::{DateTime, Utc};
use standardwebhooks::Webhook;

use crate::{
    error::{Code, Error, Result},
    secrets::Signing,
    store::ClaimedDelivery,
};

/// The header `webhook-signature` of an attempt at `now`: a signature by the secret and, for `rotation` after that was
/// replaced, one by the secret before, so that a receiver that knows either of them is content.
pub(super) fn header(
    signing: &Signing,
    rotation: Duration,
    now: DateTime<Utc>,
    delivery: &ClaimedDelivery,
) -> Result<String> {
    let sign = |secret: &str| {
        let signed = key(secret)?.sign(&delivery.id, now.timestamp(), delivery.body.as_bytes());
        signed.map_err(|error| Error::new(Code::Internal, "A callback cannot be signed").with_source(error))
    };
    let present = sign(&signing.present)?;
    let is_known = |at: DateTime<Utc>| (now - at).to_std().is_ok_and(|since| since < rotation) || at > now;
    let previous = signing.previous.as_ref().filter(|(_, at)| is_known(*at));
    // One that never could sign is none that a receiver waits for.
    Ok(match previous.and_then(|(secret, _)| sign(secret).ok()) {
        Some(previous) => format!("{present} {previous}"),
        None => present,
    })
}

/// `whsec_` announces base64; anything else is the key as it is.
fn key(secret: &str) -> Result<Webhook> {
    let key = match secret.starts_with("whsec_") {
        true => Webhook::new(secret),
        false => Webhook::from_bytes(secret.as_bytes().to_vec()),
    };
    // Not as the source: it shows a part of the secret.
    key.map_err(|_| Error::new(Code::Config, "A secret that signs callbacks is whsec_ and then no base64"))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use http::HeaderMap;

    use super::*;
    use crate::delivery::tests::delivery;

    const DAY: Duration = Duration::from_secs(86_400);
    const OLD: &str = "whsec_b2xkIG9sZCBvbGQgb2xkIG9sZCBvbGQgb2xk";
    const NEW: &str = "whsec_bmV3IG5ldyBuZXcgbmV3IG5ldyBuZXcgbmV3";

    /// Which of the secrets a receiver may know to be content with what was sent.
    fn content(signing: &Signing, now: DateTime<Utc>) -> [bool; 2] {
        let delivery = delivery("https://a.example/", 1);
        let signature = header(signing, DAY, now, &delivery).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", delivery.id.parse().unwrap());
        headers.insert("webhook-timestamp", now.timestamp().into());
        headers.insert("webhook-signature", signature.parse().unwrap());
        let verified = |secret: &str| key(secret).unwrap().verify(delivery.body.as_bytes(), &headers).is_ok();
        [verified(&signing.present), verified(OLD)]
    }

    #[test]
    fn both_secrets_sign_for_a_day() {
        let now = Utc::now();
        let replaced = |ago: TimeDelta, present: &str, previous: &str| Signing {
            present: present.to_owned(),
            previous: Some((previous.to_owned(), now - ago)),
        };
        let alone = Signing { present: NEW.to_owned(), previous: None };
        assert_eq!(content(&alone, now), [true, false]);
        assert_eq!(content(&replaced(TimeDelta::minutes(1), NEW, OLD), now), [true, true]);
        assert_eq!(content(&replaced(TimeDelta::hours(23), "plain words", OLD), now), [true, true]);
        assert_eq!(content(&replaced(TimeDelta::hours(24), NEW, OLD), now), [true, false]);
        // The clock was put back.
        assert_eq!(content(&replaced(TimeDelta::hours(-1), NEW, OLD), now), [true, true]);
        assert_eq!(content(&replaced(TimeDelta::hours(1), NEW, "whsec_***"), now), [true, false]);
    }

    #[test]
    fn what_is_no_key_is_not_shown() {
        let signing = Signing { present: "whsec_n0 base64!".to_owned(), previous: None };
        let error = header(&signing, DAY, Utc::now(), &delivery("https://a.example/", 1)).unwrap_err();
        assert_eq!((error.code, error.chain().contains("n0 base64")), (Code::Config, false));
    }
}
