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
    fill_at("", value, scope)
}

/// As [`fill`], for a value that stands at the JSON Pointer `place` of something larger: the hint of an error with an
/// expression says where the expression is.
pub fn fill_at(place: &str, value: &Value, scope: &Value) -> Result<Value> {
    Filling { scope, secret: &|_| Ok(HIDDEN.to_owned()), room: FILLED }.value(value).map_err(|wrong| wrong.below(place))
}

/// As [`fill`], with the secrets that `secret` tells by their names.
pub fn fill_with(value: &Value, scope: &Value, secret: &dyn Fn(&str) -> Result<String>) -> Result<Value> {
    Filling { scope, secret, room: FILLED }.value(value).map_err(|wrong| wrong.below(""))
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

/// What cannot be filled in, with its JSON Pointer.
struct Wrong {
    pointer: String,
    error: Error,
}

impl Wrong {
    fn inside(mut self, step: &str) -> Self {
        self.pointer.insert_str(0, &format!("/{}", step.replace('~', "~0").replace('/', "~1")));
        self
    }

    fn below(self, place: &str) -> Error {
        let Self { pointer, error } = self;
        let is_placed = error.code == Code::Expression && !(place.is_empty() && pointer.is_empty());
        if is_placed { error.with_hint(format!("Correct the expression at {place}{pointer}.")) } else { error }
    }
}

impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        Self { pointer: String::new(), error }
    }
}

impl Filling<'_> {
    fn value(&mut self, value: &Value) -> Result<Value, Wrong> {
        Ok(match value {
            Value::String(text) if text.contains("${") => self.text(text)?,
            Value::Array(items) => {
                let filled = items.iter().enumerate();
                let filled =
                    filled.map(|(index, item)| self.value(item).map_err(|wrong| wrong.inside(&index.to_string())));
                Value::Array(filled.collect::<Result<_, Wrong>>()?)
            }
            Value::Object(fields) => {
                let filled = fields
                    .iter()
                    .map(|(name, field)| Ok((name.clone(), self.value(field).map_err(|wrong| wrong.inside(name))?)));
                Value::Object(filled.collect::<Result<Map<_, _>, Wrong>>()?)
            }
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
                    other => out.push_str(&expr::json(&other, self.room).ok_or_else(too_large)?),
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
        self.room = left.ok_or_else(too_large)?;
        Ok(value)
    }
}

fn too_large() -> Error {
    Error::new(Code::Expression, "what is filled in is larger than 64 MiB")
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
        // Where it stands is told, too.
        let value = json!({"a": "b", "c/d": [1, {"e": "x ${params.zz}"}]});
        let error = fill_at("/with", &value, &json!({"params": {}})).unwrap_err();
        assert_eq!(error.report().hint, "Correct the expression at /with/c~1d/1/e.");
        let refused = |_: &str| Err(Error::new(Code::SecretRefused, "no").with_hint("Set it."));
        assert_eq!(fill_with(&json!(["${secrets.s}"]), &json!({}), &refused).unwrap_err().report().hint, "Set it.");
    }

    #[test]
    fn an_expression_ends_at_its_own_brace() {
        let scope = json!({"params": {"s": "x"}});
        let table = [
            ("${'}' + params.s}", json!("}x")),
            ("${{'a': {'b': params.s}}}", json!({"a": {"b": "x"}})),
            ("<${{'a': \"}\"}.a}>}", json!("<}>}")),
            ("${params.s + r'\\'}.${ params.s }", json!("x\\.x")),
            ("${'\\'}'}", json!("'}")),
            ("$${params.s} $$ $ ${params.s}$", json!("${params.s} $$ $ x$")),
            ("${default(params.gone, null)}", json!(null)),
            ("[${[1, null, 'a']}]", json!("[[1,null,\"a\"]]")),
        ];
        for (text, expected) in table {
            assert_eq!(fill(&json!(text), &scope).unwrap(), expected, "{text}");
        }
        for text in ["${'}", "${{}", "${", "a ${b"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn secrets_stand_alone() {
        let secret = |name: &str| Ok(format!("<{name}>"));
        let value = json!({"a": "${secrets.my-key}", "b": "Bearer ${ secrets.x_1 }"});
        assert_eq!(fill(&value, &json!({})).unwrap(), json!({"a": "***", "b": "Bearer ***"}));
        let filled = fill_with(&value, &json!({}), &secret).unwrap();
        assert_eq!(filled, json!({"a": "<my-key>", "b": "Bearer <x_1>"}));
        for text in ["${upper(secrets.x)}", "${secrets['x']}", "${secrets}", "${secrets.x.y}", "${secrets.x + 'a'}"] {
            assert!(fill_with(&json!(text), &json!({}), &secret).is_err(), "{text}");
        }
    }

    #[test]
    fn many_large_values_are_refused() {
        let scope = json!({"t": "x".repeat(1 << 20), "c": vec!["\u{1}".repeat(1 << 20); 12]});
        for value in
            [json!("${t}".repeat(100)), json!(vec!["${t}"; 100]), json!({"a": vec!["${c}"; 9]}), json!("-${c}")]
        {
            let error = fill(&value, &scope).unwrap_err();
            assert_eq!(
                (error.code, error.detail.as_str()),
                (Code::Expression, "what is filled in is larger than 64 MiB")
            );
        }
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
