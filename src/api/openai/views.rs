//! What the contract's JSON answers hold.

use poem_openapi::Object;

use super::{
    ask::Wanted,
    logprobs::{Logprob, logprobs},
};
use crate::{
    domain::{self, Transcript, options::Goal},
    transcribe::language,
};

/// The text. / 文字。
#[derive(Debug, Object)]
#[oai(rename = "OpenAiText", skip_serializing_if_is_none)]
pub(super) struct Text {
    /// The whole text.
    text: String,
    /// The language that was heard; empty when nobody spoke.
    languages: Vec<Heard>,
    /// With `include[]=logprobs`: how sure the model is of each word.
    logprobs: Option<Vec<Logprob>>,
    /// What it took.
    usage: Usage,
}

/// A language. / 语言。
#[derive(Debug, Object)]
#[oai(rename = "OpenAiLanguage")]
pub(super) struct Heard {
    /// Its code.
    code: String,
}

/// What a request took. / 用量。
#[derive(Debug, Object)]
#[oai(rename = "OpenAiUsage")]
pub(super) struct Usage {
    /// `duration`.
    #[oai(rename = "type")]
    kind: String,
    /// Seconds of audio, rounded up.
    seconds: u64,
}

/// The text with its times. / 带时间的文字。
#[derive(Debug, Object)]
#[oai(rename = "OpenAiVerbose", skip_serializing_if_is_none)]
pub(super) struct Verbose {
    /// `transcribe` or `translate`.
    task: String,
    /// The English name of the text's language, such as `english`; empty when nobody spoke.
    language: String,
    /// The audio's length in seconds.
    duration: f64,
    /// The whole text.
    text: String,
    /// With the granularity `word`: every word.
    words: Option<Vec<Word>>,
    /// With the granularity `segment`, or without any: every segment.
    segments: Option<Vec<Segment>>,
    /// What it took.
    usage: Usage,
}

/// A segment. / 片段。
#[derive(Debug, Object)]
#[oai(rename = "OpenAiSegment")]
struct Segment {
    /// 0, 1, 2, …
    id: usize,
    /// Where it starts, in hundredths of a second.
    seek: u64,
    /// Start in seconds.
    start: f64,
    /// End in seconds.
    end: f64,
    /// The text.
    text: String,
    /// The text's token ids.
    tokens: Vec<i32>,
    /// The temperature that it was decoded at.
    temperature: f64,
    /// Mean log-probability of the tokens.
    avg_logprob: f64,
    /// Length of the text over its compressed length.
    compression_ratio: f64,
    /// How likely the model thinks that nobody speaks.
    no_speech_prob: f64,
}

/// A word. / 词。
#[derive(Debug, Object)]
#[oai(rename = "OpenAiWord")]
struct Word {
    /// The word with its punctuation.
    word: String,
    /// Start in seconds.
    start: f64,
    /// End in seconds.
    end: f64,
}

impl Text {
    /// The answer `json`.
    pub(super) fn new(transcript: &Transcript, wanted: &Wanted) -> Self {
        Self {
            languages: heard(transcript, wanted),
            logprobs: wanted.logprobs.then(|| logprobs(&transcript.text, &words_of(transcript))),
            usage: Usage::of(transcript),
            text: transcript.text.clone(),
        }
    }

    /// The members of the event that ends a stream, whose deltas were `text`.
    pub(super) fn of_stream(transcript: &Transcript, wanted: &Wanted, text: String) -> Self {
        let logprobs = wanted.logprobs.then(|| logprobs(&text, &words_of(transcript)));
        Self { text, logprobs, languages: heard(transcript, wanted), usage: Usage::of(transcript) }
    }
}

impl Verbose {
    /// The answer `verbose_json`.
    pub(super) fn new(transcript: &Transcript, wanted: &Wanted) -> Self {
        let words = || transcript.segments.iter().flat_map(|segment| &segment.words).map(Word::from).collect();
        Self {
            task: match wanted.goal {
                Goal::Transcribe => "transcribe",
                Goal::Translate => "translate",
            }
            .to_owned(),
            language: language::name(code(transcript, wanted)).unwrap_or_default().to_owned(),
            duration: transcript.duration,
            text: transcript.text.clone(),
            words: wanted.words.then(words),
            segments: wanted.segments.then(|| transcript.segments.iter().map(Segment::from).collect()),
            usage: Usage::of(transcript),
        }
    }
}

impl Usage {
    fn of(transcript: &Transcript) -> Self {
        Self { kind: "duration".to_owned(), seconds: transcript.duration.max(0.0).ceil() as u64 }
    }
}

impl From<&domain::Segment> for Segment {
    fn from(segment: &domain::Segment) -> Self {
        Self {
            id: segment.id,
            seek: (segment.start.max(0.0) * 100.0).floor() as u64,
            start: segment.start,
            end: segment.end,
            text: segment.text.clone(),
            tokens: segment.tokens.clone(),
            temperature: plain(segment.temperature),
            avg_logprob: plain(segment.avg_logprob),
            compression_ratio: plain(segment.compression_ratio),
            no_speech_prob: plain(segment.no_speech_prob),
        }
    }
}

impl From<&domain::Word> for Word {
    fn from(word: &domain::Word) -> Self {
        Self { word: word.word.clone(), start: word.start, end: word.end }
    }
}

/// The words of all segments.
fn words_of(transcript: &Transcript) -> Vec<&domain::Word> {
    transcript.segments.iter().flat_map(|segment| &segment.words).collect()
}

/// The code of the text's language; empty when nobody spoke.
fn code<'a>(transcript: &'a Transcript, wanted: &Wanted) -> &'a str {
    match wanted.goal {
        Goal::Translate if !transcript.language.is_empty() => "en",
        _ => &transcript.language,
    }
}

fn heard(transcript: &Transcript, wanted: &Wanted) -> Vec<Heard> {
    let code = Some(code(transcript, wanted)).filter(|code| !code.is_empty());
    code.map(|code| Heard { code: code.to_owned() }).into_iter().collect()
}

/// A number with the digits that it has, and no more.
pub(super) fn plain(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}

#[cfg(test)]
pub(super) mod tests {
    use poem_openapi::types::ToJSON;
    use serde_json::{Value, json};

    use super::*;
    use crate::api::openai::ask::Format;

    pub(in crate::api::openai) fn wanted(format: Format) -> Wanted {
        Wanted { goal: Goal::Transcribe, format, words: false, segments: true, logprobs: false, stream: false }
    }

    pub(in crate::api::openai) fn transcript() -> Transcript {
        let word = |word: &str, start: f64, probability: f32| domain::Word {
            word: word.to_owned(),
            start,
            end: start + 0.5,
            probability,
        };
        let segment = |id: usize, start: f64, text: &str, words| domain::Segment {
            id,
            start,
            end: start + 1.0,
            text: text.to_owned(),
            avg_logprob: -0.1,
            temperature: 0.2,
            tokens: vec![7, 9],
            words,
            compression_ratio: 1.5,
            no_speech_prob: 0.25,
        };
        Transcript {
            text: "One two. Three.".to_owned(),
            language: "en".to_owned(),
            duration: 2.2,
            segments: vec![
                segment(0, 0.0, "One two.", vec![word("One", 0.0, 1.0), word("two.", 0.5, 0.5)]),
                segment(1, 1.25, "Three.", vec![word("Three.", 1.25, 0.25)]),
            ],
            ..Transcript::default()
        }
    }

    #[test]
    fn the_plain_answer() {
        let answer = Text::new(&transcript(), &wanted(Format::Json)).to_json().unwrap();
        let whole = json!({"text": "One two. Three.", "languages": [{"code": "en"}], "usage": {"type": "duration", "seconds": 3}});
        assert_eq!(answer, whole);
        let silence = Text::new(&Transcript::default(), &wanted(Format::Json)).to_json().unwrap();
        assert_eq!(silence, json!({"text": "", "languages": [], "usage": {"type": "duration", "seconds": 0}}));
        let sure = Text::new(&transcript(), &Wanted { logprobs: true, ..wanted(Format::Json) }).to_json().unwrap();
        assert_eq!(sure["logprobs"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn the_verbose_answer_has_all_members() {
        let answer = Verbose::new(&transcript(), &wanted(Format::Verbose)).to_json().unwrap();
        let head = |name: &str| answer[name].clone();
        assert_eq!(
            (head("task"), head("language"), head("duration")),
            (json!("transcribe"), json!("english"), json!(2.2))
        );
        let second = json!({"id": 1, "seek": 125, "start": 1.25, "end": 2.25, "text": "Three.", "tokens": [7, 9],
            "temperature": 0.2, "avg_logprob": -0.1, "compression_ratio": 1.5, "no_speech_prob": 0.25});
        assert_eq!(answer["segments"][1], second);
        assert_eq!(answer.get("words"), None);
        let words = Wanted { words: true, segments: false, ..wanted(Format::Verbose) };
        let answer = Verbose::new(&transcript(), &words).to_json().unwrap();
        assert_eq!(answer.get("segments"), None);
        assert_eq!(answer["words"][1], json!({"word": "two.", "start": 0.5, "end": 1.0}));
        assert_eq!(answer["words"].as_array().map(Vec::len), Some(3));
    }

    #[test]
    fn a_translation_is_english() {
        let chinese = Transcript { language: "zh".to_owned(), ..transcript() };
        let translation = Wanted { goal: Goal::Translate, ..wanted(Format::Verbose) };
        let answer = Verbose::new(&chinese, &translation).to_json().unwrap();
        assert_eq!((&answer["task"], &answer["language"]), (&json!("translate"), &json!("english")));
        assert_eq!(Verbose::new(&chinese, &wanted(Format::Verbose)).language, "chinese");
        assert_eq!(Verbose::new(&Transcript::default(), &translation).to_json().unwrap()["language"], Value::from(""));
    }
}
