//! How deep a value may be nested that is kept.

use serde_json::Value;

use crate::error::{Code, Error, Result};

/// Levels of lists and objects. serde_json reads 127 of them; the rest is left for what is put around a value.
pub const MAX: usize = 100;

/// Refuses a value that is nested deeper than [`MAX`] levels; `what` it is begins the sentence.
///
/// # Errors
/// `too_large`.
pub fn check(value: &Value, what: &str) -> Result<()> {
    if fits(value, MAX) {
        return Ok(());
    }
    Err(Error::new(Code::TooLarge, format!("{what} is nested more than {MAX} levels deep"))
        .with_hint("Take from it what is needed, instead of all of it."))
}

fn fits(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| fits(item, levels - 1)),
        Value::Object(fields) => levels > 0 && fields.values().all(|field| fits(field, levels - 1)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_hundred_levels_are_kept() {
        let nested = |levels| (0..levels).fold(json!(1), |value, _| json!([value]));
        assert!(check(&nested(MAX), "It").is_ok());
        let error = check(&json!({ "a": [], "b": nested(MAX) }), "It").unwrap_err();
        assert_eq!((error.code, error.detail.as_str()), (Code::TooLarge, "It is nested more than 100 levels deep"));
    }
}
