//! What ffmpeg says on stderr, reduced to what decides.
//!
//! The lines go through ffmpeg-sidecar's parser directly and not through its iterator, which stops reading at a line that
//! it does not understand and leaves the child blocked on a full pipe. Memory use does not depend on how much is said.

use std::{
    collections::VecDeque,
    io::{self, BufReader, Read},
};

use ffmpeg_sidecar::{event::FfmpegEvent, log_parser::FfmpegLogParser};

const KEPT_LINES: usize = 20;
const KEPT_CHARS: usize = 300;

/// The words by which ffmpeg says that data are missing or damaged, at whatever level.
const DAMAGE: &[&str] = &[
    "corrupt",
    "partial file",
    "premature",
    "End of file",
    "Input/output error",
    "filesize and duration do not match",
    "size mismatch",
];

/// What was said, in short.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    /// Lines at level error or worse.
    pub(super) errors: u32,
    /// Data are missing or damaged.
    pub(super) damage: bool,
    /// An MP4 file lacks its table of contents.
    pub(super) moov_missing: bool,
    /// A limit on memory was met.
    pub(super) no_memory: bool,
    /// More streams than we let ffmpeg look at.
    pub(super) many_streams: bool,
    /// Nothing here can decode the sound.
    pub(super) no_decoder: bool,
    /// A container that is not on our list.
    pub(super) foreign: bool,
    /// Somebody else asked ffmpeg to stop: it then says so, and ends with a status instead of a signal.
    pub(super) told_to_stop: bool,
    /// The duration is a guess.
    pub(super) estimated: bool,
    tail: VecDeque<String>,
}

impl Log {
    /// Reads to the end, always: a pipe that nobody empties blocks the child.
    pub(super) fn read(mut stderr: impl Read) -> Self {
        let mut log = Self::default();
        let mut parser = FfmpegLogParser::new(BufReader::new(&mut stderr));
        loop {
            match parser.parse_next_event() {
                Ok(FfmpegEvent::LogEOF) => break,
                Ok(FfmpegEvent::Log(_, line)) => log.note(&line),
                Ok(_) => {}
                Err(error) if error.is::<io::Error>() => break,
                Err(error) => tracing::trace!(%error, "a line of ffmpeg was not understood"),
            }
        }
        drop(parser);
        let _ = io::copy(&mut stderr, &mut io::sink());
        log
    }

    fn note(&mut self, line: &str) {
        let Some((level, said)) = split(line) else { return };
        self.told_to_stop |= said.starts_with("Exiting normally, received signal");
        if level == "info" || level == "verbose" || level == "debug" {
            return; // also where a file's own tags are printed
        }
        let is_error = level != "warning";
        self.errors = self.errors.saturating_add(u32::from(is_error));
        self.damage |= DAMAGE.iter().any(|words| said.contains(words));
        self.moov_missing |= is_error && said.contains("moov atom not found");
        self.no_memory |= is_error && said.contains("Cannot allocate memory");
        self.many_streams |= said.contains("exceeds max_streams");
        self.no_decoder |= is_error && (said.contains("no decoder found") || said.contains("Decoder not found"));
        self.foreign |= is_error && said.starts_with("Format not on whitelist");
        self.estimated |= said.contains("Estimating duration from bitrate");
        if self.tail.len() == KEPT_LINES {
            self.tail.pop_front();
        }
        self.tail.push_back(line.chars().take(KEPT_CHARS).collect());
    }

    /// The last lines, for our own log only: they name paths of this machine and are written by the file.
    pub(super) fn tail(&self) -> String {
        self.tail.iter().map(String::as_str).collect::<Vec<_>>().join(" | ")
    }
}

/// Level and words of a line such as `[mov @ 0x5581] [error] moov atom not found`.
fn split(line: &str) -> Option<(&str, &str)> {
    let mut rest = line.trim_start();
    loop {
        let (tag, after) = rest.strip_prefix('[')?.split_once(']')?;
        rest = after.trim_start();
        if !tag.contains(" @ 0x") {
            return Some((tag, rest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_behind_contexts() {
        assert_eq!(split("[a @ 0x1] [b,c @ 0x2] [error] no [x]"), Some(("error", "no [x]")));
        assert_eq!(split("[fatal] over"), Some(("fatal", "over")));
        assert_eq!(split("frame= 1"), None);
    }

    #[test]
    fn tags_of_a_file_decide_nothing() {
        let text =
            "[info]     title           : [error] moov atom not found\n[mov @ 0x1] [warning] Packet corrupt (x)\n";
        let log = Log::read(text.as_bytes());
        assert!(!log.moov_missing && log.damage);
        assert_eq!(log.errors, 0);
    }

    #[test]
    fn lines_that_the_parser_refuses_do_not_stop_it() {
        let text = "Stream #0:0: Audio: aac, 44100 Hz, mono\n".repeat(3) + "[error] Cannot allocate memory\n";
        assert!(Log::read(text.as_bytes()).no_memory);
    }

    #[test]
    fn a_flood_is_kept_short() {
        let line = format!("[error] {}\n", "x".repeat(5_000));
        let log = Log::read(line.repeat(1_000).as_bytes());
        assert_eq!((log.errors, log.tail.len()), (1_000, KEPT_LINES));
        assert!(log.tail().len() < KEPT_LINES * (KEPT_CHARS + 3));
    }
}
