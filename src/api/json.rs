//! JSON bodies from strangers: not too deep, no name twice, no zero characters.

use serde_json::Value;

use crate::{
    domain::json,
    error::{Code, Error, Result},
};

/// Reads one JSON value.
pub(super) fn parse(bytes: &[u8]) -> Result<Value> {
    json::read(bytes, &|_, name| Err(format!("the name \"{}\" twice", name.escape_debug())))
        .map_err(|error| Error::new(Code::InvalidRequest, format!("The body is not valid JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_odd_is_refused() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(deep(64).as_bytes()).is_ok());
        for bad in [
            deep(65).as_str(),
            "[".repeat(100_000).as_str(),
            r#"{"a": 1, "a": 2}"#,
            r#"{"a": 1e999}"#,
            r#"{"a": NaN}"#,
            r#""\ud800""#,
            r#""a\u0000b""#,
            r#"{"a": 1} x"#,
            "",
        ] {
            let error = parse(bad.as_bytes()).unwrap_err();
            assert_eq!(error.code, Code::InvalidRequest, "{bad:.80}");
            assert!(error.detail.len() < 200);
        }
        assert_eq!(
            parse(br#"{"a": [1, -2, 0.5, true, null, "x"]}"#).unwrap(),
            json!({"a": [1, -2, 0.5, true, null, "x"]})
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let reference = serde_json::from_slice::<Value>(&bytes);
            if let Ok(value) = parse(&bytes) {
                prop_assert_eq!(value, reference.unwrap());
            }
        }
    }
}
