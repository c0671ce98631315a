//! Which languages a model can be asked for, and which one is spoken. Pure but for whisper.cpp's list of languages.

use std::sync::OnceLock;

use crate::{
    domain::{Options, options::Goal},
    error::{Code, Error, Result},
    transcribe::{
        engine::Probabilities,
        language::{allowed, likeliest},
    },
};

/// The search for a window's language while the window is recognised.
///
/// The encoder hears the same whatever the language is, so one pass of it serves the language and the text. But
/// whisper.cpp has to be told the language before: a run begins with a guess, looks after the encoder's first pass, and
/// begins again only when the guess was wrong.
#[derive(Debug)]
pub(super) struct Search {
    /// Those that are allowed and that the model knows; empty for every one.
    among: Vec<&'static str>,
    /// What the model thinks, once it was asked; empty when it could not be.
    found: OnceLock<Probabilities>,
}

impl Search {
    /// A search with a model that knows so many `languages`, 0 for English only. `invalid_value` when it knows none of
    /// those that are allowed.
    pub(super) fn new(options: &Options, languages: usize) -> Result<Self> {
        let allowed = allowed(options)?.among;
        let is_known = |language: &&str| check(languages, language, Goal::Transcribe).is_ok();
        let among: Vec<_> = allowed.iter().copied().filter(is_known).collect();
        if among.is_empty() && !allowed.is_empty() {
            let detail = format!("The model knows none of the languages {}", allowed.join(", "));
            return Err(Error::new(Code::InvalidValue, detail).with_field("languages"));
        }
        Ok(Self { among, found: if languages == 0 { only_english().into() } else { OnceLock::new() } })
    }

    /// What to begin with: the language of the window before, or the first one that is allowed.
    pub(super) fn guess<'a>(&self, last: &'a str) -> &'a str {
        if self.among.is_empty() || self.among.contains(&last) { last } else { self.among[0] }
    }

    /// Takes the probabilities by whisper.cpp's language number from who has them, the first time.
    pub(super) fn look(&self, ask: impl FnOnce() -> Option<Vec<f32>>) {
        self.found.get_or_init(|| ask().map(named).unwrap_or_default());
    }

    /// The likeliest language; none as long as the model has not said anything.
    pub(super) fn spoken(&self) -> Option<&str> {
        likeliest(self.found.get()?, &self.among).map(|(language, _)| language.as_str())
    }

    /// Whether the model was asked and has not named this language.
    pub(super) fn refutes(&self, language: &str) -> bool {
        self.found.get().is_some() && self.spoken() != Some(language)
    }

    /// What the model said.
    pub(super) fn end(self) -> Probabilities {
        self.found.into_inner().unwrap_or_default()
    }
}

/// Probabilities by whisper.cpp's language number, with codes and in order.
pub(super) fn named(probabilities: Vec<f32>) -> Probabilities {
    let name = |(p, id)| Some((whisper_rs::get_lang_str(id)?.to_owned(), p));
    let mut named: Probabilities = probabilities.into_iter().zip(0..).filter_map(name).collect();
    named.sort_by(|a, b| b.1.total_cmp(&a.1));
    named
}

/// What a model for English only thinks of everything.
pub(super) fn only_english() -> Probabilities {
    vec![("en".to_owned(), 1.0)]
}

/// The language could not be found.
pub(super) fn undetected() -> Error {
    Error::new(Code::EngineFailed, "The language could not be detected")
}

/// Checks a language's code and a goal against a model that knows so many `languages`, 0 for English only. whisper.cpp
/// does not: it would hear English, or take another token for the language's, and nobody would know.
///
/// # Errors
/// `invalid_value`, with the field.
pub(super) fn check(languages: usize, language: &str, goal: Goal) -> Result<()> {
    let wrong = |field: &str, detail: String| Err(Error::new(Code::InvalidValue, detail).with_field(field));
    // The lookup cannot take a zero byte.
    let number = if language.contains('\0') { None } else { whisper_rs::get_lang_id(language) };
    let Some(number) = number.and_then(|number| usize::try_from(number).ok()) else {
        return wrong("language", format!("There is no language \"{language}\""));
    };
    // English is the first one.
    if number >= languages.max(1) {
        return wrong("language", format!("The model does not know the language \"{language}\""));
    }
    if languages == 0 && goal == Goal::Translate {
        return wrong("task", "The model is for English only: it cannot translate".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guess_is_kept_until_the_model_says_otherwise() {
        let among = |languages: &[&str]| Options {
            languages: languages.iter().map(|language| (*language).to_owned()).collect(),
            ..Options::default()
        };
        let search = Search::new(&among(&["zh", "de", "yue"]), 99).unwrap();
        assert_eq!((search.guess("zh"), search.guess("en"), search.refutes("zh")), ("zh", "de", false));
        // English, Chinese, German.
        search.look(|| Some(vec![0.7, 0.2, 0.1]));
        search.look(|| panic!("the model is asked once"));
        assert_eq!((search.spoken(), search.refutes("zh"), search.refutes("de")), (Some("zh"), false, true));
        assert_eq!(search.end()[0], ("en".to_owned(), 0.7), "all are told");

        let deaf = Search::new(&among(&[]), 99).unwrap();
        deaf.look(|| None);
        assert!(deaf.guess("fr") == "fr" && deaf.refutes("fr") && deaf.spoken().is_none());

        let english = Search::new(&among(&[]), 0).unwrap();
        assert!(english.spoken() == Some("en") && !english.refutes("en"));
        let error = Search::new(&among(&["zh", "de"]), 0).unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (Code::InvalidValue, Some("languages")));
    }

    fn refused(languages: usize, language: &str, goal: Goal) -> String {
        let error = check(languages, language, goal).unwrap_err();
        assert_eq!(error.code, Code::InvalidValue);
        error.detail
    }

    #[test]
    fn a_model_is_asked_only_for_what_it_can_do() {
        for (languages, language, goal) in [
            (0, "en", Goal::Transcribe),
            (99, "en", Goal::Translate),
            (99, "zh", Goal::Translate),
            (99, "su", Goal::Transcribe),
            (100, "yue", Goal::Transcribe),
        ] {
            check(languages, language, goal).unwrap();
        }
        assert_eq!(refused(0, "zh", Goal::Transcribe), "The model does not know the language \"zh\"");
        assert_eq!(refused(0, "en", Goal::Translate), "The model is for English only: it cannot translate");
        assert_eq!(refused(99, "yue", Goal::Transcribe), "The model does not know the language \"yue\"");
        for unknown in ["qya", "", "auto", "e\0n"] {
            assert!(refused(99, unknown, Goal::Transcribe).starts_with("There is no language"));
        }
    }
}
