//! The words with their times (design §8 fixes the JSON shape).

use serde::{Deserialize, Serialize};

/// What recognition made of one audio. Times are seconds from its start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transcript {
    /// The whole text.
    pub text: String,
    /// The language's code (`en`, `zh`), or empty when there was no speech.
    pub language: String,
    /// How sure the model is of the language, 0 to 1.
    pub language_probability: f32,
    /// Every language with its probability, the likeliest first.
    pub language_probs: Vec<(String, f32)>,
    /// The audio's length in seconds.
    pub duration: f64,
    /// The length of what was judged to be speech, in seconds.
    pub duration_after_vad: f64,
    /// The model's name.
    pub model: String,
    /// The engine: `whisper.cpp`, …
    pub engine: String,
    /// The sentences, in order, not overlapping.
    pub segments: Vec<Segment>,
    /// What a reader should know: no speech found, repetitions dropped, …
    pub warnings: Vec<String>,
}

/// One sentence or line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// 0, 1, 2, …
    pub id: usize,
    /// Start in seconds.
    pub start: f64,
    /// End in seconds, not before the start.
    pub end: f64,
    /// The text, trimmed.
    pub text: String,
    /// Mean log-probability of the tokens.
    pub avg_logprob: f32,
    /// How likely the model thinks that nobody speaks, 0 to 1.
    pub no_speech_prob: f32,
    /// Length of the text over its compressed length: above 2.4 it repeats itself.
    pub compression_ratio: f32,
    /// The temperature it was decoded at.
    pub temperature: f32,
    /// The text's token ids.
    pub tokens: Vec<i32>,
    /// The words, when word times were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<Word>,
}

/// One word.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Word {
    /// The word with the punctuation that belongs to it.
    pub word: String,
    /// Start in seconds.
    pub start: f64,
    /// End in seconds.
    pub end: f64,
    /// How sure the model is, 0 to 1.
    pub probability: f32,
}
