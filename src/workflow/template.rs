//! Expressions inside strings: `${steps.media.output.file}`.
//!
//! A string that is exactly one expression keeps the value's JSON type; inside longer text the value is written out.
//! `$${` stands for a plain `${`. What an expression yields is data: it is never looked into for further expressions.
//!
//! `${secrets.NAME}` is filled by [`fill_with`] alone, for the fields that may hold secrets; [`fill`] writes `***` for it,
//! so that no input that is stored or shown holds one.

use serde_json::{Map, Value};

use super::expr::{self, Reference};
use crate::error::{Code, Error, Result};

/// What stands for a secret where none may be.
const HIDDEN: &str = "***";
/// The most that the expressions of one value may put into it, in bytes of memory.
const FILLED: usize = 64 << 20;

/// A piece of a template string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Plain text.
    Text(String),
    /// What stands between `${` and `}`.
    Expr(String),
}

/// Splits a string into text and expressions. The error is a sentence about what is wrong.
pub fn parse(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let inner = &rest[at + 2..];
        if rest[..at].ends_with('$') {
            plain.push_str(&rest[..at - 1]);
            plain.push_str("${");
            rest = inner;
            continue;
        }
        plain.push_str(&rest[..at]);
        let end = expr::closing(inner).ok_or_else(|| "\"${\" without its \"}\"".to_owned())?;
        if !plain.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
        }
        pieces.push(Piece::Expr(inner[..end].to_owned()));
        rest = &inner[end + 1..];
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(pieces)
}

/// Every reference in a JSON value, with the JSON Pointer of the string it stands in; what cannot be read is a sentence.
pub fn references(value: &Value, pointer: &str, found: &mut Vec<(String, Result<Reference, String>)>) {
    match value {
        Value::String(text) => match parse(text) {
            Ok(pieces) => {
                for piece in pieces {
                    let Piece::Expr(source) = piece else { continue };
                    match expr::references(&source) {
                        Ok(references) => found.extend(references.into_iter().map(|one| (pointer.to_owned(), Ok(one)))),
                        Err(problem) => found.push((pointer.to_owned(), Err(problem.to_string()))),
                    }
                }
            }
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

/// Fills the expressions of a JSON value from `scope` (an object with `params`, `steps`, `task`); secrets stay hidden.
/// What comes out takes at most 64 MiB of memory; more is an error.
pub fn fill(value: &Value, scope: &Value) -> Result<Value> {
    fill_with(value, scope, &|_| Ok(HIDDEN.to_owned()))
}

/// As [`fill`], with the secrets that `secret` tells by their names.
pub fn fill_with(value: &Value, scope: &Value, secret: &dyn Fn(&str) -> Result<String>) -> Result<Value> {
    Filling { scope, secret, room: FILLED }.value(value)
}

/// The name in `secrets.NAME`, which stands alone.
pub fn secret_name(source: &str) -> Option<&str> {
    let name = source.trim().strip_prefix("secrets.")?;
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    (is_name && !name.is_empty()).then_some(name)
}

/// One value that is being filled.
struct Filling<'a> {
    scope: &'a Value,
    secret: &'a dyn Fn(&str) -> Result<String>,
    /// How many bytes it may still take.
    room: usize,
}

impl Filling<'_> {
    fn value(&mut self, value: &Value) -> Result<Value> {
        Ok(match value {
            Value::String(text) if text.contains("${") => self.text(text)?,
            Value::Array(items) => Value::Array(items.iter().map(|item| self.value(item)).collect::<Result<_>>()?),
            Value::Object(fields) => Value::Object(
                fields
                    .iter()
                    .map(|(name, field)| Ok((name.clone(), self.value(field)?)))
                    .collect::<Result<Map<_, _>>>()?,
            ),
            other => other.clone(),
        })
    }

    fn text(&mut self, text: &str) -> Result<Value> {
        let pieces = parse(text).map_err(|problem| Error::new(Code::Expression, problem))?;
        if let [Piece::Expr(source)] = pieces.as_slice() {
            return self.expression(source);
        }
        let mut out = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => out.push_str(&text),
                Piece::Expr(source) => match self.expression(&source)? {
                    Value::String(text) => out.push_str(&text),
                    other => out.push_str(&other.to_string()),
                },
            }
        }
        Ok(Value::String(out))
    }

    fn expression(&mut self, source: &str) -> Result<Value> {
        let value = match secret_name(source) {
            Some(name) => Value::String((self.secret)(name)?),
            None => expr::evaluate(source, self.scope)?,
        };
        let left = self.room.checked_sub(expr::weigh(&value, self.room));
        self.room = left.ok_or_else(|| Error::new(Code::Expression, "what is filled in is larger than 64 MiB"))?;
        Ok(value)
    }
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
        assert_eq!(
            (error.code, error.detail.as_str()),
            (Code::Expression, "steps.a.output.b is missing (step \"a\" has not run)")
        );
        assert!(parse("${a").is_err());
        assert!(fill(&json!("${a b}"), &json!({})).is_err());
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
