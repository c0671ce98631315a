//! From what ffmpeg did to what we say: which error, which warning.

use std::{os::unix::process::ExitStatusExt, time::Duration};

use super::{
    SAMPLE_RATE,
    child::Ended,
    command::MAX_STREAMS,
    log::Log,
    magic::Source,
    probe::{AudioStream, Probe},
    supervise::timed_out,
};
use crate::error::{Code, Error, Result};

/// A file is cut off when this part of its sound is missing …
const SHORT_PART: f64 = 0.05;
/// … and at least this many seconds.
const SHORT_SECONDS: f64 = 2.0;

/// Whether ffprobe could open the file.
pub(super) fn of_probe(source: &Source, ended: &Ended) -> Result<()> {
    own_end(ended)?;
    if ended.status.success() {
        return Ok(());
    }
    tracing::info!(said = ended.log.tail(), "ffprobe refuses a file");
    Err(unreadable(source, &ended.log))
}

/// Whether the file says of itself that it is too long.
pub(super) fn of_announcement(log: &Log, max: Duration) -> Result<()> {
    match log.announced {
        Some(length) if !log.estimated && length > max => {
            Err(too_long(&format!("The file is {} long", clock(length.as_secs_f64())), max))
        }
        _ => Ok(()),
    }
}

/// Whether ffmpeg alone has said enough: it is content, there is one track of sound, and it is as long as the file
/// announces. Of anything else ffprobe has to tell more, for [`of_content`] and [`of_run`].
pub(super) fn is_plain(source: &Source, ended: &Ended, samples: u64, max: Duration) -> bool {
    let log = &ended.log;
    let is_content = ended.status.success() && log.errors == 0 && !log.damage && source.missing == 0.0;
    let decoded = samples as f64 / f64::from(SAMPLE_RATE);
    let is_whole = log.announced.is_some_and(|length| log.estimated || !is_short(decoded, length.as_secs_f64()));
    is_content && log.audio_streams == 1 && samples > 0 && decoded <= max.as_secs_f64() && is_whole
}

fn is_short(decoded: f64, announced: f64) -> bool {
    announced - decoded > SHORT_SECONDS && announced - decoded > announced * SHORT_PART
}

/// Whether there is sound, ffmpeg can decode it, and it is not too long. Returns the stream.
pub(super) fn of_content<'a>(source: &Source, probe: &'a Probe, max: Duration) -> Result<&'a AudioStream> {
    let Some(stream) = probe.audio_streams.first() else {
        return Err(Error::new(Code::NoAudio, "The file has pictures but no sound"));
    };
    if stream.codec.is_empty() {
        if source.protected {
            return Err(encrypted());
        }
        let detail = "The sound is stored in a way that ffmpeg cannot decode";
        return Err(Error::new(Code::UnsupportedFormat, detail));
    }
    match probe.duration_ms {
        Some(ms) if !probe.duration_estimated && Duration::from_millis(ms) > max => {
            Err(too_long(&format!("The file is {} long", clock(ms as f64 / 1_000.0)), max))
        }
        _ => Ok(stream),
    }
}

/// What `samples` samples and the way ffmpeg ended mean. Returns the warnings of a good run.
pub(super) fn of_run(
    source: &Source,
    probe: &Probe,
    ended: &Ended,
    samples: u64,
    max: Duration,
) -> Result<Vec<String>> {
    own_end(ended)?;
    let (log, ok) = (&ended.log, ended.status.success());
    if !ok || log.errors > 0 {
        tracing::info!(said = log.tail(), samples, "ffmpeg complains about a file");
    }
    let decoded = samples as f64 / f64::from(SAMPLE_RATE);
    if decoded > max.as_secs_f64() {
        return Err(too_long("The sound is longer than allowed", max));
    }
    if samples == 0 {
        return Err(if ok && log.errors == 0 && !log.damage {
            Error::new(Code::NoAudio, "The file has an audio track with nothing in it")
        } else {
            unreadable(source, log)
        });
    }
    let announced = announced(source, probe, decoded);
    let short = is_short(decoded, announced);
    let evidence = log.errors > 0 || log.damage || source.missing > 0.0 || !ok;
    if short && evidence {
        if source.protected {
            return Err(encrypted());
        }
        let detail = format!("The file announces {} of sound and ends after {}", clock(announced), clock(decoded));
        return Err(Error::new(Code::Truncated, detail));
    }
    if !ok {
        return Err(unreadable(source, log));
    }
    let mut warnings = Vec::new();
    if short {
        warnings.push(format!("The sound ends at {}, though the file announces {}", clock(decoded), clock(announced)));
    }
    if log.errors > 0 || (log.damage && !source.open_ended) {
        warnings.push("Some of the sound is damaged and was passed over".to_owned());
    }
    if probe.audio_streams.len() > 1 {
        warnings.push(format!("The file has {} audio tracks; the first was used", probe.audio_streams.len()));
    }
    Ok(warnings)
}

/// The seconds of sound that the file says it has. The stream's own length counts before the container's, which may
/// be that of longer pictures.
fn announced(source: &Source, probe: &Probe, decoded: f64) -> f64 {
    let stated = match probe.audio_streams.first().and_then(|stream| stream.duration_ms).or(probe.duration_ms) {
        Some(ms) if !probe.duration_estimated => ms as f64 / 1_000.0,
        _ => 0.0,
    };
    stated.max(decoded / (1.0 - source.missing).max(0.001))
}

/// Whether it ended by itself. A service manager that stops the daemon may signal ffmpeg too, and that says nothing
/// about the file.
fn own_end(ended: &Ended) -> Result<()> {
    let detail = match ended.status.signal() {
        Some(libc::SIGXCPU) => return Err(timed_out_cpu()),
        Some(signal) => format!("ffmpeg died on this file (signal {signal})"),
        None if ended.log.told_to_stop && !ended.status.success() => "ffmpeg was stopped from outside".to_owned(),
        None => return Ok(()),
    };
    tracing::warn!(status = %ended.status, said = ended.log.tail(), "ffmpeg was killed");
    Err(Error::new(Code::Crashed, detail).with_hint("trawl tries again by itself; see the daemon's log."))
}

fn timed_out_cpu() -> Error {
    let mut error = timed_out(Duration::ZERO);
    error.detail = "ffmpeg used more processor time than `media.timeout` allows".to_owned();
    error
}

/// For a file that ffmpeg gave up on.
fn unreadable(source: &Source, log: &Log) -> Error {
    if log.many_streams {
        let detail = format!("The file has more than {MAX_STREAMS} streams");
        return Error::new(Code::UnsupportedFormat, detail);
    }
    if log.no_memory {
        return Error::new(Code::TooLarge, "ffmpeg needs more memory for this file than it may use")
            .with_hint("Raise `media.memory_bytes`, or convert the file first.");
    }
    if log.no_decoder {
        return Error::new(Code::UnsupportedFormat, "The sound is stored in a way that ffmpeg cannot decode");
    }
    if source.protected {
        return encrypted();
    }
    if log.foreign && source.looks_like_media {
        return Error::new(Code::UnsupportedFormat, "The file is of a kind that trawl does not open");
    }
    if log.moov_missing && source.looks_like_media {
        return Error::new(Code::Truncated, "The file ends before its table of contents");
    }
    nothing_inside(source)
}

fn encrypted() -> Error {
    Error::new(Code::Encrypted, "The sound in the file is encrypted")
}

/// For a file in which nothing was found: half a file when it begins like one, else none.
pub(super) fn nothing_inside(source: &Source) -> Error {
    if source.looks_like_media {
        return Error::new(Code::Truncated, "The file begins like audio or video, but nothing in it can be read");
    }
    not_media(source)
}

/// For a file that is something else.
pub(super) fn not_media(source: &Source) -> Error {
    match source.kind {
        Some(kind) if !source.looks_like_media => {
            Error::new(Code::NotMedia, format!("The file is neither audio nor video: it looks like {kind}"))
        }
        _ => Error::new(Code::NotMedia, "The file is neither audio nor video"),
    }
}

/// For sound that is longer than `media.max_duration`.
pub(super) fn too_long(what: &str, max: Duration) -> Error {
    Error::new(Code::TooLong, format!("{what}; at most {} is allowed", clock(max.as_secs_f64())))
}

/// `1:02:03`, or `12.3 s` below a minute.
fn clock(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    format!("{}:{:02}:{:02}", whole / 3_600, whole / 60 % 60, whole % 60)
}
