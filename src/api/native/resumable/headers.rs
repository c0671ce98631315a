//! What the headers of the protocol hold.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use sha1::{Digest, Sha1};
use sha2::Sha256;

use crate::error::{Code, Error, Result};

/// The one version that is spoken.
pub(super) const VERSION: &str = "1.0.0";

/// What of the protocol there is besides its core.
pub(super) const EXTENSIONS: &str = "creation,creation-with-upload,expiration,termination,checksum";

/// The checksums that can be checked.
pub(super) const ALGORITHMS: &str = "sha1,sha256";

/// The longest `Upload-Metadata`, in bytes.
const MAX_METADATA: usize = 4096;

/// The longest name of a file, in characters.
const MAX_NAME: usize = 255;

/// Checks that the client speaks the protocol's version.
pub(super) fn check_version(given: Option<&str>) -> Result<()> {
    match given {
        Some(VERSION) => Ok(()),
        Some(_) => Err(Error::new(Code::ProtocolVersion, "This version of tus is not spoken here")),
        None => Err(Error::new(Code::ProtocolVersion, "The header Tus-Resumable is missing")),
    }
    .map_err(|error| error.with_field("Tus-Resumable"))
}

/// The name of the file in `Upload-Metadata` (`key base64, key base64, …`): that of `filename`, or of `name`.
pub(super) fn file_name(metadata: &str) -> Result<String> {
    let wrong = |detail: &str| {
        let hint = "Send pairs of a key and its value in base64, separated by commas.";
        Error::new(Code::InvalidRequest, detail).with_hint(hint).with_field("Upload-Metadata")
    };
    if metadata.len() > MAX_METADATA {
        return Err(wrong("Upload-Metadata is longer than 4096 bytes"));
    }
    let (mut seen, mut name) = (Vec::new(), String::new());
    for pair in metadata.split(',').map(str::trim).filter(|_| !metadata.trim().is_empty()) {
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong("A key in Upload-Metadata is empty or not ASCII"));
        }
        if seen.contains(&key) {
            return Err(wrong("A key is in Upload-Metadata twice"));
        }
        seen.push(key);
        let bytes = STANDARD.decode(value.trim()).map_err(|_| wrong("A value in Upload-Metadata is no base64"))?;
        if key == "filename" || (key == "name" && name.is_empty()) {
            let text = String::from_utf8(bytes).map_err(|_| wrong("The file's name is no UTF-8"))?;
            name = text.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
        }
    }
    Ok(name)
}

/// A time, in milliseconds since 1970, as HTTP writes it.
pub(super) fn http_date(ms: i64) -> String {
    let time = DateTime::<Utc>::from_timestamp_millis(ms).unwrap_or(DateTime::<Utc>::MAX_UTC);
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A checksum on its way to what the client says that it is.
pub(super) struct Checksum {
    hash: Hash,
    wanted: Vec<u8>,
}

enum Hash {
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Checksum {
    /// Reads `Upload-Checksum`: an algorithm, a space, the sum in base64.
    pub(super) fn read(given: &str) -> Result<Self> {
        let wrong = |detail: &str| {
            let hint = format!("Send one of {ALGORITHMS}, a space, and the sum in base64.");
            Error::new(Code::InvalidRequest, detail).with_hint(hint).with_field("Upload-Checksum")
        };
        let (algorithm, sum) = given.split_once(' ').ok_or_else(|| wrong("Upload-Checksum has no sum"))?;
        let hash = match algorithm {
            "sha1" => Hash::Sha1(Sha1::new()),
            "sha256" => Hash::Sha256(Sha256::new()),
            _ => return Err(wrong("This checksum is not known here")),
        };
        let wanted = STANDARD.decode(sum.trim()).map_err(|_| wrong("The sum in Upload-Checksum is no base64"))?;
        Ok(Self { hash, wanted })
    }

    /// Takes a piece.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match &mut self.hash {
            Hash::Sha1(hash) => hash.update(bytes),
            Hash::Sha256(hash) => hash.update(bytes),
        }
    }

    /// Whether the pieces were those that were sent.
    pub(super) fn matches(self) -> bool {
        match self.hash {
            Hash::Sha1(hash) => hash.finalize().as_slice() == self.wanted,
            Hash::Sha256(hash) => hash.finalize().as_slice() == self.wanted,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_read_and_nonsense_is_refused() {
        for (metadata, name) in [
            ("", Some("")),
            ("filename YS5tcDM=", Some("a.mp3")),
            ("filename YS5tcDM=,is_private", Some("a.mp3")),
            ("type YQ==, name YS5tcDM=", Some("a.mp3")),
            ("name Yg==,filename YS5tcDM=", Some("a.mp3")),
            ("filename YS5tcDM=,name Yg==", Some("a.mp3")),
            ("filename 5rWLAA==", Some("测")),
            ("filename a.mp3", None),
            ("filename /w==", None),
            ("a YQ==,a YQ==", None),
            ("a YQ==,,b YQ==", None),
        ] {
            assert_eq!(file_name(metadata).ok().as_deref(), name, "{metadata}");
        }
        assert!(file_name(&format!("a {}", "A".repeat(MAX_METADATA))).is_err());
        let long = STANDARD.encode("x".repeat(1000));
        assert_eq!(file_name(&format!("filename {long}")).unwrap().len(), MAX_NAME);
    }

    #[test]
    fn sums_are_compared() {
        for (given, bytes, right) in [
            ("sha1 Lve95gjOVATpfV8EL5X4nxwjKHE=", "Hello World!", true),
            ("sha1 Lve95gjOVATpfV8EL5X4nxwjKHE=", "Hello world!", false),
            ("sha256 f4OxZX/x/FO5LcGBSKHWXfwtSx+j1ncoSt3SABJtkGk=", "Hello World!", true),
            ("sha256 AA==", "Hello World!", false),
        ] {
            let mut sum = Checksum::read(given).unwrap();
            bytes.bytes().for_each(|byte| sum.update(&[byte]));
            assert_eq!(sum.matches(), right, "{given} {bytes}");
        }
        for wrong in ["", "sha1", "md5 AA==", "sha1 %"] {
            assert!(Checksum::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_look_as_http_wants_them() {
        assert_eq!(http_date(784_111_777_000), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    proptest! {
        #[test]
        fn whatever_stands_there_is_read_or_refused(text in "[ -~]{0,80}") {
            let _ = file_name(&text);
            let _ = Checksum::read(&text).map(Checksum::matches);
        }
    }
}
