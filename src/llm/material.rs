//! What a model is given, and in which parts.

use std::ops::Range;

use serde_json::Value;

use super::{
    pieces::{pack, split},
    prompt::Reads,
    tokens::estimate,
};
use crate::{
    error::{Code, Error, Result},
    workflow::kinds::llm::{Timed, With},
};

/// The most parts of one text: more are hardly meant.
const MAX_PARTS: usize = 200;

/// What a model is given.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Material {
    /// A text.
    Text(String),
    /// Lines that begin with their time.
    Times(Vec<Timed>),
    /// Segments, each to be answered.
    Segments(Vec<Timed>),
}

impl Material {
    /// The material of a step. `reads` is what its prompt wants; a step without one takes what it is given.
    pub(super) fn of(with: &mut With, reads: Option<Reads>) -> Result<Self> {
        let wrong = |field: &str, why: &str| Err(Error::new(Code::InvalidValue, why).with_field(field));
        match (with.input.take().filter(|input| !input.is_null()), with.segments.take(), reads) {
            (Some(_), Some(_), _) => wrong("segments", "A step takes `input` or `segments`, not both"),
            (None, None, _) => wrong("input", "There is neither `input` nor `segments`"),
            (Some(_), None, Some(Reads::Times)) => {
                wrong("segments", "This prompt needs `segments`: it works with times")
            }
            (None, Some(segments), _) if segments.iter().any(|one| one.start > one.end) => {
                wrong("segments", "A segment ends before it starts")
            }
            (None, Some(segments), Some(Reads::Segments)) => Ok(Self::Segments(segments)),
            (None, Some(segments), Some(Reads::Times) | None) => Ok(Self::Times(segments)),
            (None, Some(segments), Some(Reads::Text)) => Ok(Self::Text(lines(&segments))),
            (Some(Value::String(text)), None, _) => Ok(Self::Text(text)),
            (Some(json), None, _) => Ok(Self::Text(format!("{json:#}"))),
        }
    }

    /// Whether there is nothing in it to ask about.
    pub(super) fn is_blank(&self) -> bool {
        match self {
            Self::Text(text) => text.trim().is_empty(),
            Self::Times(segments) | Self::Segments(segments) => segments.iter().all(|one| one.text.trim().is_empty()),
        }
    }

    /// The texts to send: one where everything fits into `room` tokens, unless smaller parts are asked for.
    pub(super) fn parts(&self, room: usize, asked: Option<usize>, overlap: usize) -> Result<Vec<String>> {
        let max = asked.unwrap_or(room).min(room);
        let overlap = overlap.min(max / 2);
        let parts: Vec<String> = match self {
            Self::Text(text) => split(text, max, overlap).into_iter().map(str::to_owned).collect(),
            Self::Times(segments) | Self::Segments(segments) => {
                let lines: Vec<String> = segments.iter().filter(|one| !one.text.trim().is_empty()).map(timed).collect();
                packed(&lines, max, overlap)?.into_iter().map(|part| lines[part].concat()).collect()
            }
        };
        few(parts)
    }

    /// The times at which something begins.
    pub(super) fn starts(&self) -> Vec<f64> {
        match self {
            Self::Text(_) => Vec::new(),
            Self::Times(segments) | Self::Segments(segments) => segments.iter().map(|one| one.start).collect(),
        }
    }
}

/// Lines of text in parts. Fails when a line is too long for any.
pub(super) fn packed(lines: &[String], max: usize, overlap: usize) -> Result<Vec<Range<usize>>> {
    let sizes: Vec<usize> = lines.iter().map(|line| estimate(line)).collect();
    if let Some(largest) = sizes.iter().max().filter(|size| **size > max) {
        let detail = format!("A segment has some {largest} tokens, and a part has room for {max}");
        return Err(Error::new(Code::TooLarge, detail).with_hint(
            "Raise `llm.context_tokens`, or `llm.max_output_tokens` for translations, if the model can hold more.",
        ));
    }
    few(pack(&sizes, max, overlap))
}

/// Refuses what nobody has meant to send.
fn few<T>(parts: Vec<T>) -> Result<Vec<T>> {
    if parts.len() > MAX_PARTS {
        let detail = format!("The text has to be sent in {} parts, and {MAX_PARTS} are allowed", parts.len());
        return Err(Error::new(Code::TooLarge, detail)
            .with_hint("Raise `llm.context_tokens` if the model can hold more, or ask one with a larger context."));
    }
    Ok(parts)
}

/// Segments as text, one on each line.
pub(super) fn lines(segments: &[Timed]) -> String {
    segments.iter().map(|one| line(&one.text)).collect::<Vec<_>>().join("\n")
}

fn timed(segment: &Timed) -> String {
    format!("[{:.2}] {}\n", segment.start, line(&segment.text))
}

/// A text as one line.
pub(super) fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn segments(texts: &[&str]) -> Vec<Timed> {
        let one = |(id, text): (usize, &&str)| Timed {
            id,
            start: id as f64 * 1.5,
            end: id as f64 + 1.5,
            text: (*text).to_owned(),
        };
        texts.iter().enumerate().map(one).collect()
    }

    fn of(with: Value, reads: Option<Reads>) -> Result<Material> {
        Material::of(&mut serde_json::from_value(with).unwrap(), reads)
    }

    #[test]
    fn prompts_are_given_what_they_read() {
        let spoken = json!({"segments": [{"start": 1, "end": 2, "text": "a\nb"}, {"start": 2.5, "end": 3, "text": "c", "words": []}]});
        assert_eq!(of(spoken.clone(), Some(Reads::Text)).unwrap(), Material::Text("a b\nc".to_owned()));
        let times = of(spoken.clone(), None).unwrap();
        assert_eq!(times.parts(100, None, 0).unwrap(), ["[1.00] a b\n[2.50] c\n"]);
        assert_eq!(times.starts(), [1.0, 2.5]);
        assert!(matches!(of(spoken, Some(Reads::Segments)).unwrap(), Material::Segments(_)));
        assert_eq!(of(json!({"input": "x"}), Some(Reads::Segments)).unwrap(), Material::Text("x".to_owned()));
        assert_eq!(of(json!({"input": {"a": 1}}), None).unwrap(), Material::Text("{\n  \"a\": 1\n}".to_owned()));
        for (bad, reads) in [
            (json!({}), None),
            (json!({"input": null}), None),
            (json!({"input": "x", "segments": []}), None),
            (json!({"input": "x"}), Some(Reads::Times)),
            (json!({"segments": [{"start": 2, "end": 1, "text": "x"}]}), None),
        ] {
            assert_eq!(of(bad.clone(), reads).unwrap_err().code, Code::InvalidValue, "{bad}");
        }
    }

    #[test]
    fn parts_are_as_small_as_asked_for_and_never_larger_than_the_room() {
        let times = Material::Times(segments(&["one two three", "four five six", " ", "seven eight nine"]));
        assert_eq!(times.parts(1000, None, 0).unwrap().len(), 1);
        assert_eq!(times.parts(1000, Some(10), 0).unwrap().len(), 3);
        assert_eq!(times.parts(10, Some(1000), 0).unwrap().len(), 3);
        assert_eq!(times.parts(3, None, 0).unwrap_err().code, Code::TooLarge);
        let text = Material::Text("So it is. ".repeat(2000));
        assert_eq!(text.parts(10, None, 0).unwrap_err().code, Code::TooLarge);
        assert!(Material::Text(" \n".to_owned()).is_blank() && Material::Times(segments(&["", " "])).is_blank());
    }
}
