//! Language codes and names, from whisper's own table.

use crate::{
    domain::options::nearest,
    error::{Code, Error, Result},
};

/// Other names and codes that people use for languages in whisper's table.
const OTHER: &[(&str, &str)] = &[
    ("mandarin", "zh"),
    ("cmn", "zh"),
    ("burmese", "my"),
    ("castilian", "es"),
    ("valencian", "ca"),
    ("flemish", "nl"),
    ("haitian", "ht"),
    ("letzeburgesch", "lb"),
    ("pushto", "ps"),
    ("panjabi", "pa"),
    ("moldavian", "ro"),
    ("moldovan", "ro"),
    ("sinhalese", "si"),
    ("filipino", "tl"),
    ("fil", "tl"),
    ("farsi", "fa"),
    ("nb", "no"),
    ("jv", "jw"),
    ("iw", "he"),
];

/// The code of a language given by code (`zh`, also `zh-CN`) or English name (`chinese`), in any case.
pub fn language(code_or_name: &str) -> Result<&'static str> {
    let wanted = code_or_name.trim().to_lowercase();
    let table: Vec<(&'static str, &'static str)> = (0..=whisper_rs::get_lang_max_id())
        .filter_map(|id| Some((whisper_rs::get_lang_str(id)?, whisper_rs::get_lang_str_full(id)?)))
        .collect();
    let find = |wanted: &str| {
        let by_table = table.iter().find(|(code, name)| *code == wanted || *name == wanted).map(|(code, _)| *code);
        by_table.or_else(|| OTHER.iter().find(|(other, _)| *other == wanted).map(|(_, code)| *code))
    };
    let primary = wanted.split(['-', '_']).next().unwrap_or_default();
    find(&wanted).or_else(|| find(primary)).ok_or_else(|| {
        let names = table.iter().map(|(_, name)| *name).chain(OTHER.iter().map(|(name, _)| *name));
        let error = Error::new(Code::InvalidValue, format!("There is no language \"{}\"", wanted.escape_debug()));
        match nearest(&wanted, names.filter(|name| name.len() > 3)) {
            Some(name) => error.with_hint(format!("Did you mean \"{name}\"?")),
            None => error.with_hint("Use a code such as \"en\" or an English name such as \"chinese\"."),
        }
        .with_field("language")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names() {
        for (given, code) in [
            ("en", "en"),
            ("Chinese", "zh"),
            ("zh-CN", "zh"),
            ("pt_BR", "pt"),
            ("haitian creole", "ht"),
            ("Mandarin", "zh"),
            ("yue", "yue"),
        ] {
            assert_eq!(language(given).unwrap(), code);
        }
        let error = language("chinse").unwrap_err();
        assert_eq!((error.code, error.hint.as_str()), (Code::InvalidValue, "Did you mean \"chinese\"?"));
        assert_eq!(error.field.as_deref(), Some("language"));
        assert!(language("").is_err() && language("xx\0").is_err() && language("klingon").is_err());
    }
}
