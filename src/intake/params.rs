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

/// The parameters with their defaults; what is unknown, missing or of the wrong type is told.
pub(super) fn checked(definition: &Definition, mut given: Map<String, Value>) -> Result<Map<String, Value>> {
    let known = || definition.params.keys().map(String::as_str);
    if let Some(name) = given.keys().find(|name| !definition.params.contains_key(*name)) {
        return Err(unknown("parameter", name, known()));
    }
    let mut params = Map::new();
    for (name, param) in &definition.params {
        let value = given.remove(name).or_else(|| param.default.clone()).ok_or_else(|| {
            Error::new(Code::InvalidValue, format!("Parameter \"{name}\" is missing")).with_field(name)
        })?;
        check_param(name, param, &value)?;
        params.insert(name.clone(), value);
    }
    Ok(params)
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
