//! From a JSON object to a typed one, naming the field that does not fit.

use std::borrow::Cow;

use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::ParseFromJSON,
};
use serde_json::{Map, Value};

use crate::{
    domain::options::unknown,
    error::{Code, Error, Result},
};

/// Reads an object whose names are all known.
pub(super) fn read<T: ParseFromJSON>(value: Value) -> Result<T> {
    let Value::Object(object) = value else {
        return Err(Error::new(Code::InvalidRequest, "The body must be a JSON object"));
    };
    let schema = Registry::new().create_fake_schema::<T>();
    let known = || schema.properties.iter().map(|(name, _)| *name);
    if let Some(name) = object.keys().find(|name| !known().any(|known| known == name.as_str())) {
        return Err(unknown("field", name, known()));
    }
    if let Some(name) = schema.required.iter().find(|name| object.get(**name).is_none_or(Value::is_null)) {
        return Err(Error::new(Code::InvalidValue, format!("Field \"{name}\" is missing")).with_field(*name));
    }
    if let Some((name, value)) = object.iter().find(|(name, value)| is_no_text(&schema, name, value)) {
        let shown: String = value.to_string().chars().take(60).collect();
        let detail = format!("Field \"{name}\": must be of type string, not {shown}");
        return Err(Error::new(Code::InvalidValue, detail).with_field(name));
    }
    T::parse_from_json(Some(Value::Object(object.clone()))).map_err(|error| {
        let (field, reason) = culprit::<T>(&object, &schema.required);
        let reason = reason.unwrap_or_else(|| error.into_message());
        let reason = tidy(&reason);
        match field {
            Some(field) => Error::new(Code::InvalidValue, format!("Field \"{field}\": {reason}")).with_field(field),
            None => Error::new(Code::InvalidValue, format!("The body does not fit: {reason}")),
        }
    })
}

/// Whether a text field holds something else: the framework would take a number or a boolean for its text.
fn is_no_text(schema: &MetaSchema, name: &str, value: &Value) -> bool {
    let kind = schema.properties.iter().find(|(known, _)| *known == name).map(|(_, kind)| kind);
    let is_text = matches!(kind, Some(MetaSchemaRef::Inline(kind)) if kind.ty == "string");
    is_text && !value.is_string() && !value.is_null()
}

/// The first field that does not fit, with what is wrong with it: one of those that are required, which are tried
/// together, or another one that is tried with them.
fn culprit<T: ParseFromJSON>(object: &Map<String, Value>, required: &[&str]) -> (Option<String>, Option<String>) {
    let why = |object: &Map<String, Value>| {
        let read = T::parse_from_json(Some(Value::Object(object.clone())));
        read.err().map(poem_openapi::types::ParseError::into_message)
    };
    let given = object.iter().filter(|(name, _)| required.contains(&name.as_str()));
    let needed: Map<String, Value> = given.map(|(name, value)| (name.clone(), value.clone())).collect();
    if let Some(reason) = why(&needed) {
        // They are read in order up to the first that does not fit: without one after it, the reason stays the same.
        let without = |name: &str| {
            let mut less = needed.clone();
            less.remove(name);
            why(&less)
        };
        let found = required.iter().rev().find(|name| without(name).as_ref() != Some(&reason));
        return (found.map(|name| (*name).to_owned()), Some(reason));
    }
    for (name, value) in object {
        let mut with = needed.clone();
        with.insert(name.clone(), value.clone());
        if let Some(reason) = why(&with) {
            return (Some(name.clone()), Some(reason));
        }
    }
    (None, None)
}

/// The framework's reason without its own type names.
pub(super) fn tidy(reason: &str) -> Cow<'_, str> {
    let mut text = reason;
    while let Some((front, _)) = text.rsplit_once(" (occurred while parsing ") {
        text = front;
    }
    if let Some(rest) = text.strip_prefix("failed to parse \"")
        && let Some((_, rest)) = rest.split_once("\": ")
    {
        text = rest;
    }
    if text.ends_with("expects an input value.") {
        return "is missing".into();
    }
    // The whole number that an id or a count has to be.
    match text {
        "invalid digit found in string" => return "must be a whole number".into(),
        "number too large to fit in target type" | "number too small to fit in target type" => {
            return "is out of range".into();
        }
        _ => {}
    }
    if let Some((_, rule)) = text.split_once("verification failed. ") {
        let value = |text: &str| text.split([',', ')']).next().unwrap_or_default().to_owned();
        if let Some(rest) = rule.strip_prefix("maximum(") {
            return format!("must be at most {}", value(rest)).into();
        }
        if let Some(rest) = rule.strip_prefix("minimum(") {
            return format!("must be at least {}", value(rest)).into();
        }
        return rule.into();
    }
    if let Some((expected, found)) = text.split_once(", found ")
        && let Some(kind) = expected.strip_prefix("Expected input type \"")
    {
        let kind = kind.trim_end_matches('"').split(['_', '(']).next().unwrap_or("value");
        let kind = if kind == "map" { "object" } else { kind };
        let shown: String = found.trim_end_matches('.').chars().take(60).collect();
        return format!("must be of type {kind}, not {shown}").into();
    }
    text.into()
}
