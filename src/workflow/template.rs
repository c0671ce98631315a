//! References inside strings: `${steps.media.output.file}`.
//!
//! A string that is exactly one reference keeps the value's JSON type; inside longer text the value is written out.
//! `$${` stands for a plain `${`. What a reference yields is data: it is never looked into for further references.

use serde_json::{Map, Value};

use crate::error::{Code, Error, Result};

/// A piece of a template string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Plain text.
    Text(String),
    /// A path such as `["steps", "media", "output", "file"]`.
    Path(Vec<String>),
}

/// Splits a string into text and references. The error is a sentence about what is wrong.
pub fn parse(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if rest[..at].ends_with('$') {
            plain.push_str(&rest[..at - 1]);
            plain.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        plain.push_str(&rest[..at]);
        let inner = &rest[at + 2..];
        let end = inner.find('}').ok_or_else(|| "\"${\" without its \"}\"".to_owned())?;
        if !plain.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
        }
        pieces.push(Piece::Path(path(&inner[..end])?));
        rest = &inner[end + 1..];
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(pieces)
}

fn path(text: &str) -> Result<Vec<String>, String> {
    let text = text.trim();
    let mut parts = Vec::new();
    for part in text.split('.') {
        let (name, indices) = part.split_once('[').map_or((part, ""), |(name, rest)| (name, rest));
        let is_name =
            |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if !is_name(name) {
            return Err(format!("\"{text}\" is not a reference such as steps.NAME.output.FIELD or params.NAME"));
        }
        parts.push(name.to_owned());
        for index in indices.split('[').filter(|index| !index.is_empty()) {
            let digits = index.strip_suffix(']').filter(|digits| digits.parse::<usize>().is_ok());
            parts.push(digits.ok_or_else(|| format!("\"{text}\" has an index that is not a number"))?.to_owned());
        }
    }
    Ok(parts)
}

/// Every reference in a JSON value, with the JSON Pointer of the string it stands in.
pub fn references(value: &Value, pointer: &str, found: &mut Vec<(String, Result<Vec<String>, String>)>) {
    match value {
        Value::String(text) => match parse(text) {
            Ok(pieces) => found.extend(pieces.into_iter().filter_map(|piece| match piece {
                Piece::Path(path) => Some((pointer.to_owned(), Ok(path))),
                Piece::Text(_) => None,
            })),
            Err(problem) => found.push((pointer.to_owned(), Err(problem))),
        },
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                references(item, &format!("{pointer}/{index}"), found);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                references(field, &format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        _ => {}
    }
}

/// Fills the references of a JSON value from `scope` (an object with `params`, `steps`, `task`).
pub fn fill(value: &Value, scope: &Value) -> Result<Value> {
    Ok(match value {
        Value::String(text) => fill_text(text, scope)?,
        Value::Array(items) => Value::Array(items.iter().map(|item| fill(item, scope)).collect::<Result<_>>()?),
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, field)| Ok((name.clone(), fill(field, scope)?)))
                .collect::<Result<Map<_, _>>>()?,
        ),
        other => other.clone(),
    })
}

fn fill_text(text: &str, scope: &Value) -> Result<Value> {
    let pieces = parse(text).map_err(|problem| Error::new(Code::Expression, problem))?;
    if let [Piece::Path(path)] = pieces.as_slice() {
        return look_up(path, scope).cloned();
    }
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(&text),
            Piece::Path(path) => match look_up(&path, scope)? {
                Value::String(text) => out.push_str(text),
                other => out.push_str(&other.to_string()),
            },
        }
    }
    Ok(Value::String(out))
}

fn look_up<'a>(path: &[String], scope: &'a Value) -> Result<&'a Value> {
    let mut value = scope;
    for part in path {
        let child = match value {
            Value::Array(items) => part.parse::<usize>().ok().and_then(|index| items.get(index)),
            other => other.get(part),
        };
        value = child.ok_or_else(|| Error::new(Code::Expression, format!("{} is missing", path.join("."))))?;
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn types_are_kept_and_text_is_filled() {
        let scope = json!({"params": {"n": 3, "s": "x", "list": [{"a": true}]}});
        let value = json!({"a": "${params.n}", "b": "n=${params.n}, ${params.s}", "c": "$${params.n}", "d": [1, "${params.list[0].a}"]});
        assert_eq!(fill(&value, &scope).unwrap(), json!({"a": 3, "b": "n=3, x", "c": "${params.n}", "d": [1, true]}));
    }

    #[test]
    fn results_are_not_looked_into_again() {
        let scope = json!({"params": {"evil": "${params.secret}", "secret": "s"}});
        assert_eq!(fill(&json!("${params.evil}"), &scope).unwrap(), json!("${params.secret}"));
        assert_eq!(fill(&json!("-${params.evil}-"), &scope).unwrap(), json!("-${params.secret}-"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = fill(&json!("${steps.a.output.b}"), &json!({"steps": {}})).unwrap_err();
        assert_eq!((error.code, error.detail.as_str()), (Code::Expression, "steps.a.output.b is missing"));
        assert!(parse("${a b}").is_err());
        assert!(parse("${a").is_err());
        assert!(parse("${a[x]}").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in ".{0,60}") {
            let _ = parse(&text);
        }

        #[test]
        fn text_without_references_stays_as_it_is(text in "[a-z{} .]{0,40}") {
            prop_assert_eq!(fill(&json!(text.clone()), &json!({})).unwrap(), json!(text));
        }
    }
}
