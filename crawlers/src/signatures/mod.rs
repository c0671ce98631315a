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

#[cfg(test)]
pub(crate) use a_bogus::{digests, opened};
#[cfg(test)]
mod tests;
