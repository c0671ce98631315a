//! What a file is before ffmpeg sees it: its length, its first bytes, the length that its header claims.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use infer::{MatcherType, Type};

use crate::error::{Code, Error, Result};

/// A regular file with something in it.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// Absolute, without links: the name that ffmpeg gets and the sandbox lets through.
    pub(super) path: PathBuf,
    /// Its length in bytes.
    pub(super) size: u64,
    /// Whether the first bytes are those of audio or video.
    pub(super) looks_like_media: bool,
    /// What the first bytes say it is, for people; none when they say nothing.
    pub(super) kind: Option<&'static str>,
    /// The part of the file that its own header misses, from 0 to 1.
    pub(super) missing: f64,
    /// Whether its header says that nobody knew the length when it was written.
    pub(super) open_ended: bool,
    /// Whether a track in it is protected; its sound may be free all the same.
    pub(super) protected: bool,
}

impl Source {
    /// Looks at a file. It blocks.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let path = path.canonicalize()?;
        let metadata = path.metadata()?;
        if !metadata.is_file() {
            return Err(Error::new(Code::NotMedia, "Only regular files can be read, no folders, pipes or devices"));
        }
        if metadata.len() == 0 {
            return Err(Error::new(Code::EmptyMedia, "The file has zero bytes"));
        }
        let mut head = Vec::new();
        File::open(&path)?.take(HEAD).read_to_end(&mut head)?;
        let kind = infer::get(&head);
        Ok(Self {
            size: metadata.len(),
            looks_like_media: looks_like_media(&head, kind),
            kind: kind.map(|kind| kind.mime_type()),
            missing: missing(&head, metadata.len()),
            open_ended: stated_length(&head).is_some_and(is_unknown),
            protected: head.windows(PROTECTION.len()).any(|bytes| bytes == PROTECTION),
            path,
        })
    }
}

/// Enough for the description of the tracks in an MP4 file that begins with it, as downloads do.
const HEAD: u64 = 64 * 1024;

/// How the scheme of a protected track begins in an MP4 file.
const PROTECTION: &[u8] = b"sinf\0\0\0\x0cfrma";

/// Containers that `infer` does not know: where the mark is, and the mark.
const MARKS: &[(usize, &[u8])] = &[
    (4, b"ftyp"),
    (4, b"moov"),
    (4, b"mdat"),
    (4, b"wide"),
    (0, b"caff"),
    (0, b"riff"),
    (0, b"wvpk"),
    (0, b"TTA1"),
    (0, b".snd"),
    (0, b"RIFF"),
    (0, &[0x0b, 0x77]),
];

fn looks_like_media(head: &[u8], kind: Option<Type>) -> bool {
    match kind.map(|kind| (kind.matcher_type(), kind.mime_type())) {
        Some((_, "audio/midi")) => false, // notes, not sound
        Some((MatcherType::Audio | MatcherType::Video, _)) => true,
        Some(_) => false,
        None => MARKS.iter().any(|(at, mark)| head.get(*at..).is_some_and(|rest| rest.starts_with(mark))),
    }
}

/// The part of a WAV, AVI or AIFF file that is not there. ffmpeg corrects such headers silently, so only we can tell.
fn missing(head: &[u8], size: u64) -> f64 {
    let whole = stated_length(head).filter(|stated| !is_unknown(*stated)).map_or(0, |stated| u64::from(stated) + 8);
    if whole <= size { 0.0 } else { (whole - size) as f64 / whole as f64 }
}

/// The length in the header of a WAV, AVI or AIFF file.
fn stated_length(head: &[u8]) -> Option<u32> {
    let bytes = head.get(4..8)?.try_into().ok()?;
    match (head.get(..4)?, head.get(8..12)?) {
        (b"RIFF", b"WAVE" | b"AVI ") => Some(u32::from_le_bytes(bytes)),
        (b"FORM", b"AIFF" | b"AIFC") => Some(u32::from_be_bytes(bytes)),
        _ => None,
    }
}

/// Programs that write to a pipe do not know the length, and leave nothing or something huge.
fn is_unknown(stated: u32) -> bool {
    stated == 0 || stated >= 0x7fff_0000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(container: &[u8], size: [u8; 4], form: &[u8]) -> Vec<u8> {
        [container, &size, form].concat()
    }

    #[test]
    fn claims_are_compared_with_the_length() {
        let wav = |claim: u32| header(b"RIFF", claim.to_le_bytes(), b"WAVE");
        assert_eq!(missing(&wav(992), 500), 0.5);
        assert_eq!(missing(&wav(992), 1_000), 0.0);
        assert_eq!(missing(&wav(992), 5_000), 0.0);
        assert_eq!(missing(&header(b"FORM", 992u32.to_be_bytes(), b"AIFF"), 500), 0.5);
    }

    #[test]
    fn lengths_that_nobody_knew_are_no_claims() {
        for claim in [u32::MAX, 0x7fff_ffff, 0] {
            assert_eq!(missing(&header(b"RIFF", claim.to_le_bytes(), b"WAVE"), 500), 0.0);
        }
        assert_eq!(missing(b"RIFF", 4), 0.0);
    }
}
