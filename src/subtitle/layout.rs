//! How subtitles are laid out when someone asks for it.

use crate::error::{Code, Error, Result};

/// The columns of a line when only the number of lines was asked for.
const MAX_CHARS: u32 = 42;
/// The lines of a cue when only their width was asked for.
const MAX_LINES: u32 = 2;

/// What is asked of the cues of `srt`, `vtt`, `tsv` and `lrc`. The default asks for nothing: one cue for each segment, as
/// it is. Cues are cut at the words' times where there are some, else in proportion to the text.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Layout {
    /// The widest line in columns, 8 to 200; a Chinese, Japanese or Korean character takes two. Asked for alone, a cue has
    /// at most 2 lines.
    pub max_chars: Option<u32>,
    /// The most lines of a cue, 1 to 6. Asked for alone, a line has at most 42 columns.
    pub max_lines: Option<u32>,
    /// The longest cue in seconds, 0.5 to 60.
    pub max_seconds: Option<f64>,
    /// The most characters read in a second, 1 to 100: a cue that is faster stays until the next one.
    pub max_cps: Option<f64>,
    /// Whether each word is marked with its time in `vtt` and `lrc`, if the transcript has word times.
    pub words: bool,
}

impl Layout {
    /// Checks the ranges; the error's field is the name of what is out of its own.
    pub fn check(&self) -> Result<()> {
        let ranges = [
            ("max_chars", self.max_chars.map(f64::from), 8.0, 200.0, "a whole number"),
            ("max_lines", self.max_lines.map(f64::from), 1.0, 6.0, "a whole number"),
            ("max_seconds", self.max_seconds, 0.5, 60.0, "a number"),
            ("max_cps", self.max_cps, 1.0, 100.0, "a number"),
        ];
        for (name, value, least, most, kind) in ranges {
            if value.is_some_and(|value| !(least..=most).contains(&value)) {
                let detail = format!("\"{name}\" must be {kind} from {least} to {most}");
                return Err(Error::new(Code::InvalidValue, detail).with_field(name));
            }
        }
        Ok(())
    }

    /// The widest line in columns and the most lines of a cue, if cues have to fit into something.
    pub(super) fn page(&self) -> Option<(usize, usize)> {
        if self.max_chars.is_none() && self.max_lines.is_none() {
            return None;
        }
        let (columns, lines) = (self.max_chars.unwrap_or(MAX_CHARS), self.max_lines.unwrap_or(MAX_LINES));
        Some((columns as usize, lines as usize))
    }

    /// The longest cue in milliseconds.
    pub(super) fn longest(&self) -> Option<u64> {
        self.max_seconds.map(super::time::millis)
    }

    /// Whether segments are cut.
    pub(super) fn cuts(&self) -> bool {
        self.page().is_some() || self.max_seconds.is_some()
    }
}
