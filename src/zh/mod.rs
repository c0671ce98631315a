//! Chinese in the script that its reader wants, by OpenCC's dictionaries. Pure.
//!
//! Characters are replaced, words are not: `tw` and `hk` write what was said as people there write it, and a 软件 stays
//! one (軟件, not 軟體), because that is what was spoken. A traditional text may be made traditional again: what is already
//! as wanted stays. A transcript in another language is left alone, Japanese above all, which shares the characters.

mod cut;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use ferrous_opencc::{OpenCC, config::BuiltinConfig};

use crate::{
    domain::{Segment, Transcript, Zh, options::nearest},
    error::{Code, Error, Result},
};

/// The languages that are written in Chinese characters of one script or the other.
const LANGUAGES: [&str; 2] = ["zh", "yue"];

type Converter = LazyLock<OpenCC>;

// Each is loaded when it is first asked for: milliseconds, and some two megabytes.
// The simplified one is not Taiwan's (tw2s), which would break what is simplified already (显著, 什么).
static HANS: Converter = LazyLock::new(|| load(BuiltinConfig::T2s));
static HANT: Converter = LazyLock::new(|| load(BuiltinConfig::S2t));
static TW: Converter = LazyLock::new(|| load(BuiltinConfig::S2tw));
static HK: Converter = LazyLock::new(|| load(BuiltinConfig::S2hk));

fn load(config: BuiltinConfig) -> OpenCC {
    // The dictionaries are part of this program; a test loads each of them.
    OpenCC::from_config(config).expect("an embedded dictionary is whole")
}

fn converter(script: Zh) -> Option<&'static OpenCC> {
    match script {
        Zh::None => None,
        Zh::Hans => Some(&HANS),
        Zh::Hant => Some(&HANT),
        Zh::Tw => Some(&TW),
        Zh::Hk => Some(&HK),
    }
}

/// Writes a transcript's text, segments and words in a script. [`Zh::None`] and other languages change nothing.
pub fn convert(transcript: &mut Transcript, script: Zh) {
    let Some(converter) = converter(script).filter(|_| LANGUAGES.contains(&transcript.language.as_str())) else {
        return;
    };
    transcript.text = converter.convert(&transcript.text);
    for segment in &mut transcript.segments {
        convert_segment(segment, converter);
    }
}

/// A word that is looked for, as it is written in each script: what was heard may be stored in any of them.
pub fn spellings(word: &str) -> Vec<String> {
    let mut found = vec![word.to_owned()];
    // What is plain ASCII has one spelling, and no dictionary is loaded for it.
    for converter in [&HANS, &HANT, &TW].into_iter().filter(|_| !word.is_ascii()) {
        let spelling = converter.convert(word);
        if !found.contains(&spelling) {
            found.push(spelling);
        }
    }
    found
}

/// What a reader has to know when nobody could tell the language of a text that was wanted in a script.
pub fn unwritten(transcript: &Transcript, script: Zh) -> Option<String> {
    let is_unknown = script != Zh::None && transcript.language.is_empty() && !transcript.text.is_empty();
    is_unknown.then(|| "Nobody told the language, so the text is not rewritten as zh asks; give `language`".to_owned())
}

/// The words of a segment are cut from its converted text, so that they read the same and have what stands around them
/// in view; where that cannot be done, each is converted alone.
fn convert_segment(segment: &mut Segment, converter: &OpenCC) {
    let text = converter.convert(&segment.text);
    let words = segment.words.iter().map(|word| word.word.as_str());
    let words = cut::along(&text, words).unwrap_or_else(|| {
        let alone = segment.words.iter().map(|word| converter.convert(&word.word));
        alone.collect()
    });
    for (word, converted) in segment.words.iter_mut().zip(words) {
        word.word = converted;
    }
    segment.text = text;
}

/// The script of this word, in any case; another word is refused with the known ones. The error's field is `zh`.
pub fn read(word: &str) -> Result<Zh> {
    let lower = word.trim().to_lowercase();
    let words = || Zh::ALL.iter().map(|(word, _)| *word);
    Zh::ALL.iter().find(|(known, _)| *known == lower).map(|(_, script)| *script).ok_or_else(|| {
        let known = words().collect::<Vec<_>>().join(", ");
        let hint = match nearest(&lower, words()) {
            Some(best) => format!("Did you mean \"{best}\"? Known: {known}."),
            None => format!("Known: {known}."),
        };
        let detail = format!("There is no Chinese script \"{}\"", word.escape_debug());
        Error::new(Code::InvalidValue, detail).with_hint(hint).with_field("zh")
    })
}
