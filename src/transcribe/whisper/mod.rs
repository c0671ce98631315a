//! whisper.cpp: one model, and runs of it over windows of audio.
//!
//! Callers may rely on: a run ends early when its [`Watch`] says so; no callback data outlives a run; segment times are
//! exact offsets into the window; the same window gives the same segments every time, whatever was recognised before;
//! texts are valid UTF-8 even when a character's bytes are spread over tokens; a device that is not there is an error.

mod context;
mod cpu;
mod devices;
mod judge;
mod ladder;
mod language;
mod params;
mod products;
mod prompt;
mod run;
mod segments;

use std::{path::Path, sync::Arc};

pub(crate) use context::log_to_stderr;
use context::{Context, State};
pub use cpu::{cpu_check, cpu_features};
pub(crate) use devices::devices;
pub(crate) use run::{Ran, Settings, Watch};

use crate::{
    error::Result,
    transcribe::{audio::SAMPLE_RATE, engine::Probabilities},
};

/// The engine's name in transcripts.
pub(crate) const ENGINE: &str = "whisper.cpp";

/// whisper.cpp has room for this many hypotheses.
pub(crate) const MAX_BEAM: u8 = 8;

/// Positions of the encoder for a second of audio.
const POSITIONS: u64 = 50;
/// How many more a shorter encoder context has than the window needs.
const MARGIN: u64 = 128;

/// A loaded model.
pub(crate) struct Model {
    context: Arc<Context>,
    is_on_gpu: bool,
    has_short_context: bool,
}

impl Model {
    /// Loads a checked file onto a device: `cpu`, or one of [`devices`]. `short_context` lets windows below 30 seconds
    /// use a shorter encoder context.
    pub(crate) fn load(path: &Path, device: &str, short_context: bool) -> Result<Self> {
        let gpu = devices::gpu(device)?;
        if gpu.is_none() {
            products::register();
        }
        let context = Arc::new(Context::load(path, gpu)?);
        Ok(Self { context, is_on_gpu: gpu.is_some(), has_short_context: short_context })
    }

    /// Room for one transcription at a time, with `threads` CPU threads unless a window asks for another number of them,
    /// at most `most`.
    pub(crate) fn slot(&self, threads: usize, most: usize) -> Result<Slot> {
        let number = |threads: usize| i32::try_from(threads.max(1)).unwrap_or(1);
        Ok(Slot {
            context: self.context.clone(),
            fresh: Some(State::new(self.context.clone())?),
            threads: number(threads),
            most: number(most),
            is_on_gpu: self.is_on_gpu,
            has_short_context: self.has_short_context,
            last_language: "en".to_owned(),
        })
    }
}

/// Room for one transcription at a time.
pub(crate) struct Slot {
    context: Arc<Context>,
    /// A state in which nothing was decoded yet. Each one serves once: whisper.cpp draws random numbers that are seeded
    /// only with the state, and reads logits that an earlier run has left there, so that a used one would make the text
    /// depend on what was recognised before. Another costs a hundredth of the time of a window.
    fresh: Option<State>,
    threads: i32,
    most: i32,
    is_on_gpu: bool,
    has_short_context: bool,
    /// Of the window before: the best guess for the next one.
    last_language: String,
}

impl Slot {
    /// How likely each language of the model is; English alone when it knows no other.
    pub(crate) fn detect(&mut self, samples: &[f32]) -> Result<Probabilities> {
        if self.context.languages() == 0 {
            return Ok(language::only_english());
        }
        let found = self.state()?.detect(samples, self.threads);
        found.map(language::named).ok_or_else(language::undetected)
    }

    /// Recognises one window. Each segment is handed to the watch as soon as its pass is over.
    pub(crate) fn run(&mut self, samples: &[f32], settings: &Settings<'_>, watch: &Watch<'_>) -> Result<Ran> {
        let threads = self.threads(settings.options.threads);
        let mut state = self.state()?;
        let audio_context = self.audio_context(samples.len());
        let means = run::Means { threads, audio_context, last_language: &self.last_language };
        let ran = run::run(&mut state, &means, samples, settings, watch)?;
        self.last_language.clone_from(&ran.language);
        Ok(ran)
    }

    /// The threads for a window.
    fn threads(&self, asked: Option<u16>) -> i32 {
        asked.map_or(self.threads, |asked| i32::from(asked).clamp(1, self.most))
    }

    /// The positions of the encoder for so many samples; 0 for all.
    fn audio_context(&self, samples: usize) -> i32 {
        let most = self.context.audio_context();
        // On a GPU attention goes over a whole multiple of 256 positions, whatever is in the last ones.
        let step = if self.is_on_gpu { 256 } else { 1 };
        let needed = ((samples as u64 * POSITIONS).div_ceil(SAMPLE_RATE) + MARGIN).next_multiple_of(step);
        match i32::try_from(needed) {
            Ok(needed) if self.has_short_context && needed < most => needed,
            _ => 0,
        }
    }

    fn state(&mut self) -> Result<State> {
        self.fresh.take().map_or_else(|| State::new(self.context.clone()), Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_and_contexts_have_their_limits() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/smoke/ggml-smoke-q8_0.bin");
        let slot = Model::load(&file, "cpu", true).unwrap().slot(2, 6).unwrap();
        assert_eq!([None, Some(1), Some(4), Some(256)].map(|asked| slot.threads(asked)), [2, 1, 4, 6]);
        assert_eq!([16_000, 480_000, 430_000].map(|samples| slot.audio_context(samples)), [178, 0, 1_472]);
        let slot = Model::load(&file, "cpu", false).unwrap().slot(0, 0).unwrap();
        assert_eq!((slot.threads(None), slot.audio_context(16_000)), (1, 0));
    }
}
