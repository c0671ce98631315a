//! The types of option values that are more than a number.

use serde::{Deserialize, Serialize};

/// What to make of the speech.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// The words as spoken.
    #[default]
    Transcribe,
    /// The words in English.
    Translate,
}

/// How long audio is worked on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// In parallel, unless the text before is wanted as context.
    #[default]
    Auto,
    /// One window after the other; each hears the text before it.
    Sequential,
    /// As many windows at a time as there are free slots.
    Parallel,
}

/// What subtitles that a platform offers are good for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlatformSubtitles {
    /// Nothing: they are not fetched.
    #[default]
    Never,
    /// For when the media cannot be had, has no sound, or cannot be recognised.
    Fallback,
    /// They are taken instead of recognition.
    Prefer,
}

/// The script that Chinese is shown in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Zh {
    /// As it was recognised.
    #[default]
    None,
    /// Simplified.
    Hans,
    /// Traditional.
    Hant,
    /// Traditional as written in Taiwan.
    Tw,
    /// Traditional as written in Hong Kong.
    Hk,
}

impl Zh {
    /// Every script, with its word.
    pub const ALL: [(&'static str, Self); 5] =
        [("none", Self::None), ("hans", Self::Hans), ("hant", Self::Hant), ("tw", Self::Tw), ("hk", Self::Hk)];
}

/// Temperatures to decode at, tried in order until the text is good enough.
///
/// In JSON a number or a list. The number 0 means the usual ladder, as in the OpenAI API; `[0]` means 0 and nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "NumberOrList", into = "Vec<f32>")]
pub struct Ladder(pub Vec<f32>);

impl Default for Ladder {
    fn default() -> Self {
        Self(vec![0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    }
}

impl From<NumberOrList> for Ladder {
    fn from(given: NumberOrList) -> Self {
        match given {
            NumberOrList::Number(0.0) => Self::default(),
            NumberOrList::Number(temperature) => Self(vec![temperature]),
            NumberOrList::List(ladder) => Self(ladder),
        }
    }
}

impl From<Ladder> for Vec<f32> {
    fn from(ladder: Ladder) -> Self {
        ladder.0
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrList {
    Number(f32),
    List(Vec<f32>),
}

/// Parts of the audio, in seconds: start, end, start, end, …; a last start without an end goes on to the end of the
/// audio. Empty: all of it. In JSON a list of numbers, or text such as `"0,12.5,60"`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "TextOrList", into = "Vec<f64>")]
pub struct Clips(pub Vec<f64>);

impl TryFrom<TextOrList> for Clips {
    type Error = std::num::ParseFloatError;

    fn try_from(given: TextOrList) -> Result<Self, Self::Error> {
        match given {
            TextOrList::List(list) => Ok(Self(list)),
            TextOrList::Text(text) if text.trim().is_empty() => Ok(Self::default()),
            TextOrList::Text(text) => {
                text.split(',').map(|part| part.trim().parse()).collect::<Result<_, _>>().map(Self)
            }
        }
    }
}

impl From<Clips> for Vec<f64> {
    fn from(clips: Clips) -> Self {
        clips.0
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TextOrList {
    List(Vec<f64>),
    Text(String),
}

/// Words that are likely to be said. In JSON text, or a list of texts.
pub(super) fn words<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum TextOrTexts {
        Text(String),
        Texts(Vec<String>),
    }
    Ok(Option::<TextOrTexts>::deserialize(deserializer)?.map(|given| match given {
        TextOrTexts::Text(text) => text,
        TextOrTexts::Texts(texts) => texts.join(", "),
    }))
}
