//! What a transcript depends on besides the audio, as one short text: the key of the cache. Pure.

use sha2::{Digest, Sha256};

use crate::{
    domain::{
        Options,
        options::{PlatformSubtitles, Split, Zh},
    },
    error::{Code, Error, Result},
    transcribe::language::allowed,
};

/// Raised whenever the same options give another text: another whisper.cpp, other windows, other guards.
const RECIPE: u32 = 2;

/// The hash over all that decides what is heard: equal for equal results, as 64 hexadecimal digits. `engine` is the kind
/// of the engine, `file` the size of the model's file and its time in milliseconds, when it is here. What only decides
/// how fast it goes or how it is shown makes no difference.
pub fn recipe(engine: &str, model: &str, file: Option<(u64, u64)>, options: &Options) -> Result<String> {
    let languages = allowed(options)?;
    let options = Options {
        model: None,
        language: languages.given.map(str::to_owned),
        languages: languages.among.into_iter().map(str::to_owned).collect(),
        condition_on_previous_text: Some(options.is_conditioned()),
        split: Split::Auto,
        threads: None,
        zh: Zh::None,
        no_cache: false,
        use_platform_subtitles: PlatformSubtitles::Never,
        background_music: false,
        identity: None,
        ..options.clone()
    };
    // A list of fields in the order of their declaration, so equal options give equal text.
    let text = serde_json::to_string(&(RECIPE, engine, model, file, &options))
        .map_err(|error| Error::new(Code::Internal, "The options cannot be written as JSON").with_source(error))?;
    Ok(Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::{Value, json};

    use super::*;

    fn of(value: Value) -> String {
        let options = Options::from_json(value.as_object().unwrap()).unwrap();
        recipe("whisper.cpp", "base", Some((1, 2)), &options).unwrap()
    }

    #[test]
    fn the_same_result_has_the_same_recipe() {
        let usual = of(json!({}));
        assert_eq!((usual.len(), usual.chars().all(|c| c.is_ascii_hexdigit())), (64, true));
        for same in [
            json!({"model": "turbo"}),
            json!({"zh": "hans", "no_cache": true, "threads": 3, "split": "parallel"}),
            json!({"use_platform_subtitles": "fallback", "background_music": true, "identity": "me"}),
            json!({"temperature": 0, "language": "auto"}),
            json!({"split": "sequential", "condition_on_previous_text": false}),
        ] {
            assert_eq!(of(same.clone()), usual, "{same}");
        }
        assert_eq!(of(json!({"language": "Chinese"})), of(json!({"language": "zh-CN"})));
        assert_eq!(of(json!({"languages": ["mandarin"]})), of(json!({"language": "zh"})));
        assert_eq!(of(json!({"languages": ["zh", "en"]})), of(json!({"languages": ["English", "zh", "en"]})));
        assert_eq!(of(json!({"split": "sequential"})), of(json!({"condition_on_previous_text": true})));
    }

    #[test]
    fn everything_that_is_heard_counts() {
        let changes = [
            json!({}),
            json!({"language": "en"}),
            json!({"languages": ["en", "zh"]}),
            json!({"task": "translate"}),
            json!({"temperature": 0.4}),
            json!({"beam_size": 1}),
            json!({"best_of": 1}),
            json!({"compression_ratio_threshold": 2}),
            json!({"logprob_threshold": -2}),
            json!({"no_speech_threshold": 0.5}),
            json!({"split": "sequential"}),
            json!({"initial_prompt": "x"}),
            json!({"hotwords": "x"}),
            json!({"word_timestamps": true}),
            json!({"prepend_punctuations": ""}),
            json!({"append_punctuations": ""}),
            json!({"clip_timestamps": "0,1"}),
            json!({"hallucination_silence_threshold": 2}),
            json!({"suppress_non_speech": true}),
            json!({"vad": false}),
            json!({"vad_threshold": 0.4}),
            json!({"vad_min_speech_ms": 1}),
            json!({"vad_min_silence_ms": 1}),
            json!({"vad_pad_ms": 1}),
        ];
        let mut recipes: HashSet<String> = changes.iter().cloned().map(of).collect();
        assert_eq!(recipes.len(), changes.len());
        let options = Options::default();
        for (engine, model, file) in [
            ("remote", "base", Some((1, 2))),
            ("whisper.cpp", "tiny", Some((1, 2))),
            ("whisper.cpp", "base", Some((1, 3))),
            ("whisper.cpp", "base", Some((2, 2))),
            ("whisper.cpp", "base", None),
        ] {
            assert!(recipes.insert(recipe(engine, model, file, &options).unwrap()), "{engine} {model} {file:?}");
        }
        assert!(recipe("whisper.cpp", "base", None, &Options { language: Some("x".into()), ..options }).is_err());
    }
}
