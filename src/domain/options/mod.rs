//! What can be asked of a transcription, with its ranges.

mod rules;
mod values;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::values::{Clips, Goal, Ladder, PlatformSubtitles, Split, Zh};
use crate::error::{Code, Error, Result};

/// The options of one transcription. Every field has a default, so `{}` is valid.
///
/// The ranges stand in [`RULES`]; a value of this type that came from [`Options::from_json`] keeps them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// The model's name or alias; none takes `models.default`.
    pub model: Option<String>,
    /// A language code such as `en` or an English name such as `chinese`; none or `auto` detects it.
    pub language: Option<String>,
    /// The languages that detection may choose from; empty: every one.
    pub languages: Vec<String>,
    /// Transcribe, or translate into English.
    pub task: Goal,
    /// Temperatures, tried in order until the text is good enough. Above 0 whisper samples.
    pub temperature: Ladder,
    /// How many hypotheses are followed at temperature 0; 1 is greedy.
    pub beam_size: u8,
    /// How many samples are taken above temperature 0.
    pub best_of: u8,
    /// Only 1: whisper.cpp has no patience. Here for callers who send it.
    pub patience: f32,
    /// A text whose length over its compressed length is above this repeats itself, and is tried hotter.
    pub compression_ratio_threshold: f32,
    /// A text whose mean log-probability is below this is tried hotter.
    pub logprob_threshold: f32,
    /// Above this, a text below `logprob_threshold` counts as silence.
    pub no_speech_threshold: f32,
    /// Whether a window hears the text before it; none: only with `split = sequential`.
    pub condition_on_previous_text: Option<bool>,
    /// Text which the model takes for what was said before.
    pub initial_prompt: Option<String>,
    /// Words that are likely to be said; every window hears them.
    #[serde(deserialize_with = "values::words")]
    pub hotwords: Option<String>,
    /// Whether each word gets its times.
    pub word_timestamps: bool,
    /// Marks that belong to the word after them.
    pub prepend_punctuations: String,
    /// Marks that belong to the word before them.
    pub append_punctuations: String,
    /// Parts of the audio; empty: all of it.
    pub clip_timestamps: Clips,
    /// A text inside a silence of at least so many seconds is dropped, with a warning; none: nothing is.
    pub hallucination_silence_threshold: Option<f64>,
    /// Whether the model may not write what nobody says: brackets, notes, stars.
    pub suppress_non_speech: bool,
    /// Whether parts without speech are left out.
    pub vad: bool,
    /// The score from which on a frame is speech.
    pub vad_threshold: f32,
    /// Shorter speech is a click, in milliseconds.
    pub vad_min_speech_ms: u32,
    /// Shorter silence is a breath, in milliseconds.
    pub vad_min_silence_ms: u32,
    /// What is kept on each side of speech, in milliseconds.
    pub vad_pad_ms: u32,
    /// How long audio is worked on.
    pub split: Split,
    /// CPU threads for each window; none: the engine's share. Never more than the engine has.
    pub threads: Option<u16>,
    /// The script that Chinese is shown in. What was recognised is kept.
    pub zh: Zh,
    /// Whether an earlier transcript of the same audio is not taken.
    pub no_cache: bool,
    /// Whether subtitles of the platform may stand for recognition.
    pub use_platform_subtitles: PlatformSubtitles,
    /// Whether the sound of a post is transcribed even when it is only the music behind it.
    pub background_music: bool,
    /// The identity that the link is resolved with, by name or id; `none` for nobody; none: the one whose turn it is.
    pub identity: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            model: None,
            language: None,
            languages: Vec::new(),
            task: Goal::Transcribe,
            temperature: Ladder::default(),
            beam_size: 5,
            best_of: 5,
            patience: 1.0,
            compression_ratio_threshold: 2.4,
            logprob_threshold: -1.0,
            no_speech_threshold: 0.6,
            condition_on_previous_text: None,
            initial_prompt: None,
            hotwords: None,
            word_timestamps: false,
            prepend_punctuations: "\"'“‘¿¡([{（《「『【〈-".to_owned(),
            append_punctuations: "\"'”’.。,，!！?？:：;；、)]}）》」』】〉…%".to_owned(),
            clip_timestamps: Clips::default(),
            hallucination_silence_threshold: None,
            suppress_non_speech: false,
            vad: true,
            vad_threshold: 0.5,
            vad_min_speech_ms: 96,
            vad_min_silence_ms: 320,
            vad_pad_ms: 250,
            split: Split::Auto,
            threads: None,
            zh: Zh::None,
            no_cache: false,
            use_platform_subtitles: PlatformSubtitles::Never,
            background_music: false,
            identity: None,
        }
    }
}

/// Every option with what it must be, as it stands in errors and in the documentation.
pub const RULES: [(&str, &str); 32] = [
    ("model", "the name of a model"),
    ("language", "a language code or an English name"),
    ("languages", "a list of at most 20 language codes or English names"),
    ("task", "\"transcribe\" or \"translate\""),
    ("temperature", "a number from 0 to 1, or a list of 1 to 10 of them"),
    ("beam_size", "a whole number from 1 to 10"),
    ("best_of", "a whole number from 1 to 8"),
    ("patience", "1 (whisper.cpp has no patience)"),
    ("compression_ratio_threshold", "a number from 1 to 100"),
    ("logprob_threshold", "a number from -20 to 0"),
    ("no_speech_threshold", "a number from 0 to 1"),
    ("condition_on_previous_text", "true or false"),
    ("initial_prompt", "at most 4,000 characters long"),
    ("hotwords", "a text, or a list of texts, of at most 1,000 characters"),
    ("word_timestamps", "true or false"),
    ("prepend_punctuations", "a text of at most 100 characters"),
    ("append_punctuations", "a text of at most 100 characters"),
    ("clip_timestamps", "at most 1,000 rising numbers of seconds: start, end, start, end, …"),
    ("hallucination_silence_threshold", "a number of seconds from 0.1 to 600"),
    ("suppress_non_speech", "true or false"),
    ("vad", "true or false"),
    ("vad_threshold", "a number from 0.05 to 0.95"),
    ("vad_min_speech_ms", "a whole number from 0 to 10000"),
    ("vad_min_silence_ms", "a whole number from 0 to 10000"),
    ("vad_pad_ms", "a whole number from 0 to 2000"),
    ("split", "\"auto\", \"sequential\" or \"parallel\""),
    ("threads", "a whole number from 1 to 256"),
    ("zh", "\"none\", \"hans\", \"hant\", \"tw\" or \"hk\""),
    ("no_cache", "true or false"),
    ("use_platform_subtitles", "\"never\", \"fallback\" or \"prefer\""),
    ("background_music", "true or false"),
    ("identity", "the name or id of an identity, or \"none\""),
];

impl Options {
    /// Reads options from JSON. An unknown name is refused with the nearest known one, a wrong value with its range.
    pub fn from_json(value: &Map<String, Value>) -> Result<Self> {
        for name in value.keys() {
            if !RULES.iter().any(|(known, _)| known == name) {
                return Err(unknown("option", name, RULES.map(|(known, _)| known)));
            }
        }
        // A null means "the default", as clients with optional fields send it.
        let given: Map<String, Value> =
            value.iter().filter(|(_, value)| !value.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect();
        for (name, value) in &given {
            let single = Map::from_iter([(name.clone(), value.clone())]);
            let read = serde_json::from_value::<Self>(Value::Object(single));
            let read = read.map_err(|error| rules::wrong(name).with_source(error))?;
            read.check(name)?;
        }
        let mut options: Self = serde_json::from_value(Value::Object(given))
            .map_err(|error| Error::new(Code::InvalidValue, format!("Options: {error}")))?;
        options.normalise();
        options.check_together()?;
        Ok(options)
    }

    /// Whether a window hears the text before it, and the windows are therefore done one after the other.
    pub fn is_conditioned(&self) -> bool {
        self.condition_on_previous_text.unwrap_or(self.split == Split::Sequential)
    }

    /// Whether windows are done one after the other.
    pub fn is_sequential(&self) -> bool {
        self.split == Split::Sequential || self.is_conditioned()
    }

    fn normalise(&mut self) {
        let blank = |text: &Option<String>| text.as_deref().is_some_and(|text| text.trim().is_empty());
        for text in [&mut self.model, &mut self.initial_prompt, &mut self.hotwords, &mut self.identity] {
            if blank(text) {
                *text = None;
            }
        }
        self.language = self
            .language
            .take()
            .map(|language| language.trim().to_lowercase())
            .filter(|language| !language.is_empty() && language != "auto");
        for language in &mut self.languages {
            *language = language.trim().to_lowercase();
        }
    }
}

/// An error for a name that is not known, with the nearest one that is.
pub fn unknown<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> Error {
    let known: Vec<&str> = known.into_iter().collect();
    let error = Error::new(Code::UnknownField, format!("There is no {what} \"{}\"", name.escape_debug()));
    let hint = match nearest(name, known.iter().copied()) {
        Some(best) => format!("Did you mean \"{best}\"?"),
        None if known.is_empty() => "There are none.".to_owned(),
        None => format!("Known: {}.", known.join(", ")),
    };
    error.with_hint(hint).with_field(name)
}

/// The longest name, in bytes, that is compared with what is known: the time it takes grows with its length.
pub const COMPARED: usize = 100;

/// The known name that is most like the given one, if one is like it at all.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .filter(|_| name.len() <= COMPARED)
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests;
