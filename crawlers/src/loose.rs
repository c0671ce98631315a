//! Reading JSON that nobody has promised: numbers come as strings and the other way round, anything may be missing.
//! `value["a"]["b"][0]` never panics and is null where there is nothing.

use serde_json::Value;

/// Text that is not blank.
pub(crate) fn text(value: &Value) -> Option<&str> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// An id: text or a number.
pub(crate) fn id(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => number.as_u64().filter(|number| *number > 0).map(|number| number.to_string()),
        _ => text(value).map(str::to_owned),
    }
}

/// A count: a number or digits, not negative.
pub(crate) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| {
            let float = number.as_f64().filter(|float| *float >= 0.0)?;
            // Beyond 2^53 the fraction is gone anyway, and `as` saturates.
            Some(float as u64)
        }),
        _ => text(value)?.parse().ok(),
    }
}

/// A switch: true, a number other than 0, `"1"`, `"true"`.
pub(crate) fn is_on(value: &Value) -> bool {
    match value {
        Value::Bool(on) => *on,
        Value::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
        _ => text(value).is_some_and(|text| text.eq_ignore_ascii_case("true") || number(value).unwrap_or(0) != 0),
    }
}

/// The elements of a list; none where it is something else.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_meant_counts_not_its_type() {
        let value = json!({"id": 7_600_000_000_000_000_101_u64, "n": "42", "f": 1.9, "minus": -3, "blank": "  ", "on": "1", "off": 0});
        assert_eq!(id(&value["id"]).as_deref(), Some("7600000000000000101"));
        assert_eq!((number(&value["n"]), number(&value["f"]), number(&value["minus"])), (Some(42), Some(1), None));
        assert_eq!((text(&value["blank"]), text(&value["no"]["where"][3])), (None, None));
        assert!(is_on(&value["on"]) && !is_on(&value["off"]) && !is_on(&value["blank"]));
        assert!(list(&value["n"]).is_empty());
    }
}
