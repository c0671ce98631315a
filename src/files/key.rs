//! What kept files are called: `ab/ab12…ef.mp4`, after their SHA-256, or `ab/ab12…ef-<id>.mp4` in a bucket.
//!
//! In a folder the same bytes are one file. In a bucket each file that is kept has a name of its own: then nobody but the
//! rows that name it can ever want it, and it is deleted without holding anybody up who takes in the same bytes meanwhile.

use super::Kept;

/// Letters and digits of a SHA-256.
const HASH: usize = 64;
/// Those of an id.
const ID: usize = 32;

/// A key of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key<'a> {
    /// All of it.
    pub whole: &'a str,
    /// Without the folder.
    pub name: &'a str,
    /// The SHA-256 of the bytes, in hex.
    pub sha256: &'a str,
}

impl<'a> Key<'a> {
    /// Reads a key; none for anything that is no key of ours.
    pub(super) fn parse(whole: &'a str) -> Option<Self> {
        let is_hex = |text: &str, length| {
            text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let (folder, name) = whole.split_once('/')?;
        let (stem, extension) = name.split_once('.')?;
        let (sha256, id) = stem.split_once('-').map_or((stem, None), |(hash, id)| (hash, Some(id)));
        let is_extension = (1..=8).contains(&extension.len())
            && extension.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let is_ours = is_hex(sha256, HASH) && sha256.get(..2) == Some(folder) && id.is_none_or(|id| is_hex(id, ID));
        (is_ours && is_extension).then_some(Self { whole, name, sha256 })
    }

    /// Reads the name of a key.
    pub(super) fn whole_of(name: &str) -> Option<String> {
        let whole = format!("{}/{name}", name.get(..2)?);
        Key::parse(&whole).is_some().then_some(whole)
    }
}

impl Kept {
    /// The same file under a name that nothing else has.
    pub(super) fn by_itself(self) -> Self {
        let id = uuid::Uuid::new_v4().simple();
        let key = self.key.replacen('.', &format!("-{id}."), 1);
        Self { key, ..self }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_is_kept_has_a_key(hash in "[0-9a-f]{64}", extension in "[a-z0-9]{1,8}") {
            let key = format!("{}/{hash}.{extension}", &hash[..2]);
            let kept = Kept { key, size: 1, sha256: hash.clone(), content_type: String::new(), reused: false };
            let single = kept.clone().by_itself();
            for key in [&kept.key, &single.key] {
                let read = Key::parse(key).unwrap();
                prop_assert_eq!((read.whole, read.sha256), (key.as_str(), hash.as_str()));
                prop_assert_eq!(Key::whole_of(read.name), Some(key.clone()));
            }
            prop_assert_ne!(&single.key, &kept.clone().by_itself().key);
        }

        #[test]
        fn a_key_is_one_file_in_one_folder(text in "[0-9a-f./#-]{0,120}") {
            prop_assert!(Key::parse(&text).is_none_or(|key| key.whole.matches('/').count() == 1 && !key.whole.contains("..")));
        }
    }
}
