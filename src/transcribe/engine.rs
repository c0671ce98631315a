//! What an engine is to the rest of the daemon, and what a slot is to an engine.

use std::{ops::Range, path::PathBuf};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::models::ModelRef;
use crate::{
    domain::{Options, Segment, Transcript},
    error::Result,
};

/// One transcription to do.
#[derive(Clone, Debug)]
pub struct Job {
    /// The model's name, with aliases resolved.
    pub model: String,
    /// Its file; none when it is not here, and only an engine elsewhere can do the job.
    pub file: Option<ModelRef>,
    /// Signed 16-bit little-endian PCM, mono, 16 kHz.
    pub pcm: PathBuf,
    /// How many samples the file holds.
    pub samples: u64,
    /// What to make of it.
    pub options: Options,
    /// Whether it goes before those that are not.
    pub is_urgent: bool,
}

/// What a job tells while it runs.
#[derive(Clone, Debug, PartialEq)]
pub enum EngineEvent {
    /// How much is done, 0 to 1; at least about once a second.
    Progress(f64),
    /// A finished segment. Segments come in order and are final.
    Segment(Segment),
    /// Its last part is at work: when another job comes now, there is something to do when a slot becomes free. Told
    /// once at most.
    LastBegun,
}

/// Hears the events of a job.
pub type Events<'a> = dyn Fn(EngineEvent) + Send + Sync + 'a;

/// The result of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Transcribed {
    /// The words.
    pub transcript: Transcript,
    /// How long slots worked on them, in milliseconds over all of them.
    pub inference_ms: u64,
    /// Whether something had failed that was to do it, so that another time the result may be another.
    pub is_makeshift: bool,
}

/// An engine's state, for display.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EngineStatus {
    /// Where it computes: `cpu`, `cuda:0`, … or `remote:<name>`.
    pub device: String,
    /// The model in memory.
    pub model: Option<String>,
    /// `idle`, `loading`, `ready`, `busy`, `waiting` (before a restart), `failed`.
    pub state: String,
    /// Transcriptions at the same time.
    pub slots: usize,
    /// How many are running.
    pub busy: usize,
    /// How often it was started again after a failure.
    pub restarts: u64,
    /// Whether it is never unloaded.
    pub pinned: bool,
    /// Bytes of main memory in use.
    pub rss: Option<u64>,
    /// Why it cannot be used, or why something else is used in its place.
    pub problem: Option<String>,
}

impl EngineStatus {
    /// Whether this is an engine of this machine that has the model in memory.
    pub fn has(&self, model: &str) -> bool {
        let is_in_memory = matches!(self.state.as_str(), "ready" | "busy" | "idle");
        is_in_memory && !self.device.starts_with("remote:") && self.model.as_deref() == Some(model)
    }
}

/// A device of this machine, for display.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeviceStatus {
    /// `cpu`, `cuda:0`, …
    pub name: String,
    /// What the driver calls it.
    pub description: String,
    /// Bytes of memory that it has.
    pub memory_total: u64,
    /// Bytes of it that engines may use together.
    pub memory_budget: u64,
    /// Bytes of it that engines are thought to use.
    pub memory_used: u64,
    /// Why it cannot be used.
    pub problem: Option<String>,
}

/// Something that turns audio into text: the devices of this machine, or a server elsewhere.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Does a job, waiting for a free slot first. Ends within about a second of `cancel`, with [`Code::Cancelled`].
    ///
    /// [`Code::Cancelled`]: crate::error::Code::Cancelled
    async fn transcribe(&self, job: Job, events: &Events<'_>, cancel: &CancellationToken) -> Result<Transcribed>;

    /// How many jobs run at the same time; more may be given and wait in order.
    fn slots(&self) -> usize;

    /// What it does now: one entry for each model on each device.
    fn status(&self) -> Vec<EngineStatus>;

    /// Ends everything; jobs which still run fail with [`Code::ShuttingDown`].
    ///
    /// [`Code::ShuttingDown`]: crate::error::Code::ShuttingDown
    async fn shutdown(&self);
}

/// A piece of audio, at most 30 seconds, for one slot.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    /// The job that it belongs to. Jobs without a slot go before those that have one.
    pub job: u64,
    /// Whether it goes before windows that are not.
    pub is_urgent: bool,
    /// The model to do it with.
    pub model: ModelRef,
    /// The whole audio: signed 16-bit little-endian PCM, mono, 16 kHz.
    pub pcm: PathBuf,
    /// Which samples of it.
    pub range: Range<u64>,
}

/// What to make of a window.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    /// The language's code; without one it is found on the way, among those that the options allow.
    pub language: Option<String>,
    /// The text before the window, which the model hears as context; usually empty.
    pub previous: String,
    /// The rest.
    pub options: Options,
}

/// What is heard of a window while it is worked on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Heard {
    /// Still at work, so much of the window done, 0 to 1.
    Alive(f64),
    /// A finished segment, with times from the start of the whole audio. Its id is not set.
    Segment(Segment),
}

/// Hears a window's events.
pub(crate) type Listener<'a> = dyn Fn(Heard) + Send + Sync + 'a;

/// Languages by code with their probabilities, the likeliest first.
pub(crate) type Probabilities = Vec<(String, f32)>;

/// The languages of a window.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Detected {
    /// How long the slot worked.
    pub inference_ms: u64,
    /// Every language of the model.
    pub probabilities: Probabilities,
}

/// The end of a window.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Recognised {
    /// How long the slot worked.
    pub inference_ms: u64,
    /// Every language of the model, when the window's had to be found; otherwise none.
    pub probabilities: Probabilities,
    /// What a reader should know, such as that another device was used.
    pub warnings: Vec<String>,
    /// Whether the CPU did it because every GPU had failed.
    pub is_makeshift: bool,
}

/// The slots of this machine.
#[async_trait]
pub(crate) trait Slots: Send + Sync {
    /// How likely each language of the model is over the window. A model that knows English only says so.
    async fn detect(&self, window: &Window, cancel: &CancellationToken) -> Result<Detected>;

    /// Recognises a window, waiting for a free slot first. Ends within about a second of `cancel`.
    async fn recognise(
        &self,
        window: &Window,
        ask: &Ask,
        listener: &Listener<'_>,
        cancel: &CancellationToken,
    ) -> Result<Recognised>;

    /// How many windows of one job are worth handing over at the same time.
    fn width(&self) -> usize;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_in_memory_here_is_loaded() {
        let row = |device: &str, state: &str| EngineStatus {
            device: device.to_owned(),
            model: Some("base".to_owned()),
            state: state.to_owned(),
            ..EngineStatus::default()
        };
        for (device, state, expected) in [
            ("cpu", "ready", true),
            ("cuda:0", "busy", true),
            ("cpu", "idle", true),
            ("cpu", "loading", false),
            ("cpu", "waiting", false),
            ("cpu", "failed", false),
            ("remote:lab", "ready", false),
        ] {
            assert_eq!(row(device, state).has("base"), expected, "{device} {state}");
        }
        assert!(!row("cpu", "ready").has("tiny") && !EngineStatus::default().has("base"));
    }
}
