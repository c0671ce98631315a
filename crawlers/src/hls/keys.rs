//! `#EXT-X-KEY` lines: which key holds from where on.

use std::collections::HashSet;

use url::Url;

use super::{lines::attributes, resolve, unavailable};
use crate::{
    CrawlError,
    stream::{Key, MAX_KEYS, is_protected},
};

/// Which keys hold where, counted in segments.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Each key with the first segment that it holds for; none: plain from here on.
    changes: Vec<(usize, Option<Written>)>,
    /// The key of what goes in front of the segments.
    init: Option<Written>,
}

/// A key as it stands in the playlist.
#[derive(Debug, Clone)]
struct Written {
    uri: String,
    iv: Option<[u8; 16]>,
}

impl Keys {
    /// Takes the attributes of a key line that stands before segment `at`.
    pub(super) fn add(&mut self, at: usize, list: &str) -> Result<(), CrawlError> {
        let key = read(list)?;
        self.changes.push((at, key));
        Ok(())
    }

    /// What goes in front of the segments is named here.
    pub(super) fn at_init(&mut self) {
        self.init = self.changes.last().and_then(|(_, key)| key.clone());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.iter().all(|(_, key)| key.is_none())
    }

    /// The key of each of so many segments, the first of which has this number.
    pub(super) fn of_segments(&self, count: usize, first: u64, base: &Url) -> Result<Vec<Option<Key>>, CrawlError> {
        let mut changes = self.changes.iter().peekable();
        let mut holds: Option<(Url, Option<[u8; 16]>)> = None;
        let (mut all, mut seen) = (Vec::with_capacity(count), HashSet::new());
        for at in 0..count {
            while let Some((_, key)) = changes.next_if(|(from, _)| *from <= at) {
                holds = match key {
                    Some(key) => Some((located(key, base)?, key.iv)),
                    None => None,
                };
            }
            let key = holds.as_ref().map(|(url, iv)| {
                // Without a vector of its own a segment's number is its vector.
                let number = u128::from(first) + at as u128;
                Key { url: url.clone(), iv: iv.unwrap_or_else(|| number.to_be_bytes()) }
            });
            if let Some(key) = &key
                && seen.insert(key.url.clone())
                && seen.len() > MAX_KEYS
            {
                return Err(unavailable(format!("The HLS playlist has more than {MAX_KEYS} keys.")));
            }
            all.push(key);
        }
        Ok(all)
    }

    /// The key of what goes in front; it has no number, so it must have a vector.
    pub(super) fn of_init(&self, base: &Url) -> Result<Option<Key>, CrawlError> {
        let Some(key) = &self.init else { return Ok(None) };
        let iv = key.iv.ok_or_else(|| unavailable("The HLS playlist encrypts its header without saying how."))?;
        Ok(Some(Key { url: located(key, base)?, iv }))
    }
}

/// A session key says in advance what segments will be encrypted with.
pub(super) fn check_session(list: &str) -> Result<(), CrawlError> {
    read(list).map(drop)
}

/// One key; none for `METHOD=NONE`. A key line which cannot be read is still a key.
fn read(list: &str) -> Result<Option<Written>, CrawlError> {
    let value = |name: &str| {
        let found = attributes(list).find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim_matches('"'))
    };
    match value("METHOD").map(str::to_ascii_uppercase).as_deref() {
        Some("NONE") => return Ok(None),
        // Other formats hand the key to a licensed player only.
        Some("AES-128") if value("KEYFORMAT").is_none_or(|format| format == "identity") => {}
        _ => return Err(is_protected()),
    }
    let damaged = || unavailable("The HLS playlist has a key that cannot be read.");
    let iv = value("IV").map(|iv| vector(iv).ok_or_else(damaged)).transpose()?;
    Ok(Some(Written { uri: value("URI").ok_or_else(damaged)?.to_owned(), iv }))
}

/// `0x` and up to 32 hexadecimal digits.
fn vector(text: &str) -> Option<[u8; 16]> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u128::from_str_radix(digits, 16).ok().filter(|_| plain).map(u128::to_be_bytes)
}

fn located(key: &Written, base: &Url) -> Result<Url, CrawlError> {
    resolve(base, &key.uri)
        .ok_or_else(|| unavailable("The HLS playlist has a key at an address that is not a plain http or https link."))
}
