//! The functions of the language. Each may be written before its arguments or behind the first of them: `size(x)` is
//! `x.size()`.

use std::borrow::Cow;

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::{
    budget::Budget,
    missing::Failure,
    operators::{Number, kind},
};

/// The largest program that a pattern may become, in bytes.
const PATTERN: usize = 32 << 10;
/// The work of compiling a pattern.
const COMPILE: usize = 10_000;
/// How many bytes of text a pattern reads for one piece of work.
const MATCH: usize = 1;
/// The largest text that `string` writes, in bytes.
const WRITTEN: usize = 1 << 20;
/// How much more memory than text JSON takes at most.
const PARSED: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    Matches,
    String,
    Int,
    Double,
    Json,
    Lower,
    Upper,
    Trim,
    Split,
    Join,
    Truncate,
}

/// Every function with its name and arguments.
const TABLE: [(Function, &str, &[&str]); 15] = [
    (Function::Size, "size", &["text or list"]),
    (Function::Contains, "contains", &["text", "part"]),
    (Function::StartsWith, "startsWith", &["text", "beginning"]),
    (Function::EndsWith, "endsWith", &["text", "end"]),
    (Function::Matches, "matches", &["text", "pattern"]),
    (Function::String, "string", &["value"]),
    (Function::Int, "int", &["number or text"]),
    (Function::Double, "double", &["number or text"]),
    (Function::Json, "json", &["text"]),
    (Function::Lower, "lower", &["text"]),
    (Function::Upper, "upper", &["text"]),
    (Function::Trim, "trim", &["text"]),
    (Function::Split, "split", &["text", "separator"]),
    (Function::Join, "join", &["list", "separator"]),
    (Function::Truncate, "truncate", &["text", "characters"]),
];
/// What is written like a function and is none.
const FORMS: [(&str, &str); 8] = [
    ("default", "default(value, otherwise)"),
    ("coalesce", "coalesce(value, value, …)"),
    ("has", "has(path)"),
    ("map", "list.map(x, value)"),
    ("filter", "list.filter(x, condition)"),
    ("all", "list.all(x, condition)"),
    ("exists", "list.exists(x, condition)"),
    ("exists_one", "list.exists_one(x, condition)"),
];

impl Function {
    fn row(self) -> &'static (Self, &'static str, &'static [&'static str]) {
        &TABLE[self as usize]
    }

    pub(super) fn name(self) -> &'static str {
        self.row().1
    }

    fn usage(self) -> String {
        format!("{}({})", self.name(), self.row().2.join(", "))
    }
}

/// The function of a name that takes so many arguments; otherwise a sentence that helps.
pub(super) fn find(name: &str, arguments: usize) -> Result<Function, String> {
    if let Some((_, usage)) = FORMS.iter().find(|(form, _)| *form == name) {
        return Err(format!("{name} is written {usage}"));
    }
    match TABLE.iter().find(|(_, known, _)| *known == name) {
        Some((function, _, parameters)) if parameters.len() == arguments => Ok(*function),
        Some((function, ..)) => Err(format!("{name} is written {}", function.usage())),
        None => {
            let names = TABLE.iter().map(|row| row.1).chain(FORMS.iter().map(|form| form.0));
            let near = names.map(|known| (strsim::damerau_levenshtein(known, &name.to_lowercase()), known)).min();
            let hint =
                near.filter(|(distance, _)| *distance <= 2).map(|(_, known)| format!("; did you mean \"{known}\"?"));
            Err(format!("there is no function \"{name}\"{}", hint.unwrap_or_default()))
        }
    }
}

/// Compiles the pattern of `matches`; otherwise a sentence that says what is wrong with it.
pub(super) fn pattern(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text).size_limit(PATTERN).dfa_size_limit(PATTERN).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "the pattern is too large".to_owned(),
        // The last line of several says what; those before it draw where.
        other => format!("the pattern is wrong: {}", other.to_string().lines().last().unwrap_or_default()),
    })
}

/// Calls functions, and keeps the patterns it has compiled.
#[derive(Default)]
pub(super) struct Caller {
    patterns: Vec<(String, Regex)>,
}

impl Caller {
    pub(super) fn call<'a>(
        &mut self,
        function: Function,
        arguments: &[Cow<'a, Value>],
        budget: &mut Budget,
    ) -> Result<Cow<'a, Value>, Failure> {
        let unfit = || {
            let given: Vec<&str> = arguments.iter().map(|argument| kind(argument)).collect();
            Failure::wrong(format!("{} is given {}", function.usage(), given.join(" and ")))
        };
        let first = arguments.first().ok_or_else(unfit)?;
        let text = |index: usize| arguments.get(index).and_then(|argument| argument.as_str()).ok_or_else(unfit);
        Ok(Cow::Owned(match function {
            Function::Size => Value::from(match first.as_ref() {
                Value::String(text) => {
                    budget.read(text.len())?;
                    text.chars().count()
                }
                Value::Array(items) => items.len(),
                Value::Object(fields) => fields.len(),
                _ => return Err(unfit()),
            }),
            Function::Contains | Function::StartsWith | Function::EndsWith => {
                let (text, part) = (text(0)?, text(1)?);
                budget.read(text.len())?;
                Value::Bool(match function {
                    Function::StartsWith => text.starts_with(part),
                    Function::EndsWith => text.ends_with(part),
                    _ => text.contains(part),
                })
            }
            Function::Matches => Value::Bool(self.matches(text(0)?, text(1)?, budget)?),
            Function::String if first.is_string() => return Ok(first.clone()),
            Function::String => Value::String(written(first, budget)?),
            Function::Int => whole(first).ok_or_else(unfit)??,
            Function::Double => double(first).ok_or_else(unfit)??,
            Function::Json => {
                budget.build(text(0)?.len() * PARSED)?;
                serde_json::from_str(text(0)?)
                    .map_err(|error| Failure::wrong(format!("json(text) is given something else: {error}")))?
            }
            Function::Lower => built(text(0)?, str::to_lowercase, budget)?,
            Function::Upper => built(text(0)?, str::to_uppercase, budget)?,
            Function::Trim => built(text(0)?.trim(), str::to_owned, budget)?,
            Function::Split => split(text(0)?, text(1)?, budget)?,
            Function::Join => join(first.as_array().ok_or_else(unfit)?, text(1)?, budget)?,
            Function::Truncate => {
                let count = arguments.get(1).and_then(|count| count.as_u64()).ok_or_else(unfit)?;
                let text = text(0)?;
                let end = text.char_indices().nth(usize::try_from(count).unwrap_or(usize::MAX));
                built(&text[..end.map_or(text.len(), |(at, _)| at)], str::to_owned, budget)?
            }
        }))
    }

    fn matches(&mut self, text: &str, source: &str, budget: &mut Budget) -> Result<bool, Failure> {
        let known = self.patterns.iter().position(|(known, _)| known == source);
        let index = match known {
            Some(index) => index,
            None => {
                budget.work(COMPILE)?;
                self.patterns.push((source.to_owned(), pattern(source).map_err(Failure::wrong)?));
                self.patterns.len() - 1
            }
        };
        budget.work(self.patterns.len() + text.len() / MATCH)?;
        Ok(self.patterns[index].1.is_match(text))
    }
}

fn built(text: &str, make: impl FnOnce(&str) -> String, budget: &mut Budget) -> Result<Value, Failure> {
    budget.build(text.len())?;
    Ok(Value::String(make(text)))
}

fn split(text: &str, separator: &str, budget: &mut Budget) -> Result<Value, Failure> {
    if separator.is_empty() {
        return Err(Failure::wrong("split(text, separator) is given an empty separator"));
    }
    budget.read(text.len())?;
    let mut pieces = Vec::new();
    for piece in text.split(separator) {
        budget.work(1)?;
        pieces.push(built(piece, str::to_owned, budget)?);
    }
    Ok(Value::Array(pieces))
}

fn join(items: &[Value], separator: &str, budget: &mut Budget) -> Result<Value, Failure> {
    let mut text = String::new();
    for (index, item) in items.iter().enumerate() {
        budget.work(1)?;
        if index > 0 {
            budget.build(separator.len())?;
            text.push_str(separator);
        }
        match item {
            Value::String(piece) => {
                budget.build(piece.len())?;
                text.push_str(piece);
            }
            Value::Number(_) | Value::Bool(_) => text.push_str(&written(item, budget)?),
            _ => return Err(Failure::wrong(format!("join(list, separator) is given {} in its list", kind(item)))),
        }
    }
    Ok(Value::String(text))
}

/// A value as JSON writes it.
fn written(value: &Value, budget: &mut Budget) -> Result<String, Failure> {
    let text = super::budget::json(value, WRITTEN);
    let text = text.ok_or_else(|| Failure::wrong("string(value) is given more than 1 MiB"))?;
    budget.build(text.len())?;
    Ok(text)
}

/// A whole number from a number, whose fraction is dropped, or a text; `None` for any other kind.
fn whole(value: &Value) -> Option<Result<Value, Failure>> {
    if let Value::String(text) = value {
        let read = text.trim().parse().map_err(|_| Failure::wrong("int(text) is given a text that is no whole number"));
        return Some(read.and_then(|whole| Number::Whole(whole).json()));
    }
    Some(match Number::of(value)? {
        // A double beyond the range ends at the bounds of an i128, which are refused.
        Number::Double(double) => Number::Whole(double.trunc() as i128).json(),
        whole => whole.json(),
    })
}

/// A number with a fraction from a number or a text; `None` for any other kind.
fn double(value: &Value) -> Option<Result<Value, Failure>> {
    if let Value::String(text) = value {
        let read = text.trim().parse().map_err(|_| Failure::wrong("double(text) is given a text that is no number"));
        return Some(read.and_then(|double| Number::Double(double).json()));
    }
    Some(match Number::of(value)? {
        Number::Whole(whole) => Number::Double(whole as f64).json(),
        double => double.json(),
    })
}
