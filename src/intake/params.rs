//! The parameters of a task.

use serde_json::{Map, Value, json};

use crate::{
    domain::options::unknown,
    error::{Code, Error, Result},
    workflow::{
        Definition,
        definition::{Param, ParamType},
    },
};

/// How many parameters a hint names.
const NAMED: usize = 12;

/// Whether the workflow has each of these parameters.
pub(super) fn known(definition: &Definition, given: &Map<String, Value>) -> Result<()> {
    match given.keys().find(|name| !definition.params.contains_key(*name)) {
        Some(name) => Err(unknown("parameter", name, definition.params.keys().map(String::as_str))),
        None => Ok(()),
    }
}

/// The parameters with their defaults.
///
/// # Errors
/// What is unknown, missing, of the wrong type or none of the values that it may have; the hint names what there is.
pub fn checked(definition: &Definition, mut given: Map<String, Value>) -> Result<Map<String, Value>> {
    known(definition, &given)?;
    let mut params = Map::new();
    for (name, param) in &definition.params {
        let value = given
            .remove(name)
            .or_else(|| param.default.clone())
            .ok_or_else(|| Error::new(Code::InvalidValue, format!("Parameter \"{name}\" is missing")).with_field(name));
        let value = value.and_then(|value| check_param(name, param, &value).map(|()| value));
        params.insert(name.clone(), value.map_err(|error| error.with_hint(takes(definition)))?);
    }
    Ok(params)
}

/// What the workflow takes, in words.
fn takes(definition: &Definition) -> String {
    let params = definition.params.iter().map(|(name, param)| {
        let kind = json!(param.kind);
        let optional = if param.default.is_some() { ", optional" } else { "" };
        format!("{name} ({}{optional})", kind.as_str().unwrap_or_default())
    });
    let more = if definition.params.len() > NAMED { ", …" } else { "" };
    format!("The workflow takes {}{more}.", params.take(NAMED).collect::<Vec<_>>().join(", "))
}

fn check_param(name: &str, param: &Param, value: &Value) -> Result<()> {
    let fits = match param.kind {
        ParamType::String | ParamType::Url => value.is_string(),
        ParamType::Integer => value.is_i64() || value.is_u64(),
        ParamType::Number => value.is_number(),
        ParamType::Boolean => value.is_boolean(),
        ParamType::Array => value.is_array(),
        ParamType::Object => value.is_object(),
    };
    let wrong =
        |rule: String| Err(Error::new(Code::InvalidValue, format!("Parameter \"{name}\" {rule}")).with_field(name));
    if !fits {
        return wrong(format!("must be of type {}", json!(param.kind).as_str().unwrap_or_default()));
    }
    if let Some(allowed) = param.allowed.as_ref().filter(|allowed| !allowed.contains(value)) {
        return wrong(format!("must be one of {}", Value::Array(allowed.clone())));
    }
    let length = value.as_str().map_or(0, |text| text.chars().count());
    if let Some(max) = param.max_length.filter(|max| length > *max) {
        return wrong(format!("is longer than {max} characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_with_what_there_is() {
        let definition = json!({"dsl": 1, "name": "x", "params": {"n": {"type": "integer"}, "s": {"type": "string", "default": ""}},
            "steps": {"a": {"use": "condition", "with": {"cases": []}}}});
        let definition: Definition = serde_json::from_value(definition).unwrap();
        let of = |given: Value| checked(&definition, given.as_object().unwrap().clone());
        assert_eq!(Value::Object(of(json!({"n": 5})).unwrap()), json!({"n": 5, "s": ""}));
        for (given, detail) in
            [(json!({}), "Parameter \"n\" is missing"), (json!({"n": "5"}), "Parameter \"n\" must be of type integer")]
        {
            let error = of(given).unwrap_err();
            assert_eq!(error.detail, detail);
            assert_eq!(error.hint, "The workflow takes n (integer), s (string, optional).");
        }
        assert_eq!(of(json!({"n": 5, "m": 1})).unwrap_err().code, Code::UnknownField);
    }
}
