//! A server's answer read. Pure. Everything in it may be wrong, missing or meant to harm.
//!
//! Understood are `verbose_json` of OpenAI (words beside the segments, languages by name), of faster-whisper's servers
//! (words inside segments), of whisper.cpp's server (tokens for words, no `no_speech_prob`), of LocalAI (no words, older
//! ones with times in nanoseconds), and a bare `{"text"}`. Callers may rely on: times are finite, inside the piece and
//! do not run backwards; texts are clean and not blank; words keep the rules of [`words`].

use serde_json::Value;

use super::spread::{Part, spread};
use crate::{
    domain::Segment,
    transcribe::{
        language::language,
        text,
        words::{self, Marks},
    },
};

/// Larger numbers are nanoseconds: no piece lasts eleven days.
const NANOSECONDS: f64 = 1e6;

/// The most that anybody says in a second, in characters, in words or segments, and in commas and brackets of JSON; fast
/// Chinese is some 10 characters, and tokens with all that servers tell of them some 250 commas and brackets.
const CHARACTERS: f64 = 100.0;
const OBJECTS: f64 = 100.0;
const MARKS: f64 = 600.0;
/// What a short piece may have beyond that, of characters and objects, and of marks.
const SPARE: usize = 1_000;
const SPARE_MARKS: usize = 20_000;
/// The same in bytes.
const BYTES: f64 = 16_384.0;
const SPARE_BYTES: usize = 256 * 1024;
/// The longest answer in bytes; a transcript of an hour with words has about two megabytes.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// The longest answer for a piece of `length` seconds, in bytes.
pub(super) fn longest(length: f64) -> usize {
    most(SPARE_BYTES, BYTES, length).min(MOST_BYTES)
}

fn most(spare: usize, each: f64, length: f64) -> usize {
    spare.saturating_add((each * length.max(0.0)) as usize)
}

/// Why an answer gives nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is no transcript.
    Rubbish,
    /// Nobody says so much in that time.
    TooMuch,
}

/// What a server heard.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Heard {
    /// With times from the piece's start. Ids are not set.
    pub segments: Vec<Segment>,
    /// The language's code, when the server names one that is known.
    pub language: Option<&'static str>,
    /// How sure it is, when it says so.
    pub language_probability: Option<f32>,
    /// Whether there is text, but nothing that says when.
    pub is_timeless: bool,
    /// Whether words were left out because they do not spell the text.
    pub is_misspelt: bool,
}

/// Reads the answer for a piece of `length` seconds, `marks` hanging on words. It takes time in proportion to the answer,
/// and memory of a few times the longest one that is allowed.
pub(super) fn read(body: &[u8], length: f64, marks: &Marks<'_>) -> Result<Heard, Unread> {
    let (objects, commas) = census(body);
    if objects > most(SPARE, OBJECTS, length) || commas > most(SPARE_MARKS, MARKS, length) {
        return Err(Unread::TooMuch);
    }
    let value: Value = serde_json::from_slice(body).map_err(|_| Unread::Rubbish)?;
    let segments = list(&value, "segments");
    let whole = clean(value.get("text"));
    if value.get("text").is_none_or(|text| !text.is_string()) && segments.is_none() {
        return Err(Unread::Rubbish);
    }
    let texts = segments.unwrap_or_default().iter().filter_map(|segment| segment.get("text")?.as_str());
    let said: usize = texts.map(|text| text.chars().count()).sum();
    if said.max(whole.chars().count()) > most(SPARE, CHARACTERS, length) {
        return Err(Unread::TooMuch);
    }
    let probability = ["language_probability", "detected_language_probability"];
    let mut heard = Heard {
        language: value.get("language").and_then(Value::as_str).and_then(|given| language(given).ok()),
        language_probability: probability.iter().find_map(|name| fraction(&value, name)),
        ..Heard::default()
    };
    let (segments, words) = (segments.unwrap_or_default(), list(&value, "words").unwrap_or_default());
    let scale = scale(segments.iter().chain(words));
    let clock = Clock { scale, length };
    let parts: Vec<Part> = words.iter().map(|word| clock.part(word)).collect();
    let found: Vec<&Value> = segments.iter().filter(|segment| !clean(segment.get("text")).is_empty()).collect();
    if found.is_empty() && !whole.is_empty() {
        heard.is_timeless = parts.iter().all(|part| part.start.is_none());
        let start = parts.iter().find_map(|part| part.start).unwrap_or(0.0);
        let end = parts.iter().rev().find_map(|part| part.end).unwrap_or(length).max(start);
        let mut segment =
            Segment { start, end, compression_ratio: text::compression_ratio(&whole), ..Segment::default() };
        segment.text = whole;
        heard.push(segment, &parts, marks);
        return Ok(heard);
    }
    heard.is_timeless = !found.is_empty() && found.iter().all(|segment| clock.time(segment, "start").is_none());
    let (mut earliest, mut used) = (0.0, 0);
    for (at, value) in found.iter().enumerate() {
        let next = found.get(at + 1).and_then(|next| clock.time(next, "start"));
        let segment = clock.segment(value, earliest, next);
        earliest = segment.end;
        let own = list(value, "words").unwrap_or_default();
        if own.is_empty() {
            let middle = |part: &Part| part.start.unwrap_or(0.0).midpoint(part.end.unwrap_or(length));
            let (left, is_last) = (&parts[used..], at + 1 == found.len());
            let count = left.iter().take_while(|part| is_last || middle(part) < next.unwrap_or(segment.end)).count();
            heard.push(segment, &left[..count], marks);
            used += count;
        } else {
            let own: Vec<Part> = own.iter().map(|word| clock.part(word)).collect();
            heard.push(segment, &own, marks);
        }
    }
    Ok(heard)
}

/// How many objects some JSON has at most, and how many commas and opening brackets, before any memory is spent on them.
fn census(body: &[u8]) -> (usize, usize) {
    let (mut objects, mut commas) = (0, 0);
    let (mut is_text, mut is_escaped) = (false, false);
    for byte in body {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_text,
            b'"' => is_text = !is_text,
            b'{' | b'[' | b',' if !is_text => {
                commas += 1;
                objects += usize::from(*byte == b'{');
            }
            _ => {}
        }
    }
    (objects, commas)
}

impl Heard {
    fn push(&mut self, mut segment: Segment, parts: &[Part], marks: &Marks<'_>) {
        if !parts.is_empty() {
            match spread(&segment.text, parts, segment.start, segment.end) {
                Some(tokens) => segment.words = words::merge(&tokens, marks, segment.start, segment.end),
                None => self.is_misspelt = true,
            }
        }
        self.segments.push(segment);
    }
}

/// How the server counts time, and how long the piece is.
struct Clock {
    scale: f64,
    length: f64,
}

impl Clock {
    /// A time inside the piece; none when it is missing or makes no sense.
    fn time(&self, value: &Value, name: &str) -> Option<f64> {
        let time = number(value, name)? / self.scale;
        (time >= 0.0).then(|| time.min(self.length))
    }

    fn segment(&self, value: &Value, earliest: f64, next: Option<f64>) -> Segment {
        let start = self.time(value, "start").unwrap_or(earliest).max(earliest);
        let end = self.time(value, "end").or(next).unwrap_or(self.length).max(start);
        let text = clean(value.get("text"));
        let small = |name: &str| number(value, name).map(|number| number as f32).filter(|number| number.is_finite());
        let tokens = list(value, "tokens").unwrap_or_default().iter();
        Segment {
            id: 0,
            start,
            end,
            avg_logprob: small("avg_logprob").unwrap_or_default().min(0.0),
            no_speech_prob: fraction(value, "no_speech_prob").unwrap_or_default(),
            compression_ratio: small("compression_ratio")
                .filter(|ratio| *ratio > 0.0)
                .unwrap_or_else(|| text::compression_ratio(&text)),
            temperature: small("temperature").unwrap_or_default().max(0.0),
            tokens: tokens.filter_map(|token| token.as_i64()?.try_into().ok()).collect(),
            text,
            words: Vec::new(),
        }
    }

    fn part(&self, value: &Value) -> Part {
        let text = value.get("word").or_else(|| value.get("text")).and_then(Value::as_str).unwrap_or_default();
        let probability = ["probability", "score"].iter().find_map(|name| fraction(value, name));
        Part {
            text: text::clean(text.as_bytes()),
            start: self.time(value, "start"),
            end: self.time(value, "end"),
            probability: probability.unwrap_or_default(),
        }
    }
}

/// What times are to be divided by.
fn scale<'a>(values: impl Iterator<Item = &'a Value>) -> f64 {
    let is_late = |value: &Value| ["start", "end"].iter().any(|name| number(value, name) > Some(NANOSECONDS));
    if values.into_iter().any(is_late) { 1e9 } else { 1.0 }
}

fn number(value: &Value, name: &str) -> Option<f64> {
    value.get(name)?.as_f64().filter(|number| number.is_finite())
}

/// A probability.
fn fraction(value: &Value, name: &str) -> Option<f32> {
    number(value, name).filter(|number| (0.0..=1.0).contains(number)).map(|number| number as f32)
}

fn list<'a>(value: &'a Value, name: &str) -> Option<&'a [Value]> {
    value.get(name)?.as_array().map(Vec::as_slice)
}

fn clean(value: Option<&Value>) -> String {
    text::clean(value.and_then(Value::as_str).unwrap_or_default().as_bytes())
}

#[cfg(test)]
mod tests;
