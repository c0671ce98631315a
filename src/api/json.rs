//! JSON from strangers: not too deep, no name twice, no zero characters.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::error::{Code, Error, Result};

/// How deep arrays and objects may lie in each other.
const DEPTH: usize = 64;

/// Reads one JSON value.
pub(super) fn parse(bytes: &[u8]) -> Result<Value> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 0 }.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    value.map_err(|error| Error::new(Code::InvalidRequest, format!("The body is not valid JSON: {error}")))
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > DEPTH { Err(E::custom(format!("more than {DEPTH} levels deep"))) } else { Ok(Self { depth }) }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number out of range"))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        // Databases take no zero characters, and nobody writes them on purpose.
        if text.contains('\0') { Err(E::custom("a zero character in a text")) } else { Ok(Value::from(text)) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            if map.contains_key(&name) {
                return Err(A::Error::custom(format!("the name \"{}\" twice", name.escape_debug())));
            }
            map.insert(name, fields.next_value_seed(inner)?);
        }
        Ok(Value::Object(map))
    }
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
