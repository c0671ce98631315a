//! Whether a model can do what is asked for. Pure but for whisper.cpp's list of languages.

use crate::{
    domain::options::Goal,
    error::{Code, Error, Result},
};

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
