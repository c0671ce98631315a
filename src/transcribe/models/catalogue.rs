//! The official conversions: whisper.cpp's own table (read 2026-11).

use std::ops::RangeInclusive;

use serde::Serialize;

/// An official model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Official {
    /// Its name; the file is `ggml-<name>.bin`.
    pub name: &'static str,
    /// Its size in MiB as published, where one is. Rounded, above a GiB to tenths of one.
    pub mib: Option<u32>,
    /// Its SHA-1, where one is published.
    pub sha1: Option<&'static str>,
}

const fn known(name: &'static str, mib: u32, sha1: &'static str) -> Official {
    Official { name, mib: Some(mib), sha1: Some(sha1) }
}

const fn listed(name: &'static str) -> Official {
    Official { name, mib: None, sha1: None }
}

impl Official {
    /// Its size in bytes as published, where one is.
    pub fn bytes(&self) -> Option<u64> {
        self.mib.map(|mib| u64::from(mib) << 20)
    }

    /// The sizes in bytes that a download of it can have. Published ones are rounded by up to a tenth; where there is
    /// none, no Whisper model is below a MiB or above 4 GiB.
    pub fn sizes(&self) -> RangeInclusive<u64> {
        match self.bytes() {
            Some(bytes) => bytes / 4 * 3..=bytes / 4 * 5,
            None => 1 << 20..=4 << 30,
        }
    }
}

/// Every official model.
pub const OFFICIAL: &[Official] = &[
    known("tiny", 75, "bd577a113a864445d4c299885e0cb97d4ba92b5f"),
    known("tiny.en", 75, "c78c86eb1a8faa21b369bcd33207cc90d64ae9df"),
    known("base", 142, "465707469ff3a37a2b9b8d8f89f2f99de7299dac"),
    known("base.en", 142, "137c40403d78fd54d454da0f9bd998f78703390c"),
    known("small", 466, "55356645c2b361a969dfd0ef2c5a50d530afd8d5"),
    known("small.en", 466, "db8a495a91d927739e50b3fc1cc4c6b8f6c2d022"),
    known("medium", 1_536, "fd9727b6e1217c2f614f9b698455c4ffd82463b4"),
    known("medium.en", 1_536, "8c30f0e44ce9560643ebd10bbe50cd20eafd3723"),
    known("large-v1", 2_970, "b1caaf735c4cc1429223d5a74f0f4d0b9b59a299"),
    known("large-v2", 2_970, "0f4c8e34f21cf1a914c59d8b3ce882345ad349d6"),
    known("large-v2-q5_0", 1_126, "00e39f2196344e901b3a2bd5814807a769bd1630"),
    known("large-v3", 2_970, "ad82bf6a9043ceed055076d0fd39f5f186ff8062"),
    known("large-v3-q5_0", 1_126, "e6e2ed78495d403bef4b7cff42ef4aaadcfea8de"),
    known("large-v3-turbo", 1_536, "4af2b29d7ec73d781377bfd1758ca957a807e941"),
    known("large-v3-turbo-q5_0", 547, "e050f7970618a659205450ad97eb95a18d69c9ee"),
    listed("tiny-q5_1"),
    listed("tiny.en-q5_1"),
    listed("tiny-q8_0"),
    listed("base-q5_1"),
    listed("base.en-q5_1"),
    listed("base-q8_0"),
    listed("small-q5_1"),
    listed("small.en-q5_1"),
    listed("small-q8_0"),
    listed("medium-q5_0"),
    listed("medium.en-q5_0"),
    listed("medium-q8_0"),
    listed("large-v2-q8_0"),
    listed("large-v3-turbo-q8_0"),
];

/// The official model of this name.
pub fn official(name: &str) -> Option<&'static Official> {
    OFFICIAL.iter().find(|model| model.name == name)
}

/// Whether a model knows no language but English, by its name.
pub(super) fn is_english_only(name: &str) -> bool {
    name.ends_with(".en") || name.contains(".en-")
}

/// Whether a model can translate, by its name: turbo models were not trained for it.
pub(super) fn translates(name: &str) -> bool {
    !name.contains("turbo") && !is_english_only(name)
}
