//! Signatures of web APIs: pure functions, so that time and noise come from whoever signs.
//!
//! One rule holds for all: what is signed is what is sent, byte for byte. Queries are therefore built by `query`, which
//! leaves nothing that a URL parser would write differently.

mod a_bogus;
mod vectors;
pub(crate) mod web_signature;

pub(crate) use a_bogus::{ABogus, NOISE};
pub use vectors::{Checked, check_vectors};

/// How Douyin's web API is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// Not at all.
    None,
    /// With `a_bogus`, and with the second signature for visitors that have a `UIFID` cookie.
    ABogus,
}

impl Scheme {
    /// The scheme with this name in the settings.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "a_bogus" => Some(Self::ABogus),
            _ => None,
        }
    }
}

/// `name=value` joined with `&`; everything but letters, digits and `*-._` is escaped, a space becomes `+`.
pub(crate) fn query<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

/// When a request was signed: the lowest 40 bits of milliseconds since 1970. None when its query has no `a_bogus`, or that
/// of another query, method or user agent. For servers that stand in for the platform and are as strict.
pub fn signed_at(query: &str, method: &str, user_agent: &str) -> Option<u64> {
    let (signed, _) = query.split_once("&a_bogus=")?;
    let (_, signature) = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "a_bogus")?;
    let (time, digests) = a_bogus::opened(&signature)?;
    (digests == a_bogus::digests(signed, method, user_agent)).then_some(time)
}

#[cfg(test)]
mod tests;
