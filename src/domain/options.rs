//! What can be asked of a transcription, with its ranges.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Code, Error, Result};

/// What to make of the speech.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// The words as spoken.
    #[default]
    Transcribe,
    /// The words in English.
    Translate,
}

/// The options of one transcription. Every field has a default, so `{}` is valid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// The model's name or alias; none takes `models.default`.
    pub model: Option<String>,
    /// A language code such as `en` or an English name such as `chinese`; none or `auto` detects it.
    pub language: Option<String>,
    /// Transcribe, or translate into English.
    pub task: Goal,
    /// Text which the model takes for what was said before; at most 4,000 characters.
    pub initial_prompt: Option<String>,
    /// Randomness of the choice of words, 0 to 1. Above 0 whisper samples.
    pub temperature: f32,
    /// How many hypotheses are followed, 1 (greedy) to 10.
    pub beam_size: u8,
    /// Whether each word gets its times.
    pub word_timestamps: bool,
    /// Whether parts without speech are left out.
    pub vad: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            model: None,
            language: None,
            task: Goal::Transcribe,
            initial_prompt: None,
            temperature: 0.0,
            beam_size: 5,
            word_timestamps: false,
            vad: true,
        }
    }
}

const FIELDS: [&str; 8] =
    ["model", "language", "task", "initial_prompt", "temperature", "beam_size", "word_timestamps", "vad"];

impl Options {
    /// Reads options from JSON. An unknown name is refused with the nearest known one, a wrong value with its range.
    pub fn from_json(value: &Map<String, Value>) -> Result<Self> {
        for name in value.keys() {
            if !FIELDS.contains(&name.as_str()) {
                return Err(unknown("option", name, FIELDS));
            }
        }
        // A null means "the default", as clients with optional fields send it.
        let given: Map<String, Value> =
            value.iter().filter(|(_, value)| !value.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect();
        for (name, value) in &given {
            let single = Map::from_iter([(name.clone(), value.clone())]);
            serde_json::from_value::<Self>(Value::Object(single)).map_err(|error| {
                Error::new(Code::InvalidValue, format!("Option \"{name}\": {error}")).with_field(name)
            })?;
        }
        let mut options: Self = serde_json::from_value(Value::Object(given))
            .map_err(|error| Error::new(Code::InvalidValue, format!("Options: {error}")))?;
        options.normalise();
        options.check()?;
        Ok(options)
    }

    fn normalise(&mut self) {
        let blank = |text: &Option<String>| text.as_deref().is_some_and(|text| text.trim().is_empty());
        if blank(&self.model) {
            self.model = None;
        }
        if blank(&self.initial_prompt) {
            self.initial_prompt = None;
        }
        self.language = self
            .language
            .take()
            .map(|language| language.trim().to_lowercase())
            .filter(|language| !language.is_empty() && language != "auto");
    }

    fn check(&self) -> Result<()> {
        let wrong = |name: &str, rule: &str| {
            Err(Error::new(Code::InvalidValue, format!("Option \"{name}\" must be {rule}")).with_field(name))
        };
        if !(0.0..=1.0).contains(&self.temperature) {
            return wrong("temperature", "a number from 0 to 1");
        }
        if !(1..=10).contains(&self.beam_size) {
            return wrong("beam_size", "a whole number from 1 to 10");
        }
        if self.initial_prompt.as_ref().is_some_and(|prompt| prompt.chars().count() > 4_000) {
            return wrong("initial_prompt", "at most 4,000 characters long");
        }
        Ok(())
    }
}

/// An error for a name that is not known, with the nearest one that is.
pub fn unknown<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> Error {
    let known: Vec<&str> = known.into_iter().collect();
    let error = Error::new(Code::UnknownField, format!("There is no {what} \"{}\"", name.escape_debug()));
    let hint = match nearest(name, known.iter().copied()) {
        Some(best) => format!("Did you mean \"{best}\"?"),
        None => format!("Known: {}.", known.join(", ")),
    };
    error.with_hint(hint).with_field(name)
}

/// The known name that is most like the given one, if one is like it at all.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Result<Options> {
        Options::from_json(value.as_object().unwrap())
    }

    #[test]
    fn nothing_is_the_default() {
        assert_eq!(read(json!({})).unwrap(), Options::default());
        assert_eq!(read(json!({"language": "auto", "model": "", "beam_size": null})).unwrap(), Options::default());
    }

    #[test]
    fn wrong_names_and_values_are_told() {
        let error = read(json!({"langauge": "en"})).unwrap_err();
        assert_eq!((error.code, error.hint.as_str()), (Code::UnknownField, "Did you mean \"language\"?"));
        for bad in [
            json!({"temperature": 1.5}),
            json!({"temperature": "hot"}),
            json!({"beam_size": 0}),
            json!({"beam_size": 11}),
            json!({"beam_size": 300}),
            json!({"task": "sing"}),
            json!({"language": 5}),
            json!({"initial_prompt": "x".repeat(4_001)}),
        ] {
            let error = read(bad.clone()).unwrap_err();
            assert_eq!(error.code, Code::InvalidValue, "{bad}");
            assert_eq!(error.field.as_deref(), bad.as_object().unwrap().keys().next().map(String::as_str), "{bad}");
        }
    }
}
