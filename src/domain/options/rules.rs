//! Whether values are in their ranges.

use super::{Options, RULES, Split};
use crate::error::{Code, Error, Result};

/// The error for a value that breaks the rule of its option.
pub(super) fn wrong(name: &str) -> Error {
    let rule = RULES.iter().find(|(known, _)| *known == name).map_or("something else", |(_, rule)| rule);
    Error::new(Code::InvalidValue, format!("Option \"{name}\" must be {rule}")).with_field(name)
}

impl Options {
    /// Checks one option by its name.
    pub(super) fn check(&self, name: &str) -> Result<()> {
        let within = |text: &str, most: usize| text.chars().count() <= most;
        let short = |text: &Option<String>, most: usize| text.as_deref().is_none_or(|text| within(text, most));
        let holds = match name {
            "languages" => self.languages.len() <= 20,
            "temperature" => {
                let ladder = &self.temperature.0;
                (1..=10).contains(&ladder.len()) && ladder.iter().all(|step| (0.0..=1.0).contains(step))
            }
            "beam_size" => (1..=10).contains(&self.beam_size),
            "best_of" => (1..=8).contains(&self.best_of),
            "patience" => self.patience == 1.0,
            "compression_ratio_threshold" => (1.0..=100.0).contains(&self.compression_ratio_threshold),
            "logprob_threshold" => (-20.0..=0.0).contains(&self.logprob_threshold),
            "no_speech_threshold" => (0.0..=1.0).contains(&self.no_speech_threshold),
            "initial_prompt" => short(&self.initial_prompt, 4_000),
            "identity" => short(&self.identity, 64),
            "hotwords" => short(&self.hotwords, 1_000),
            "prepend_punctuations" => within(&self.prepend_punctuations, 100),
            "append_punctuations" => within(&self.append_punctuations, 100),
            "clip_timestamps" => {
                let clips = &self.clip_timestamps.0;
                let known = clips.iter().all(|time| time.is_finite() && *time >= 0.0);
                known && clips.len() <= 1_000 && clips.windows(2).all(|pair| pair[0] < pair[1])
            }
            "hallucination_silence_threshold" => {
                self.hallucination_silence_threshold.is_none_or(|seconds| (0.1..=600.0).contains(&seconds))
            }
            "vad_threshold" => (0.05..=0.95).contains(&self.vad_threshold),
            "vad_min_speech_ms" => self.vad_min_speech_ms <= 10_000,
            "vad_min_silence_ms" => self.vad_min_silence_ms <= 10_000,
            "vad_pad_ms" => self.vad_pad_ms <= 2_000,
            "threads" => self.threads.is_none_or(|threads| (1..=256).contains(&threads)),
            _ => true,
        };
        if holds { Ok(()) } else { Err(wrong(name)) }
    }

    /// Checks what options mean to each other.
    pub(super) fn check_together(&self) -> Result<()> {
        if self.split == Split::Parallel && self.condition_on_previous_text == Some(true) {
            let detail = "Windows that are done in parallel cannot hear the text before them";
            return Err(Error::new(Code::InvalidValue, detail)
                .with_hint("Leave out \"condition_on_previous_text\", or use \"split\": \"sequential\".")
                .with_field("split"));
        }
        Ok(())
    }
}
