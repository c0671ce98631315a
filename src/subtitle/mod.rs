//! A transcript as a file: JSON, plain text, Markdown, SubRip, WebVTT, LRC, a table. Pure.
//!
//! Callers may rely on this: [`render`] never fails and never panics, whatever the texts and times are; a subtitle file
//! reads back with every spoken segment in it, its text in one piece and its times to the millisecond, unless a
//! [`Layout`] asks for more cues or longer ones; what has lines ends with a line feed. It refuses to judge the words:
//! nothing is dropped but segments without anything to see.

mod atoms;
mod breaks;
mod cue;
mod cut;
mod json;
mod layout;
mod lrc;
mod md;
pub mod read;
mod srt;
#[cfg(test)]
mod tests;
mod time;
mod tsv;
mod txt;
mod vtt;
mod words;

use std::{fmt, str::FromStr};

pub use self::layout::Layout;
use crate::{
    domain::{Transcript, options::nearest},
    error::{Code, Error},
};

/// The shape of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// The transcript with everything in it, words too, on one line.
    Json,
    /// The text that people paste: one segment on each line.
    Txt,
    /// SubRip.
    Srt,
    /// WebVTT.
    Vtt,
    /// A table with tabs: start and end in milliseconds, text.
    Tsv,
    /// Lyrics: one line for each cue, with its start.
    Lrc,
    /// Markdown: one paragraph for each segment, with its start.
    Md,
}

impl Format {
    /// Every format.
    pub const ALL: &'static [Self] = &[Self::Json, Self::Txt, Self::Srt, Self::Vtt, Self::Tsv, Self::Lrc, Self::Md];

    /// The ending of a file's name, which is also the word that callers write.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Txt => "txt",
            Self::Srt => "srt",
            Self::Vtt => "vtt",
            Self::Tsv => "tsv",
            Self::Lrc => "lrc",
            Self::Md => "md",
        }
    }

    /// The content type of an answer in this format.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Txt => "text/plain; charset=utf-8",
            Self::Srt => "application/x-subrip; charset=utf-8",
            Self::Vtt => "text/vtt; charset=utf-8",
            Self::Tsv => "text/tab-separated-values; charset=utf-8",
            Self::Lrc => "text/x-lrc; charset=utf-8",
            Self::Md => "text/markdown; charset=utf-8",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.extension())
    }
}

impl FromStr for Format {
    type Err = Error;

    /// Reads a format's word in any case; another word is refused with the known ones.
    fn from_str(word: &str) -> Result<Self, Error> {
        let lower = word.trim().to_lowercase();
        let words = || Self::ALL.iter().map(|format| format.extension());
        Self::ALL.iter().copied().find(|format| format.extension() == lower).ok_or_else(|| {
            let known = words().collect::<Vec<_>>().join(", ");
            let detail = format!("There is no transcript format \"{}\"", word.escape_debug());
            let hint = match nearest(&lower, words()) {
                Some(best) => format!("Did you mean \"{best}\"? Known: {known}."),
                None => format!("Known: {known}."),
            };
            Error::new(Code::InvalidValue, detail).with_hint(hint).with_field("format")
        })
    }
}

/// The transcript as a file of this format. The layout is for `srt`, `vtt`, `tsv` and `lrc`; the others have no cues.
pub fn render(transcript: &Transcript, format: Format, layout: &Layout) -> String {
    match format {
        Format::Json => json::render(transcript),
        Format::Txt => txt::render(transcript),
        Format::Srt => srt::render(transcript, layout),
        Format::Vtt => vtt::render(transcript, layout),
        Format::Tsv => tsv::render(transcript, layout),
        Format::Lrc => lrc::render(transcript, layout),
        Format::Md => md::render(transcript),
    }
}
