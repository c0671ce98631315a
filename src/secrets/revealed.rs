//! What was revealed to a job, to be taken out of what it leaves behind.

use std::sync::{Arc, Mutex, PoisonError};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};
use serde_json::{Map, Value};
use url::form_urlencoded::byte_serialize;

use crate::error::Error;

/// What stands in the place of a secret.
const HIDDEN: &str = "***";
/// Shorter parts of an encoding may be anything.
const LEAST: usize = 8;

/// The values revealed to one job, in every form in which they are looked for. Clones share them.
#[derive(Clone, Default)]
pub struct Revealed(Arc<Mutex<Vec<String>>>);

impl Revealed {
    /// Remembers a value.
    pub fn add(&self, value: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(forms(value));
        // The longest first: a form may stand inside another one.
        known.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        known.dedup();
    }

    /// The text without what was revealed.
    pub fn text(&self, text: String) -> String {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().fold(text, |text, form| if text.contains(form) { text.replace(form, HIDDEN) } else { text })
    }

    /// The JSON without what was revealed, names of fields included.
    pub fn json(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.json(item)).collect()),
            Value::Object(fields) => {
                let fields = fields.into_iter().map(|(name, field)| (self.text(name), self.json(field)));
                Value::Object(fields.collect::<Map<_, _>>())
            }
            // A secret of digits may come back as a number.
            Value::Number(number) => match self.text(number.to_string()) {
                text if text == number.to_string() => Value::Number(number),
                text => Value::String(text),
            },
            other => other,
        }
    }

    /// The error without what was revealed, its causes included.
    pub fn error(&self, error: Error) -> Error {
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            return error;
        }
        error.rewritten(&|text| self.text(text), &|value| self.json(value))
    }
}

/// A value as it stands in texts: as it is, and in the encodings that the web has for it.
fn forms(value: &str) -> Vec<String> {
    let escaped = serde_json::Value::from(value).to_string();
    let percent: String = byte_serialize(value.as_bytes()).collect();
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![
        value.to_owned(),
        escaped.trim_matches('"').to_owned(),
        percent.replace('+', "%20"),
        percent,
        hex.to_uppercase(),
        hex,
    ];
    // Inside a longer text, such as `user:password`, its base64 depends on where it begins; what does not depend on its
    // neighbours is looked for.
    for before in 0..3 {
        let padded = [&[0; 3][..before], value.as_bytes()].concat();
        let (first, last) = ([0, 2, 3][before], padded.len() * 8 / 6);
        for encoded in [BASE64_STANDARD_NO_PAD.encode(&padded), BASE64_URL_SAFE_NO_PAD.encode(&padded)] {
            forms.extend(encoded.get(first..last).filter(|core| core.len() >= LEAST).map(str::to_owned));
        }
    }
    forms.retain(|form| !form.is_empty());
    forms
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_STANDARD;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::error::Code;

    #[test]
    fn a_value_is_found_in_every_dress() {
        let revealed = Revealed::default();
        let value = "s3cr3t \"value\"/+é";
        revealed.add(value);
        let output = json!({
            "plain": format!("Bearer {value}"), value: [1, { "escaped": json!({ "a": value }).to_string() }],
            "basic": BASE64_STANDARD.encode(format!("user:{value}")), "query": format!("?k={}", byte_serialize(value.as_bytes()).collect::<String>()),
        });
        let clean = revealed.json(output).to_string();
        for form in forms(value) {
            assert!(!clean.contains(&form), "{form} in {clean}");
        }
        assert!(clean.contains("Bearer ***") && clean.contains("?k=***"), "{clean}");
        let error = Error::new(Code::SourceError, format!("no {value}"))
            .with_attempts(vec![json!({ "said": value })])
            .with_problems(vec![json!({ "message": value })])
            .with_source(std::io::Error::other(format!("deep {value}")));
        let error = revealed.error(error);
        assert_eq!((error.detail.as_str(), error.chain().as_str()), ("no ***", "no ***: deep ***"));
        assert_eq!(error.attempts, [json!({ "said": "***" })]);
        assert_eq!(error.problems, [json!({ "message": "***" })]);
    }

    #[test]
    fn digits_do_not_come_back_as_a_number() {
        let revealed = Revealed::default();
        revealed.add("1234567890");
        assert_eq!(revealed.json(json!([1234567890, 123, 12345678901_u64])), json!(["***", 123, "***1"]));
    }

    proptest! {
        #[test]
        fn whatever_stands_around_it_in_base64(value in "[ -~]{12,40}", before in "[a-z]{0,7}", after in "[a-z]{0,7}") {
            let revealed = Revealed::default();
            revealed.add(&value);
            let clean = revealed.text(BASE64_STANDARD.encode(format!("{before}{value}{after}")));
            prop_assert!(clean.contains(HIDDEN), "{}", clean);
        }
    }
}
