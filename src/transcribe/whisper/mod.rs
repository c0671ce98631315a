//! whisper.cpp: one model, and runs of it over windows of audio.
//!
//! Callers may rely on: a run ends early when its [`Watch`] says so; no callback data outlives a run; segment times are
//! exact offsets into the window; the same window gives the same segments every time, whatever was recognised before;
//! texts are valid UTF-8 even when a character's bytes are spread over tokens; a device that is not there is an error.

mod context;
mod cpu;
mod devices;
mod ladder;
mod params;
mod prompt;
mod run;
mod segments;

use std::{path::Path, sync::Arc};

pub(crate) use context::log_to_stderr;
use context::{Context, State};
pub use cpu::cpu_check;
pub(crate) use devices::devices;
pub(crate) use run::{Ran, Settings, Watch};

use crate::{
    error::{Code, Error, Result},
    transcribe::audio::SAMPLE_RATE,
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
        let context = Arc::new(Context::load(path, gpu)?);
        Ok(Self { context, is_on_gpu: gpu.is_some(), has_short_context: short_context })
    }

    /// Room for one transcription at a time, with `threads` CPU threads unless a window asks for another number of them,
    /// at most `most`.
    pub(crate) fn slot(&self, threads: usize, most: usize) -> Result<Slot> {
        let number = |threads: usize| i32::try_from(threads.max(1)).unwrap_or(1);
        Ok(Slot {
            context: self.context.clone(),
            state: Some(State::new(self.context.clone())?),
            threads: number(threads),
            most: number(most),
            is_on_gpu: self.is_on_gpu,
            has_short_context: self.has_short_context,
        })
    }
}

/// Room for one transcription at a time.
pub(crate) struct Slot {
    context: Arc<Context>,
    /// A state that is as good as a fresh one. whisper.cpp draws random numbers above temperature 0 and in every beam
    /// search, and seeds them only with the state: one that has drawn would make the text depend on what was recognised
    /// before.
    state: Option<State>,
    threads: i32,
    most: i32,
    is_on_gpu: bool,
    has_short_context: bool,
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
        self.state = Some(state); // Detection draws nothing.
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

    /// Recognises one window. Each segment is handed to the watch as soon as its pass is over.
    pub(crate) fn run(&mut self, samples: &[f32], settings: &Settings<'_>, watch: &Watch<'_>) -> Result<Ran> {
        let threads = settings.options.threads.map_or(self.threads, |threads| i32::from(threads).clamp(1, self.most));
        let means = run::Means { threads, audio_context: self.audio_context(samples.len()) };
        let mut state = self.state()?;
        let ran = run::run(&mut state, &means, samples, settings, watch)?;
        // Detection would go on with a short context.
        if !ran.has_drawn && means.audio_context == 0 {
            self.state = Some(state);
        }
        Ok(ran)
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
        self.state.take().map_or_else(|| State::new(self.context.clone()), Ok)
    }
}
