//! What an access token looks like: `trw_<8 of a-z0-9>_<43 of base64url><6 of base64url>`.
//!
//! The first part is its name in the database and may be shown, the second is 256 random bits, the third a checksum: a
//! typo is told without asking the database, and scanners for leaked keys know one when they see it.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::RngExt;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How every token begins.
pub const PREFIX: &str = "trw_";

const ID: usize = 8;
const SECRET: usize = 43;
const CHECKSUM: usize = 6;
const BODY: usize = PREFIX.len() + ID + 1 + SECRET;
const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// A token in the clear. Not to be kept.
pub struct Key {
    /// Its name.
    pub id: String,
    text: String,
}

impl Key {
    /// A new one.
    pub fn random() -> Self {
        let mut rng = rand::rng();
        let id: String = (0..ID).map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())])).collect();
        let secret = BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let body = format!("{PREFIX}{id}_{secret}");
        let text = format!("{body}{}", checksum(&body));
        Self { id, text }
    }

    /// Reads one; none when it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != BODY + CHECKSUM || !text.is_ascii() {
            return None;
        }
        let (body, sum) = text.split_at(BODY);
        let (id, rest) = body.strip_prefix(PREFIX)?.split_at(ID);
        let is_id = id.bytes().all(|byte| LETTERS.contains(&byte));
        let is_one = is_id && rest.starts_with('_') && checksum(body) == sum;
        is_one.then(|| Self { id: id.to_owned(), text: text.to_owned() })
    }

    /// The token itself, to be shown once.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is stored of it. A fast hash is enough for 256 random bits.
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.text).into()
    }

    /// Whether it is the token of which this was stored. Takes the same time wherever the two differ.
    pub fn is(&self, sha256: &[u8]) -> bool {
        self.sha256().ct_eq(sha256).into()
    }
}

fn checksum(body: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(crc32fast::hash(body.as_bytes()).to_be_bytes())
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written() {
        let key = Key::random();
        assert_eq!(key.text().len(), 62);
        let read = Key::parse(key.text()).unwrap();
        assert_eq!((read.id.as_str(), read.sha256()), (key.id.as_str(), key.sha256()));
        assert!(read.is(&key.sha256()) && !Key::random().is(&key.sha256()) && !read.is(&[]) && !read.is(&[0; 31]));
        assert_ne!(Key::random().text(), Key::random().text());
        assert!(!format!("{key:?}").contains(&key.text()[13..]));
    }

    /// Security list, 80: no answer may come sooner the earlier a guess goes wrong. Hashes are compared, of which nobody
    /// can choose a beginning, and by `subtle`, which always looks at all bytes; a test of times would measure the machine.
    #[test]
    fn one_wrong_byte_is_wrong_wherever_it_stands() {
        let key = Key::random();
        let _: fn(&[u8], &[u8]) -> subtle::Choice = ConstantTimeEq::ct_eq;
        for place in 0..32 {
            let mut other = key.sha256();
            other[place] ^= 1;
            assert!(!key.is(&other), "{place}");
        }
    }

    #[test]
    fn the_form_stays() {
        // Written down once: tokens that are out there must go on being read.
        let text = "trw_abcdefgh_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAP45uNg";
        assert_eq!(Key::parse(text).unwrap().id, "abcdefgh");
    }

    #[test]
    fn no_letter_may_be_missing_changed_or_added() {
        let text = Key::random().text().to_owned();
        for place in 0..text.len() {
            let changed = if text.as_bytes()[place] == b'x' { "y" } else { "x" };
            let mut other = text.clone();
            other.replace_range(place..=place, changed);
            assert!(Key::parse(&other).is_none(), "{other}");
            assert!(Key::parse(&text[..place]).is_none());
        }
        for wrong in [format!("{text}="), format!(" {text}"), text.to_uppercase(), text.replace("trw_", "trv_")] {
            assert!(Key::parse(&wrong).is_none(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn nothing_else_is_one(text in "\\PC{0,80}") {
            prop_assert!(Key::parse(&text).is_none());
            let prefixed = format!("{PREFIX}{text}");
            prop_assert!(Key::parse(&prefixed).is_none());
        }
    }
}
