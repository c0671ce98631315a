//! What a server is asked: the form's fields, and the file.

use std::ops::Range;

use crate::{
    domain::{
        Options,
        options::{Goal, Ladder},
    },
    error::Result,
    net::FilePart,
    transcribe::{audio::wav_header, engine::Job, language::language},
};

/// The most bytes of the lines around a field: its boundary of some 80 bytes, and its header.
const BETWEEN: u64 = 256;

/// The path of the endpoint below the server's address.
pub(super) fn path(options: &Options) -> &'static str {
    match options.task {
        Goal::Transcribe => "/audio/transcriptions",
        Goal::Translate => "/audio/translations",
    }
}

/// The fields for a model by its name there. A plain server gives text without times.
pub(super) fn fields(model: &str, options: &Options, is_plain: bool) -> Result<Vec<(&'static str, String)>> {
    let format = if is_plain { "json" } else { "verbose_json" };
    let mut fields = vec![("model", model.to_owned()), ("response_format", format.to_owned())];
    if let Some(code) = asked(options)? {
        fields.push(("language", code.to_owned()));
    }
    let prompt = [&options.initial_prompt, &options.hotwords].map(|text| text.as_deref().unwrap_or_default());
    let prompt = prompt.join(" ");
    if !prompt.trim().is_empty() {
        fields.push(("prompt", prompt.trim().to_owned()));
    }
    if options.temperature != Ladder::default()
        && let Some(first) = options.temperature.0.first()
    {
        fields.push(("temperature", first.to_string()));
    }
    // The translations endpoint knows no granularities; segments are what it gives anyway.
    if options.task == Goal::Transcribe && !is_plain {
        fields.push(("timestamp_granularities[]", "segment".to_owned()));
        if options.word_timestamps {
            fields.push(("timestamp_granularities[]", "word".to_owned()));
        }
    }
    Ok(fields)
}

/// How many bytes fields take in a form, with the lines between them.
pub(super) fn size(fields: &[(&'static str, String)]) -> u64 {
    fields.iter().map(|(name, value)| name.len() as u64 + value.len() as u64 + BETWEEN).sum()
}

/// The language that is asked for, when there is only one to choose from.
pub(super) fn asked(options: &Options) -> Result<Option<&'static str>> {
    let only = match &options.languages[..] {
        [only] => Some(only),
        _ => None,
    };
    options.language.as_ref().or(only).map(|given| language(given)).transpose()
}

/// The given options that no server takes, by name.
pub(super) fn without_effect(options: &Options) -> Vec<&'static str> {
    let usual = Options::default();
    let is_long_ladder = options.temperature != usual.temperature && options.temperature.0.len() > 1;
    let translates = options.task == Goal::Translate;
    [
        ("languages", options.language.is_none() && options.languages.len() > 1),
        ("temperature (all but the first)", is_long_ladder),
        ("beam_size", options.beam_size != usual.beam_size),
        ("best_of", options.best_of != usual.best_of),
        ("compression_ratio_threshold", options.compression_ratio_threshold != usual.compression_ratio_threshold),
        ("logprob_threshold", options.logprob_threshold != usual.logprob_threshold),
        ("no_speech_threshold", options.no_speech_threshold != usual.no_speech_threshold),
        ("condition_on_previous_text", options.condition_on_previous_text != usual.condition_on_previous_text),
        ("word_timestamps", options.word_timestamps && translates),
        ("prepend_punctuations", options.prepend_punctuations != usual.prepend_punctuations),
        ("append_punctuations", options.append_punctuations != usual.append_punctuations),
        ("hallucination_silence_threshold", options.hallucination_silence_threshold.is_some()),
        ("suppress_non_speech", options.suppress_non_speech),
        ("split", options.split != usual.split),
        ("threads", options.threads.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, is_given)| is_given.then_some(name))
    .collect()
}

/// Some samples of a job's audio as a WAV file, read when it is sent.
pub(super) fn wav(job: &Job, samples: Range<u64>) -> FilePart {
    let bytes = samples.start * 2..samples.end * 2;
    FilePart {
        field: "file",
        name: "audio.wav",
        content_type: "audio/wav",
        head: wav_header(bytes.end - bytes.start).to_vec(),
        path: job.pcm.clone(),
        range: bytes,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn options(value: Value) -> Options {
        Options::from_json(value.as_object().unwrap()).unwrap()
    }

    #[test]
    fn options_become_fields() {
        let plain = fields("m", &Options::default(), false).unwrap();
        let usual = [("model", "m"), ("response_format", "verbose_json"), ("timestamp_granularities[]", "segment")];
        assert_eq!(plain, usual.map(|(name, value)| (name, value.to_owned())));
        let given = options(json!({
            "language": "Chinese", "initial_prompt": "A talk.", "hotwords": ["trawl", "net"], "temperature": [0.2, 0.4],
            "word_timestamps": true,
        }));
        let wanted = [
            ("model", "m"),
            ("response_format", "verbose_json"),
            ("language", "zh"),
            ("prompt", "A talk. trawl, net"),
            ("temperature", "0.2"),
            ("timestamp_granularities[]", "segment"),
            ("timestamp_granularities[]", "word"),
        ];
        assert_eq!(fields("m", &given, false).unwrap(), wanted.map(|(name, value)| (name, value.to_owned())));
        assert!(fields("m", &given, true).unwrap().iter().all(|(name, _)| !name.starts_with("timestamp")));
        assert_eq!(
            (path(&given), without_effect(&given)),
            ("/audio/transcriptions", vec!["temperature (all but the first)"])
        );
    }

    #[test]
    fn long_prompts_are_counted() {
        let given = options(json!({"initial_prompt": "山".repeat(4_000), "hotwords": "网".repeat(1_000)}));
        let size = size(&fields("m", &given, false).unwrap());
        assert!((15_001..17_000).contains(&size), "{size}");
        let given = options(json!({"initial_prompt": "𠀀".repeat(4_000), "hotwords": "𠀀".repeat(1_000)}));
        assert!(super::size(&fields("m", &given, false).unwrap()) > 20_000);
    }

    #[test]
    fn what_has_no_effect_is_named() {
        assert!(without_effect(&options(json!({"temperature": 0, "languages": ["zh"], "vad_pad_ms": 9}))).is_empty());
        assert_eq!(asked(&options(json!({"languages": ["zh"]}))).unwrap(), Some("zh"));
        let given = options(json!({
            "task": "translate", "languages": ["zh", "en"], "beam_size": 1, "word_timestamps": true, "threads": 2,
        }));
        assert_eq!(path(&given), "/audio/translations");
        assert_eq!(without_effect(&given), ["languages", "beam_size", "word_timestamps", "threads"]);
        assert!(fields("m", &given, false).unwrap().iter().all(|(name, _)| !name.starts_with("timestamp")));
    }
}
