//! What ffmpeg says on stderr, reduced to what decides.
//!
//! The lines go through ffmpeg-sidecar's parser directly and not through its iterator, which stops reading at a line that
//! it does not understand and leaves the child blocked on a full pipe. Memory use does not depend on how much is said.

use std::{
    collections::VecDeque,
    io::{self, BufReader, Read},
    time::Duration,
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
    /// The length that the file announces.
    pub(super) announced: Option<Duration>,
    /// How many audio streams it lists.
    pub(super) audio_streams: u32,
    /// The input has been described; streams that are listed now are those of the output.
    described: bool,
    tail: VecDeque<String>,
}

impl Log {
    /// Reads to the end, always: a pipe that nobody empties blocks the child. `announced` is told as soon as the file's
    /// length is known.
    pub(super) fn read(mut stderr: impl Read, announced: &dyn Fn(&Self)) -> Self {
        let mut log = Self::default();
        let mut parser = FfmpegLogParser::new(BufReader::new(&mut stderr));
        loop {
            match parser.parse_next_event() {
                Ok(FfmpegEvent::LogEOF) => break,
                Ok(FfmpegEvent::Log(_, line)) => log.note(&line),
                Ok(FfmpegEvent::ParsedInputStream(stream)) => log.note(&stream.raw_log_message),
                Ok(FfmpegEvent::ParsedDuration(duration)) => {
                    log.note(&duration.raw_log_message);
                    announced(&log);
                }
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
            self.describe(line, said);
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

    /// What is in the input. A file's own tags are indented more than its length is; a tag that plays a stream makes
    /// one too many, which only means a second look.
    fn describe(&mut self, line: &str, said: &str) {
        self.described |= said.starts_with("Stream mapping:");
        if self.described {
            return;
        }
        if let Some(length) = line.strip_prefix("[info]   Duration: ") {
            self.announced = length.split(',').next().and_then(seconds).map(Duration::from_secs_f64);
        }
        self.audio_streams += u32::from(said.starts_with("Stream #") && said.contains(": Audio:"));
    }

    /// The last lines, for our own log only: they name paths of this machine and are written by the file.
    pub(super) fn tail(&self) -> String {
        self.tail.iter().map(String::as_str).collect::<Vec<_>>().join(" | ")
    }
}

/// The seconds of `01:02:03.5` or `30.5`; nothing that is not a sensible length.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let seconds = text.split(':').try_fold(0.0, |sum, part| Some(sum * 60.0 + part.parse::<f64>().ok()?))?;
    Some(seconds).filter(|seconds: &f64| *seconds > 0.0 && *seconds < 1e9)
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
    use std::cell::RefCell;

    use super::*;

    fn read(text: &str) -> Log {
        Log::read(text.as_bytes(), &|_| {})
    }

    #[test]
    fn the_input_is_described() {
        let text = "[info] Input #0, mov,mp4, from 'file:/a':\n[info]   Metadata:\n\
            [info]     Duration        : 00:00:01.00\n[info]     Duration: 99:00:00.00, x: 1\n\
            [warning] Estimating duration from bitrate, this may be inaccurate\n\
            [info]   Duration: 01:00:09.20, start: 0.000000, bitrate: 43 kb/s\n\
            [info]   Stream #0:0[0x1](und): Video: h264 (High), yuv420p, 320x180, 10 fps\n\
            [info]   Stream #0:1[0x2](und): Audio: aac (LC), 16000 Hz, mono, fltp, 54 kb/s (default)\n\
            [info]   Stream #0:2: Audio: something, of which little is known\n\
            [info] Stream mapping:\n[info]   Stream #0:1 -> #0:0 (aac (native) -> pcm_s16le (native))\n\
            [info] Output #0, s16le, to 'pipe:1':\n[info]   Stream #0:0: Audio: pcm_s16le, 16000 Hz, mono, s16\n";
        let told = RefCell::new(Vec::new());
        let log = Log::read(text.as_bytes(), &|log| told.borrow_mut().push((log.announced, log.estimated)));
        assert_eq!((log.announced, log.audio_streams), (Some(Duration::from_millis(3_609_200)), 2));
        assert_eq!(told.borrow().last(), Some(&(log.announced, true)));
        assert_eq!(read("[info] Input #0, aac, from 'a':\n[info]   Duration: N/A, bitrate: N/A\n").announced, None);
    }

    #[test]
    fn lengths_are_read_in_both_spellings() {
        assert_eq!(seconds("30.024989"), Some(30.024989));
        assert_eq!(seconds("01:00:01.5000000"), Some(3_601.5));
        for bad in ["N/A", "", "-1", "nan", "inf", "0", "1:x", "1e300"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }

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
        let log = read(text);
        assert!(!log.moov_missing && log.damage);
        assert_eq!(log.errors, 0);
    }

    #[test]
    fn lines_that_the_parser_refuses_do_not_stop_it() {
        let text = "Stream #0:0: Audio: aac, 44100 Hz, mono\n".repeat(3) + "[error] Cannot allocate memory\n";
        assert!(read(&text).no_memory);
    }

    #[test]
    fn a_flood_is_kept_short() {
        let line = format!("[error] {}\n", "x".repeat(5_000));
        let log = read(&line.repeat(1_000));
        assert_eq!((log.errors, log.tail.len()), (1_000, KEPT_LINES));
        assert!(log.tail().len() < KEPT_LINES * (KEPT_CHARS + 3));
    }
}
