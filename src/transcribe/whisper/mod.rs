//! whisper.cpp: one model, and runs of it over windows of audio.
//!
//! Callers may rely on: a run ends early when its [`Watch`] says so; no callback data outlives a run; segment times are
//! exact offsets into the window; the same window gives the same segments every time; texts are valid UTF-8 even when a character's bytes are spread over tokens.

mod context;
mod run;

use std::{path::Path, sync::Arc};

pub(crate) use context::log_to_stderr;
use context::{Context, State};
pub(crate) use run::{Settings, Watch};

use crate::error::{Code, Error, Result};

/// The engine's name in transcripts.
pub(crate) const ENGINE: &str = "whisper.cpp";

/// whisper.cpp has room for this many hypotheses.
pub(crate) const MAX_BEAM: u8 = 8;

/// A loaded model.
pub(crate) struct Model(Arc<Context>);

impl Model {
    /// Loads a checked file onto the CPU.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        Context::load(path, false, 0).map(|context| Self(Arc::new(context)))
    }

    /// Room for one transcription at a time, with so many threads.
    pub(crate) fn slot(&self, threads: usize) -> Result<Slot> {
        let threads = i32::try_from(threads.max(1)).unwrap_or(1);
        Ok(Slot { context: self.0.clone(), fresh: Some(State::new(self.0.clone())?), threads })
    }
}

/// Room for one transcription at a time.
pub(crate) struct Slot {
    context: Arc<Context>,
    /// A state in which nothing was decoded yet. whisper.cpp's beam search draws random numbers and seeds them only
    /// with the state, so a used one would make the text depend on what was recognised before.
    fresh: Option<State>,
    threads: i32,
}

impl Slot {
    /// Every language of the model with its probability, the likeliest first; English when it knows no other.
    pub(crate) fn detect(&mut self, samples: &[f32]) -> Result<Vec<(&'static str, f32)>> {
        let known = self.context.languages();
        if known == 0 {
            return Ok(vec![("en", 1.0)]);
        }
        let mut state = self.state()?;
        let probabilities = state
            .detect(samples, self.threads)
            .ok_or_else(|| Error::new(Code::EngineFailed, "The language could not be detected"))?;
        self.fresh = Some(state); // Detection draws nothing.
        // whisper.cpp also reads the tokens of languages which an older model does not have: they mean something else.
        let sum: f32 = probabilities.iter().take(known).sum();
        let mut named: Vec<_> = probabilities
            .iter()
            .take(known)
            .zip(0..)
            .filter_map(|(p, id)| Some((whisper_rs::get_lang_str(id)?, p / sum.max(f32::MIN_POSITIVE))))
            .collect();
        named.sort_by(|a, b| b.1.total_cmp(&a.1));
        Ok(named)
    }

    /// Recognises one window. Each segment is handed to the watch as soon as it is there.
    pub(crate) fn run(&mut self, samples: &[f32], settings: &Settings<'_>, watch: &Watch<'_>) -> Result<()> {
        run::run(self.state()?, self.threads, samples, settings, watch)
    }

    fn state(&mut self) -> Result<State> {
        self.fresh.take().map_or_else(|| State::new(self.context.clone()), Ok)
    }
}
