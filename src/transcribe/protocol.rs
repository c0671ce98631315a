//! What the daemon and an engine process say to each other: one JSON object per line.
//!
//! Both ends are the same binary, so the format has no versions. A line that does not parse means that the process is
//! broken: the daemon ends it, and nothing else.

use std::{ops::Range, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::engine::Probabilities;
use crate::domain::{Options, Segment};

/// A device that this build can compute on; `trawl engine --list-devices` prints an array of them as JSON. The CPU is
/// not among them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Device {
    /// `cuda:0`, `vulkan:1`, `hip:0`, `metal`.
    pub name: String,
    /// What the driver calls it.
    pub description: String,
    /// Bytes of its memory.
    pub memory_total: u64,
    /// Bytes of it that are free now.
    pub memory_free: u64,
}

/// From the daemon to the process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "requests are few, and gone as soon as they are written or read")]
pub(crate) enum Request {
    /// Tell the languages of a window. The daemon never has more windows open than the process has slots.
    Detect {
        /// Chosen by the daemon, never used twice.
        id: u64,
        /// Signed 16-bit little-endian PCM, mono, 16 kHz.
        pcm: PathBuf,
        /// Which samples of it.
        range: Range<u64>,
    },
    /// Recognise a window.
    Recognise {
        /// Chosen by the daemon, never used twice.
        id: u64,
        /// Signed 16-bit little-endian PCM, mono, 16 kHz.
        pcm: PathBuf,
        /// Which samples of it.
        range: Range<u64>,
        /// The language's code; none lets the process choose among those that the options allow.
        language: Option<String>,
        /// The text before the window.
        previous: String,
        /// The rest.
        options: Options,
    },
    /// Stop working on it; the answer is `failed` with `cancelled` (or `done`, when it was too late).
    Abort {
        /// Whose.
        id: u64,
    },
    /// Exit now.
    Shutdown,
}

/// From the process to the daemon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Event {
    /// The model is loaded.
    Ready {
        /// The model's name.
        model: String,
        /// The engine, with its version.
        engine: String,
        /// `cpu`, …
        device: String,
        /// Transcriptions at the same time.
        slots: usize,
    },
    /// The model cannot be used; the process exits.
    Unusable {
        /// An error code's word.
        code: String,
        /// A sentence.
        detail: String,
    },
    /// How much is done, 0 to 1. Also the sign of life: it comes about every second while whisper.cpp lets us.
    Progress {
        /// Whose.
        id: u64,
        /// How much.
        value: f64,
    },
    /// A finished segment.
    Segment {
        /// Whose.
        id: u64,
        /// With times from the audio's start.
        segment: Segment,
    },
    /// The end of a `detect`.
    Languages {
        /// Whose.
        id: u64,
        /// How long the engine worked on it.
        inference_ms: u64,
        /// Every language of the model.
        probabilities: Probabilities,
    },
    /// The end of a `recognise`.
    Done {
        /// Whose.
        id: u64,
        /// How long the engine worked on it.
        inference_ms: u64,
        /// Every language of the model, when one had to be chosen.
        probabilities: Probabilities,
        /// What a reader should know.
        warnings: Vec<String>,
    },
    /// The end, without a result.
    Failed {
        /// Whose.
        id: u64,
        /// An error code's word.
        code: String,
        /// A sentence.
        detail: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_read_back() {
        let segment = Segment { text: "我们\n\u{2028}".to_owned(), end: 1.5, ..Segment::default() };
        let options = Options { language: Some("zh".to_owned()), ..Options::default() };
        for request in [
            Request::Detect { id: 7, pcm: "/tmp/a b.pcm".into(), range: 0..1 },
            Request::Recognise {
                id: 7,
                pcm: "/tmp/a b.pcm".into(),
                range: 5..9,
                language: Some("zh".to_owned()),
                previous: "我".to_owned(),
                options,
            },
            Request::Abort { id: 7 },
            Request::Shutdown,
        ] {
            let line = serde_json::to_string(&request).unwrap();
            assert!(!line.contains('\n'));
            assert_eq!(serde_json::from_str::<Request>(&line).unwrap(), request);
        }
        for event in [
            Event::Progress { id: 7, value: 0.25 },
            Event::Segment { id: 7, segment },
            Event::Languages { id: 7, inference_ms: 3, probabilities: vec![("zh".to_owned(), 0.5)] },
            Event::Done { id: 7, inference_ms: 12, probabilities: Vec::new(), warnings: Vec::new() },
            Event::Failed { id: 7, code: "cancelled".to_owned(), detail: "x".to_owned() },
        ] {
            let line = serde_json::to_string(&event).unwrap();
            assert!(!line.contains('\n'));
            assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event);
        }
    }
}
