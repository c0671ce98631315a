//! From the fields of a request to what is to be done and how it is told.

use serde_json::{Map, Value, json};

use super::chunking;
use crate::{
    api::facade::Fields,
    domain::{Priority, options::Goal},
    error::{Code, Error, Result},
    intake::Submission,
};

/// The longest prompt in characters; of a longer one the end counts, as with every Whisper.
const MAX_PROMPT: usize = 4_000;

/// How an answer looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Text,
    Srt,
    Vtt,
    Verbose,
}

impl Format {
    const ALL: [(&'static str, Self); 5] = [
        ("json", Self::Json),
        ("text", Self::Text),
        ("srt", Self::Srt),
        ("verbose_json", Self::Verbose),
        ("vtt", Self::Vtt),
    ];
}

/// What an answer holds, and whether it comes as events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub goal: Goal,
    pub format: Format,
    pub words: bool,
    pub segments: bool,
    pub logprobs: bool,
    pub stream: bool,
}

/// A request that makes sense.
#[derive(Debug)]
pub(super) struct Ask {
    pub wanted: Wanted,
    /// What to do; without a caller, and without a link unless the client gave one.
    pub submission: Submission,
}

impl Ask {
    /// Reads the fields. Those that nobody knows are let be.
    pub(super) fn read(fields: &Fields, goal: Goal) -> Result<Self> {
        let wanted = wanted(fields, goal)?;
        let mut options = options(fields)?;
        if wanted.words || wanted.logprobs {
            options.insert("word_timestamps".to_owned(), Value::Bool(true));
        }
        if goal == Goal::Translate {
            options.insert("task".to_owned(), json!(Goal::Translate));
        }
        // Who asks here waits for the answer.
        let priority = fields.parsed("priority", "\"low\", \"normal\" or \"high\"")?.unwrap_or(Priority::High);
        let link = fields.text("url").unwrap_or_default();
        let submission = Submission { link, options, priority: Some(priority), ..Submission::default() };
        Ok(Self { wanted, submission })
    }

    /// The model's name as it was given; empty for the default.
    pub(super) fn model(&self) -> &str {
        self.submission.options.get("model").and_then(Value::as_str).unwrap_or_default()
    }

    /// Takes the model by the name that it has here.
    pub(super) fn set_model(&mut self, name: String) {
        self.submission.options.insert("model".to_owned(), Value::String(name));
    }
}

fn wanted(fields: &Fields, goal: Goal) -> Result<Wanted> {
    let format = format(fields)?;
    let granularities = fields.list("timestamp_granularities");
    if let Some(other) = granularities.iter().find(|word| !["word", "segment"].contains(&word.as_str())) {
        let detail = format!("There is no timestamp granularity \"{}\"", other.escape_debug());
        return Err(wrong("timestamp_granularities[]", detail, "Known: word, segment."));
    }
    let include = fields.list("include");
    if let Some(other) = include.iter().find(|word| *word != "logprobs") {
        let detail = format!("There is no \"{}\" to include", other.escape_debug());
        return Err(wrong("include[]", detail, "Known: logprobs."));
    }
    let has = |word: &str| granularities.iter().any(|given| given == word);
    let stream = fields.flag("stream")?.unwrap_or(false);
    // Only this format has a place for words; to ask for them elsewhere does no harm.
    let is_verbose = format == Format::Verbose && !stream;
    Ok(Wanted {
        goal,
        format,
        words: is_verbose && has("word"),
        segments: is_verbose && (has("segment") || granularities.is_empty()),
        logprobs: !include.is_empty() && (format == Format::Json || stream),
        stream,
    })
}

fn format(fields: &Fields) -> Result<Format> {
    let Some(word) = fields.text("response_format") else { return Ok(Format::Json) };
    let word = word.trim();
    if word == "diarized_json" {
        let detail = "The response format \"diarized_json\" is not to be had here";
        return Err(Error::new(Code::DiarizationUnavailable, detail).with_field("response_format"));
    }
    Format::ALL.iter().find(|(known, _)| *known == word).map(|(_, format)| *format).ok_or_else(|| {
        let known = Format::ALL.map(|(known, _)| known).join(", ");
        let detail = format!("There is no response format \"{}\"", word.escape_debug());
        wrong("response_format", detail, format!("Known: {known}."))
    })
}

fn options(fields: &Fields) -> Result<Map<String, Value>> {
    let mut options = chunking::options(fields)?;
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            options.insert(name.to_owned(), value);
        }
    };
    set("model", fields.text("model").map(|name| Value::String(name.trim().to_owned())));
    set("language", fields.text("language").map(Value::String));
    set("languages", Some(fields.list("languages")).filter(|list| !list.is_empty()).map(|list| json!(list)));
    set("initial_prompt", prompt(fields).map(Value::String));
    set("hotwords", Some(fields.list("hotwords").join(", ")).filter(|words| !words.is_empty()).map(Value::String));
    set("temperature", temperature(fields)?.map(|temperature| json!(temperature)));
    set("vad", fields.flag("vad_filter")?.map(Value::Bool));
    set("zh", fields.text("zh_variant").map(|word| Value::String(word.trim().to_lowercase())));
    Ok(options)
}

/// The prompt with the words to expect at its end, where a model that has no room for all of it still sees them.
fn prompt(fields: &Fields) -> Option<String> {
    let keywords = fields.list("keywords").join(", ");
    let glossary = (!keywords.is_empty()).then(|| format!("Glossary: {keywords}."));
    let given = fields.text("prompt").map(|text| text.trim().to_owned());
    let whole = [given, glossary].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let surplus = whole.chars().count().saturating_sub(MAX_PROMPT);
    Some(whole.chars().skip(surplus).collect()).filter(|text: &String| !text.is_empty())
}

fn temperature(fields: &Fields) -> Result<Option<f64>> {
    let temperature = fields.parsed::<f64>("temperature", "a number from 0 to 1")?;
    match temperature {
        Some(number) if !(0.0..=1.0).contains(&number) => {
            Err(wrong("temperature", "The temperature must be a number from 0 to 1", "0 is the usual one."))
        }
        usable => Ok(usable),
    }
}

fn wrong(field: &str, detail: impl Into<String>, hint: impl Into<String>) -> Error {
    Error::new(Code::InvalidValue, detail).with_hint(hint).with_field(field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Options;

    fn ask(given: &[(&str, &str)]) -> Result<Ask> {
        let given = given.iter().map(|(name, value)| (*name, Value::String((*value).to_owned())));
        Ask::read(&Fields::of(given), Goal::Transcribe)
    }

    fn options_of(given: &[(&str, &str)]) -> Options {
        Options::from_json(&ask(given).unwrap().submission.options).unwrap()
    }

    #[test]
    fn nothing_but_the_usual() {
        let asked = ask(&[("model", "whisper-1"), ("prompt", ""), ("language", "")]).unwrap();
        let usual = Wanted {
            goal: Goal::Transcribe,
            format: Format::Json,
            words: false,
            segments: false,
            logprobs: false,
            stream: false,
        };
        assert_eq!((asked.wanted, asked.model()), (usual, "whisper-1"));
        assert_eq!(Value::Object(asked.submission.options), json!({"model": "whisper-1"}));
        assert_eq!(asked.submission.priority, Some(Priority::High));
    }

    #[test]
    fn every_field_becomes_an_option() {
        let options = options_of(&[
            ("model", " base "),
            ("languages[]", "en"),
            ("languages[]", "zh"),
            ("keywords[]", "trawl"),
            ("keywords[]", "whisper"),
            ("prompt", " A talk. "),
            ("temperature", "0.2"),
            ("hotwords", "net, fish"),
            ("vad_filter", "false"),
            ("zh_variant", "TW"),
            ("chunking_strategy", "auto"),
        ]);
        assert_eq!(options.initial_prompt.as_deref(), Some("A talk. Glossary: trawl, whisper."));
        assert_eq!((options.languages, options.temperature.0), (vec!["en".to_owned(), "zh".to_owned()], vec![0.2]));
        assert_eq!((options.hotwords.as_deref(), options.vad), (Some("net, fish"), false));
        assert_eq!((options.zh, options.model.as_deref()), (crate::domain::Zh::Tw, Some("base")));
        assert_eq!(options_of(&[("temperature", "0")]).temperature, Options::default().temperature);
    }

    #[test]
    fn of_a_long_prompt_the_end_is_heard() {
        let long = "字".repeat(5_000);
        let options = options_of(&[("prompt", &long), ("keywords", "trawl")]);
        let prompt = options.initial_prompt.unwrap();
        assert!(prompt.ends_with("字 Glossary: trawl.") && prompt.chars().count() == MAX_PROMPT);
    }

    #[test]
    fn granularities_come_in_every_way() {
        let wanted = |given: &[(&str, &str)]| {
            let asked = ask(&[&[("response_format", "verbose_json")], given].concat()).unwrap();
            let words = asked.submission.options.get("word_timestamps").is_some();
            assert_eq!(words, asked.wanted.words || asked.wanted.logprobs);
            (asked.wanted.words, asked.wanted.segments)
        };
        let name = "timestamp_granularities[]";
        assert_eq!(wanted(&[]), (false, true));
        assert_eq!(wanted(&[(name, "word")]), (true, false));
        assert_eq!(wanted(&[(name, "word"), (name, "segment")]), (true, true));
        assert_eq!(wanted(&[("timestamp_granularities", "[\"segment\", \"word\"]")]), (true, true));
        assert_eq!(wanted(&[("timestamp_granularities", "segment")]), (false, true));
        let srt = ask(&[("response_format", "srt"), (name, "word")]).unwrap();
        assert!(!srt.wanted.words && !srt.submission.options.contains_key("word_timestamps"));
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for (name, value, field) in [
            ("response_format", "xml", "response_format"),
            ("temperature", "1.5", "temperature"),
            ("temperature", "nan", "temperature"),
            ("temperature", "hot", "temperature"),
            ("timestamp_granularities[]", "line", "timestamp_granularities[]"),
            ("include[]", "item", "include[]"),
            ("stream", "perhaps", "stream"),
            ("priority", "urgent", "priority"),
            ("vad_filter", "2", "vad_filter"),
            ("chunking_strategy", "manual", "chunking_strategy"),
        ] {
            let error = ask(&[(name, value)]).unwrap_err();
            assert_eq!((error.code, error.field.as_deref()), (Code::InvalidValue, Some(field)), "{name}={value}");
        }
        let error = ask(&[("response_format", "diarized_json")]).unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (Code::DiarizationUnavailable, Some("response_format")));
        assert!(ask(&[("stream", ""), ("temperature", ""), ("response_format", "")]).is_ok());
    }

    #[test]
    fn log_probabilities_need_words() {
        let asked = ask(&[("include[]", "logprobs")]).unwrap();
        assert!(asked.wanted.logprobs && asked.submission.options["word_timestamps"] == true);
        assert!(!ask(&[("include[]", "logprobs"), ("response_format", "text")]).unwrap().wanted.logprobs);
    }
}
