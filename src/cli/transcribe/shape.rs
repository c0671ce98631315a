//! What the flags of `trawl transcribe` ask for.

use serde_json::{Map, Value, json};

use super::TranscribeArgs;
use crate::{
    domain::{Options, Zh},
    error::{Code, Error, Result},
    subtitle::{Format, Layout},
};

/// The options of the transcription and the shape of its file, checked.
pub(in crate::cli) struct Shape {
    /// As a task takes them.
    pub(super) options: Map<String, Value>,
    pub(super) script: Zh,
    pub(super) format: Format,
    pub(super) layout: Layout,
}

impl Shape {
    /// Reads the flags; an error names what is wrong, as the API does.
    pub(in crate::cli) fn of(args: &TranscribeArgs) -> Result<Self> {
        let format = args.format.parse()?;
        let layout = Layout {
            max_chars: args.layout.max_chars,
            max_lines: args.layout.max_lines,
            max_seconds: args.layout.max_seconds,
            max_cps: args.layout.max_cps,
            words: args.layout.words,
        };
        layout.check()?;
        let options = options(args)?;
        let script = Options::from_json(&options)?.zh;
        Ok(Self { options, script, format, layout })
    }
}

/// A flag of its own wins over `--option`.
fn options(args: &TranscribeArgs) -> Result<Map<String, Value>> {
    // JSON has no word for these, and would leave them out.
    if args.temperature.is_some_and(|temperature| !temperature.is_finite()) {
        return Err(
            Error::new(Code::InvalidValue, "The temperature must be a number from 0 to 1").with_field("temperature")
        );
    }
    let mut options: Map<String, Value> = args.options.iter().map(|given| pair(given)).collect::<Result<_>>()?;
    let mut set = |name: &str, value: Value| {
        if !value.is_null() {
            options.insert(name.to_owned(), value);
        }
    };
    set("model", json!(args.model));
    set("language", json!(args.language));
    set("languages", json!((!args.languages.is_empty()).then_some(&args.languages)));
    set("initial_prompt", json!(args.initial_prompt));
    set("hotwords", json!(args.hotwords));
    set("temperature", json!(args.temperature));
    set("beam_size", json!(args.beam_size));
    // Words cannot be marked without their times.
    set("word_timestamps", json!((args.word_timestamps || args.layout.words).then_some(true)));
    set("vad", json!(args.no_vad.then_some(false)));
    set("split", json!(args.split));
    set("zh", json!(args.zh));
    set("task", json!(args.translate.then_some("translate")));
    Ok(options)
}

/// `NAME=VALUE`: the value is what it says as JSON, or else text.
fn pair(given: &str) -> Result<(String, Value)> {
    let Some((name, value)) = given.split_once('=') else {
        let detail = format!("\"{}\" is not an option with its value", given.escape_debug());
        return Err(Error::new(Code::InvalidValue, detail)
            .with_hint("Write it like --option beam_size=1.")
            .with_field("option"));
    };
    Ok((name.trim().to_owned(), serde_json::from_str(value).unwrap_or_else(|_| json!(value))))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: TranscribeArgs,
    }

    #[test]
    fn a_temperature_is_a_number() {
        let shape = |temperature: &str| {
            Shape::of(&Line::try_parse_from(["x", "a.mp3", "--temperature", temperature]).unwrap().args)
        };
        assert_eq!(shape("0.5").unwrap().options["temperature"], json!(0.5));
        for bad in ["nan", "inf", "1.5"] {
            let error = shape(bad).err().unwrap_or_else(|| panic!("{bad} is a temperature"));
            assert_eq!((error.code, error.field.as_deref()), (Code::InvalidValue, Some("temperature")), "{bad}");
        }
    }
}
