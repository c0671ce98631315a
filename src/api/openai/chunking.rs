//! `chunking_strategy`: how speech is found. It comes as `auto`, as JSON, or with its members as fields of their own.

use serde_json::{Map, Value, json};

use crate::{
    api::facade::Fields,
    error::{Code, Error, Result},
};

const NAME: &str = "chunking_strategy";

/// What `server_vad` means where it says nothing more, in milliseconds.
const PADDING: f64 = 300.0;
const SILENCE: f64 = 200.0;
/// The same for the score from which on a frame is speech.
const THRESHOLD: f64 = 0.5;

/// The options that come of it; none when it is not there or leaves the choice to us.
pub(super) fn options(fields: &Fields) -> Result<Map<String, Value>> {
    let mut members = match fields.value(NAME) {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(members)) => members.clone(),
        Some(other) => match other.as_str().map(str::trim) {
            Some("" | "auto" | "null") => Map::new(),
            Some(text) => serde_json::from_str(text).map_err(|_| wrong())?,
            None => return Err(wrong()),
        },
    };
    for member in ["type", "prefix_padding_ms", "silence_duration_ms", "threshold"] {
        if let Some(value) = fields.value(&format!("{NAME}[{member}]")) {
            members.insert(member.to_owned(), value.clone());
        }
    }
    match members.get("type").map(|kind| kind.as_str()) {
        None if members.is_empty() => return Ok(Map::new()),
        Some(Some("auto")) => return Ok(Map::new()),
        Some(Some("server_vad")) => {}
        _ => return Err(wrong()),
    }
    let number = |member: &str, usual: f64, least: f64, most: f64| {
        let number = match members.get(member) {
            None | Some(Value::Null) => Some(usual),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(other) => other.as_f64(),
        };
        // What lies beyond our range asks for its end.
        number
            .filter(|number| number.is_finite() && *number >= 0.0)
            .map(|number| number.clamp(least, most))
            .ok_or_else(wrong)
    };
    let options = json!({
        "vad": true,
        "vad_pad_ms": number("prefix_padding_ms", PADDING, 0.0, 2_000.0)?.round() as u64,
        "vad_min_silence_ms": number("silence_duration_ms", SILENCE, 0.0, 10_000.0)?.round() as u64,
        "vad_threshold": number("threshold", THRESHOLD, 0.05, 0.95)?,
    });
    match options {
        Value::Object(options) => Ok(options),
        _ => Err(wrong()),
    }
}

fn wrong() -> Error {
    let hint = "Send \"auto\", or the type \"server_vad\" with prefix_padding_ms, silence_duration_ms and threshold.";
    Error::new(Code::InvalidValue, "The chunking strategy is none that is known").with_hint(hint).with_field(NAME)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Options;

    fn of(given: &[(&'static str, Value)]) -> Result<Value> {
        options(&Fields::of(given.iter().cloned())).map(Value::Object)
    }

    #[test]
    fn it_comes_in_many_ways() {
        let usual = json!({"vad": true, "vad_pad_ms": 300, "vad_min_silence_ms": 200, "vad_threshold": 0.5});
        for nothing in [json!("auto"), json!(""), json!(null), json!({"type": "auto"}), json!("{\"type\": \"auto\"}")] {
            assert_eq!(of(&[(NAME, nothing.clone())]).unwrap(), json!({}), "{nothing}");
        }
        assert_eq!(of(&[]).unwrap(), json!({}));
        assert_eq!(of(&[(NAME, json!({"type": "server_vad"}))]).unwrap(), usual);
        assert_eq!(of(&[("chunking_strategy[type]", json!("server_vad"))]).unwrap(), usual);
        let flat = [
            ("chunking_strategy[type]", json!("server_vad")),
            ("chunking_strategy[prefix_padding_ms]", json!("9000")),
            ("chunking_strategy[silence_duration_ms]", json!("500")),
            ("chunking_strategy[threshold]", json!("0")),
        ];
        let set = json!({"vad": true, "vad_pad_ms": 2000, "vad_min_silence_ms": 500, "vad_threshold": 0.05});
        assert_eq!(of(&flat).unwrap(), set);
        Options::from_json(set.as_object().unwrap()).unwrap();
        assert_eq!(
            of(&[(NAME, json!("{\"type\":\"server_vad\",\"threshold\":0.25}"))]).unwrap()["vad_threshold"],
            0.25
        );
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for wrong in [
            json!("manual"),
            json!("{"),
            json!(5),
            json!({"type": "x"}),
            json!({"threshold": 1}),
            json!({"type": "server_vad", "threshold": "high"}),
            json!({"type": "server_vad", "threshold": -1}),
        ] {
            assert_eq!(of(&[(NAME, wrong.clone())]).unwrap_err().field.as_deref(), Some(NAME), "{wrong}");
        }
    }
}
