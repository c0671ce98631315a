//! The page that wants some work done before it gives way: find the number that completes a hash.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::html::{attribute, element};

/// The highest number that the platform asks for.
const HIGHEST: u32 = 1_000_000;
/// Pages leave the padding out at times; servers want it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What such a page asks, and how it wants to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    /// The question, JSON, without white space.
    question: String,
    /// What the number is appended to.
    prefix: Vec<u8>,
    /// The hash that must come out.
    wanted: [u8; 32],
    /// The cookie for the answer.
    cookie: String,
    /// A cookie that is to be sent along.
    also: Option<(String, String)>,
}

impl Challenge {
    /// Reads such a page; none when it is another one.
    pub(super) fn read(html: &str) -> Option<Self> {
        let class = |id| attribute(element(html, id)?.0, "class").filter(|class| !class.is_empty());
        let question = String::from_utf8(BASE64.decode(class("cs")?).ok()?).ok()?;
        let value: Value = serde_json::from_str(&question).ok().filter(Value::is_object)?;
        Some(Self {
            prefix: BASE64.decode(value["v"]["a"].as_str()?).ok()?,
            wanted: BASE64.decode(value["v"]["c"].as_str()?).ok()?.try_into().ok()?,
            question: compact(&question),
            cookie: class("wci")?.to_owned(),
            also: class("rci").zip(class("rs")).map(|(name, value)| (name.to_owned(), value.to_owned())),
        })
    }

    /// The cookies to repeat the request with; none when there is no such number. Takes up to a million hashes: not for a
    /// thread that has other things to do.
    pub(super) fn solve(&self) -> Option<Vec<(String, String)>> {
        self.answer(HIGHEST).map(|number| self.cookies(number))
    }

    fn answer(&self, highest: u32) -> Option<u32> {
        let begun = Sha256::new_with_prefix(&self.prefix);
        (0..=highest).find(|number| {
            let hash = begun.clone().chain_update(number.to_string()).finalize();
            hash.as_slice() == self.wanted
        })
    }

    /// The question with the answer as its last key: in the order of the page, which sorting it through a map would lose.
    fn cookies(&self, number: u32) -> Vec<(String, String)> {
        let open = self.question.strip_suffix('}').unwrap_or(&self.question);
        let told = format!("{open},\"d\":\"{}\"}}", BASE64.encode(number.to_string()));
        let mut cookies = vec![(self.cookie.clone(), BASE64.encode(told))];
        cookies.extend(self.also.clone());
        cookies
    }
}

/// JSON without the white space between its parts.
fn compact(json: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    json.chars()
        .filter(|c| {
            let keep = quoted || !c.is_ascii_whitespace();
            quoted ^= *c == '"' && !escaped;
            escaped = quoted && *c == '\\' && !escaped;
            keep
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../fixtures/tiktok/challenge_73194.html");

    #[test]
    fn the_number_is_found_and_told_in_the_order_of_the_page() {
        let challenge = Challenge::read(PAGE).unwrap();
        assert_eq!(challenge.answer(73_193), None);
        let cookies = challenge.solve().unwrap();
        let manifest: Value = serde_json::from_str(include_str!("../../fixtures/manifest.json")).unwrap();
        let entries = manifest["fixtures"].as_array().unwrap();
        let entry = entries.iter().find(|entry| entry["expect"]["answer_number"] == 73_194).unwrap();
        assert_eq!(cookies.len(), 2);
        for (name, value) in &cookies {
            assert_eq!(entry["expect"]["set_cookie"][name], *value);
        }
    }

    #[test]
    fn white_space_goes_and_strings_stay() {
        assert_eq!(compact("{ \"a \\\" b\" :\n1 , \"c\\\\\": [ ] }"), r#"{"a \" b":1,"c\\":[]}"#);
    }

    #[test]
    fn other_pages_are_no_challenge() {
        for (from, to) in [("id=\"cs\"", "id=\"x\""), ("id=\"wci\"", "id=\"x\""), ("eyJ2", "!!!!"), ("eyJ2", "")] {
            assert_eq!(Challenge::read(&PAGE.replace(from, to)), None, "{from} {to}");
        }
        let alone = Challenge::read(&PAGE.replace("id=\"rs\"", "")).unwrap();
        assert_eq!(alone.also, None);
    }
}
