use serde_json::json;

use super::*;

fn read(value: Value) -> Result<Options> {
    Options::from_json(value.as_object().unwrap())
}

#[test]
fn nothing_is_the_default() {
    assert_eq!(read(json!({})).unwrap(), Options::default());
    assert_eq!(read(json!({"language": "auto", "model": "", "beam_size": null})).unwrap(), Options::default());
    assert_eq!(read(json!({"temperature": 0})).unwrap(), Options::default());
    Options::default().check_together().unwrap();
    for (name, _) in RULES {
        Options::default().check(name).unwrap();
    }
}

#[test]
fn every_option_has_a_rule() {
    let Value::Object(fields) = serde_json::to_value(Options::default()).unwrap() else { panic!() };
    let mut known = RULES.map(|(name, _)| name);
    known.sort_unstable();
    let mut fields: Vec<_> = fields.keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(known.as_slice(), fields);
}

#[test]
fn every_value_reads_back() {
    let given = json!({
        "model": "base", "language": "EN ", "languages": ["en", " ZH"], "task": "translate", "temperature": [0.3, 0.0],
        "beam_size": 1, "best_of": 8, "patience": 1, "compression_ratio_threshold": 3, "logprob_threshold": -2.5,
        "no_speech_threshold": 1, "condition_on_previous_text": true, "initial_prompt": "x", "hotwords": ["a", "b"],
        "word_timestamps": true, "prepend_punctuations": "", "append_punctuations": "!", "clip_timestamps": "0, 1.5,3",
        "hallucination_silence_threshold": 2, "suppress_non_speech": true, "vad": false, "vad_threshold": 0.4,
        "vad_min_speech_ms": 0, "vad_min_silence_ms": 10, "vad_pad_ms": 0, "split": "sequential", "threads": 2,
        "zh": "tw", "no_cache": true, "use_platform_subtitles": "prefer", "background_music": true,
        "identity": "me",
    });
    let options = read(given).unwrap();
    assert_eq!(
        (options.hotwords.as_deref(), options.clip_timestamps.0.as_slice()),
        (Some("a, b"), &[0.0, 1.5, 3.0][..])
    );
    assert_eq!(options.languages, ["en", "zh"]);
    let json = serde_json::to_value(&options).unwrap();
    assert_eq!(read(json.as_object().unwrap().clone().into()).unwrap(), options);
    assert_eq!(read(json!({"temperature": 0.4})).unwrap().temperature.0, [0.4]);
    assert_eq!(read(json!({"temperature": [0]})).unwrap().temperature.0, [0.0]);
}

#[test]
fn wrong_names_and_values_are_told() {
    let error = read(json!({"langauge": "en"})).unwrap_err();
    assert_eq!((error.code, error.hint.as_str()), (Code::UnknownField, "Did you mean \"language\"?"));
    for bad in [
        json!({"temperature": 1.5}),
        json!({"temperature": "hot"}),
        json!({"temperature": []}),
        json!({"temperature": [0.0, 2.0]}),
        json!({"beam_size": 0}),
        json!({"beam_size": 11}),
        json!({"beam_size": 300}),
        json!({"best_of": 9}),
        json!({"patience": 2}),
        json!({"compression_ratio_threshold": 0.5}),
        json!({"logprob_threshold": 1}),
        json!({"no_speech_threshold": -0.1}),
        json!({"condition_on_previous_text": "maybe"}),
        json!({"task": "sing"}),
        json!({"language": 5}),
        json!({"languages": "en"}),
        json!({"initial_prompt": "x".repeat(4_001)}),
        json!({"hotwords": [["a"]]}),
        json!({"hotwords": "x".repeat(1_001)}),
        json!({"prepend_punctuations": "x".repeat(101)}),
        json!({"clip_timestamps": [3, 1]}),
        json!({"clip_timestamps": [-1, 1]}),
        json!({"clip_timestamps": "a,b"}),
        json!({"clip_timestamps": "nan"}),
        json!({"hallucination_silence_threshold": 0}),
        json!({"vad_threshold": 1}),
        json!({"vad_min_speech_ms": -5}),
        json!({"vad_min_silence_ms": 10_001}),
        json!({"vad_pad_ms": 2_001}),
        json!({"split": "half"}),
        json!({"threads": 0}),
        json!({"zh": "klingon"}),
        json!({"no_cache": 1}),
        json!({"use_platform_subtitles": true}),
        json!({"use_platform_subtitles": "always"}),
        json!({"background_music": "loud"}),
        json!({"identity": "x".repeat(65)}),
    ] {
        let error = read(bad.clone()).unwrap_err();
        assert_eq!(error.code, Code::InvalidValue, "{bad}");
        let name = bad.as_object().unwrap().keys().next().unwrap();
        assert_eq!(error.field.as_ref(), Some(name), "{bad}");
        assert!(error.detail.starts_with(&format!("Option \"{name}\" must be ")), "{}", error.detail);
    }
    let error = read(json!({"split": "parallel", "condition_on_previous_text": true})).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("split"));
}
