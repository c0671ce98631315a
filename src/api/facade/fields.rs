//! The fields of a foreign request, wherever they stood: in parts, a form, JSON or the query.

use std::str::FromStr;

use serde_json::Value;

use crate::error::{Code, Error, Result};

/// Fields with their values, in the order in which they came. A name may stand there several times.
#[derive(Clone, Debug, Default)]
pub(in crate::api) struct Fields(pub(super) Vec<(String, Value)>);

impl Fields {
    /// These fields.
    #[cfg(test)]
    pub(in crate::api) fn of<'a>(fields: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        Self(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The value of a field; the first one when there are several.
    pub(in crate::api) fn value(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value)
    }

    /// Whether a field was sent, be it empty or `null`.
    pub(in crate::api) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// A field as text; none when it is empty or `null`.
    pub(in crate::api) fn text(&self, name: &str) -> Option<String> {
        Some(plain(self.value(name)?)).filter(|text| !text.trim().is_empty())
    }

    /// A field as a number or anything else that is read from a word.
    pub(in crate::api) fn parsed<T: FromStr>(&self, name: &str, what: &str) -> Result<Option<T>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|_| wrong(name, &text, what))
    }

    /// A field as yes or no.
    pub(in crate::api) fn flag(&self, name: &str) -> Result<Option<bool>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(Some(true)),
            "false" | "0" | "no" | "off" | "none" => Ok(Some(false)),
            _ => Err(wrong(name, &text, "true or false")),
        }
    }

    /// Every value of a list: `name` and `name[]`, repeated, as a JSON array, or separated by commas.
    pub(in crate::api) fn list(&self, name: &str) -> Vec<String> {
        let is_named = |given: &str| given.strip_suffix("[]").unwrap_or(given) == name;
        let given = self.0.iter().filter(|(given, _)| is_named(given));
        let items = given.flat_map(|(_, value)| match value {
            Value::Array(items) => items.iter().map(plain).collect(),
            Value::String(text) => split(text),
            other => vec![plain(other)],
        });
        items.map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
    }
}

fn split(text: &str) -> Vec<String> {
    match serde_json::from_str(text) {
        Ok(Value::Array(items)) => items.iter().map(plain).collect(),
        _ => text.split(',').map(str::to_owned).collect(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn wrong(name: &str, text: &str, what: &str) -> Error {
    let shown: String = text.chars().take(60).collect();
    let detail = format!("Field \"{name}\" must be {what}, not \"{}\"", shown.escape_debug());
    Error::new(Code::InvalidValue, detail).with_field(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(given: &[(&str, Value)]) -> Fields {
        Fields::of(given.iter().map(|(name, value)| (*name, value.clone())))
    }

    #[test]
    fn values_are_read_from_words() {
        let given =
            fields(&[("n", json!("0.5")), ("flag", json!("True")), ("empty", json!("")), ("null", json!(null))]);
        assert_eq!(given.parsed::<f64>("n", "a number").unwrap(), Some(0.5));
        assert_eq!(given.flag("flag").unwrap(), Some(true));
        assert_eq!((given.text("empty"), given.text("null"), given.text("none")), (None, None, None));
        assert!(given.has("null") && !given.has("none"));
        let error = given.parsed::<i64>("n", "a whole number").unwrap_err();
        assert_eq!(error.detail, "Field \"n\" must be a whole number, not \"0.5\"");
        assert!(given.flag("n").is_err());
    }

    #[test]
    fn lists_come_in_many_ways() {
        let of = |given: &[(&str, Value)]| fields(given).list("k");
        assert_eq!(of(&[("k[]", json!("a")), ("k[]", json!("b"))]), ["a", "b"]);
        assert_eq!(of(&[("k", json!("a, b"))]), ["a", "b"]);
        assert_eq!(of(&[("k", json!("[\"a\", 1]"))]), ["a", "1"]);
        assert_eq!(of(&[("k", json!(["a", "b"]))]), ["a", "b"]);
        assert_eq!(of(&[("k", json!(null)), ("other", json!("x"))]), Vec::<String>::new());
    }
}
