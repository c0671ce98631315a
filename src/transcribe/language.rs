//! Language codes and names, from whisper's own table.

use crate::{
    domain::{Options, options::nearest},
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

/// The code of a language given by code (`zh`, also `zh-CN` and `zho`) or English name (`chinese`), in any case.
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
    // Platforms write three letters: `eng-US`.
    let short = || isolang::Language::from_639_3(primary)?.to_639_1().and_then(find);
    find(&wanted).or_else(|| find(primary)).or_else(short).ok_or_else(|| {
        let names = table.iter().map(|(_, name)| *name).chain(OTHER.iter().map(|(name, _)| *name));
        let error = Error::new(Code::InvalidValue, format!("There is no language \"{}\"", wanted.escape_debug()));
        match nearest(&wanted, names.filter(|name| name.len() > 3)) {
            Some(name) => error.with_hint(format!("Did you mean \"{name}\"?")),
            None => error.with_hint("Use a code such as \"en\" or an English name such as \"chinese\"."),
        }
        .with_field("language")
    })
}

/// The English name of a language by its code, in lower case: `english` for `en`.
pub fn name(code: &str) -> Option<&'static str> {
    (0..=whisper_rs::get_lang_max_id())
        .find(|id| whisper_rs::get_lang_str(*id) == Some(code))
        .and_then(whisper_rs::get_lang_str_full)
}

/// The language that a text's script alone tells: Chinese, Japanese or Korean. A few such signs in a text in letters are
/// a quotation, and a few kana among Chinese ones a name.
pub(crate) fn by_script(text: &str) -> Option<&'static str> {
    let (mut han, mut kana, mut hangul, mut words) = (0, 0, 0, 0);
    let mut is_word = false;
    for c in text.chars() {
        let mut is_letter = false;
        match c {
            '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}' => {
                han += 1
            }
            '\u{3041}'..='\u{309F}' | '\u{30A1}'..='\u{30FA}' | '\u{31F0}'..='\u{31FF}' | '\u{FF66}'..='\u{FF9D}' => {
                kana += 1
            }
            '\u{AC00}'..='\u{D7AF}' | '\u{1100}'..='\u{11FF}' | '\u{3130}'..='\u{318F}' => hangul += 1,
            c => {
                is_letter = c.is_alphabetic();
                words += usize::from(is_letter && !is_word);
            }
        }
        is_word = is_letter;
    }
    let signs = han + kana + hangul;
    match () {
        () if signs == 0 || signs < words => None,
        () if hangul * 10 >= signs => Some("ko"),
        () if kana * 10 >= signs => Some("ja"),
        () => Some("zh"),
    }
}

/// The languages that options allow, as codes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// The only one; nothing is detected then.
    pub given: Option<&'static str>,
    /// Those that detection may choose from, in alphabetical order; empty for every one, and when one is given.
    pub among: Vec<&'static str>,
}

/// The likeliest language of those that are allowed, empty for every one; `probabilities` come the likeliest first.
pub(super) fn likeliest<'a, L: AsRef<str>>(probabilities: &'a [(L, f32)], among: &[&str]) -> Option<&'a (L, f32)> {
    probabilities.iter().find(|(language, _)| among.is_empty() || among.contains(&language.as_ref()))
}

/// Reads `language` and `languages`. An error names the field that is wrong: a language that does not exist, or one
/// that is not among those allowed.
pub fn allowed(options: &Options) -> Result<Allowed> {
    let among = options.languages.iter().map(|name| language(name)).collect::<Result<Vec<_>>>();
    let mut among = among.map_err(|error| error.with_field("languages"))?;
    among.sort_unstable();
    among.dedup();
    let given = options.language.as_deref().map(language).transpose()?;
    if let Some(code) = given.filter(|code| !among.is_empty() && !among.contains(code)) {
        let detail = format!("The language \"{code}\" is not among the languages that are allowed");
        let hint = format!("Allowed are: {}. Leave out one of the two options.", among.join(", "));
        return Err(Error::new(Code::InvalidValue, detail).with_hint(hint).with_field("language"));
    }
    match given.or((among.len() == 1).then(|| among[0])) {
        Some(code) => Ok(Allowed { given: Some(code), among: Vec::new() }),
        None => Ok(Allowed { given: None, among }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_tell_some_languages() {
        for (text, code) in [
            ("今天天气很好。", Some("zh")),
            ("我用 Kubernetes 部署 Docker。", Some("zh")),
            ("今日はいい天気ですね。", Some("ja")),
            ("カラオケ", Some("ja")),
            ("오늘은 날씨가 좋네요.", Some("ko")),
            ("我在东京的餐厅吃了一顿很好的晚饭，名字叫の。", Some("zh")),
            ("The word 你好 means hello.", None),
            ("Nice weather today.", None),
            ("123, …", None),
            ("", None),
        ] {
            assert_eq!(by_script(text), code, "{text}");
        }
    }

    #[test]
    fn languages_are_limited() {
        let ask = |language: Option<&str>, languages: &[&str]| {
            let languages = languages.iter().map(|name| (*name).to_owned()).collect();
            allowed(&Options { language: language.map(str::to_owned), languages, ..Options::default() })
        };
        let given = |code| Allowed { given: Some(code), among: Vec::new() };
        assert_eq!(ask(None, &[]).unwrap(), Allowed::default());
        assert_eq!(ask(Some("english"), &[]).unwrap(), given("en"));
        assert_eq!(ask(None, &["mandarin", "zh"]).unwrap(), given("zh"));
        assert_eq!(ask(Some("zh"), &["en", "chinese"]).unwrap(), given("zh"));
        let both = ask(None, &["zh", "English", "en"]).unwrap();
        assert_eq!(both, Allowed { given: None, among: vec!["en", "zh"] });
        let field = |language, languages: &[&str]| ask(language, languages).unwrap_err().field.unwrap();
        assert_eq!(field(None, &["en", "klingon"]), "languages");
        assert_eq!(field(Some("klingon"), &["en"]), "language");
        assert_eq!(field(Some("de"), &["en", "zh"]), "language");
    }

    #[test]
    fn codes_have_names() {
        assert_eq!((name("en"), name("zh"), name("yue")), (Some("english"), Some("chinese"), Some("cantonese")));
        assert_eq!((name(""), name("xx"), name("english")), (None, None, None));
    }

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
            ("zho", "zh"),
            ("eng-US", "en"),
            ("jpn-JP", "ja"),
            ("cmn-Hans-CN", "zh"),
        ] {
            assert_eq!(language(given).unwrap(), code);
        }
        let error = language("chinse").unwrap_err();
        assert_eq!((error.code, error.hint.as_str()), (Code::InvalidValue, "Did you mean \"chinese\"?"));
        assert_eq!(error.field.as_deref(), Some("language"));
        assert!(language("").is_err() && language("xx\0").is_err() && language("klingon").is_err());
    }
}
