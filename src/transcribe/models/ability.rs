//! What a model can do, by its name.

use super::catalogue;
use crate::{
    domain::{Options, options::Goal},
    error::{Code, Error, Result},
    transcribe::language::language,
};

/// Whether the model of this name can do what is asked of it, whether it is here or not. Also checks the language.
pub fn validate(name: &str, options: &Options) -> Result<()> {
    let wrong = |field: &str, detail: String, hint: &str| {
        Err(Error::new(Code::InvalidValue, detail).with_hint(hint).with_field(field))
    };
    let language = options.language.as_deref().map(language).transpose()?;
    if catalogue::is_english_only(name) && language.is_some_and(|code| code != "en") {
        let asked = language.unwrap_or_default();
        let detail = format!("The model {name} knows English only, not \"{asked}\"");
        return wrong("language", detail, "Choose the model without \".en\" in its name.");
    }
    if options.task == Goal::Translate && !catalogue::translates(name) {
        let detail = format!("The model {name} cannot translate");
        return wrong("task", detail, "Choose a model such as \"medium\" or \"large-v3\".");
    }
    Ok(())
}
