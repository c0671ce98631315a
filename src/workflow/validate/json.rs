//! Reads the text of a definition: JSON in which no key appears twice and nothing lies too deep.

use std::{cell::RefCell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::{Problem, shown};

/// The largest definition, in bytes.
const MAX_BYTES: usize = 256 * 1024;
/// How deep arrays and objects may lie in each other.
const DEPTH: usize = 64;

/// The value of a text. Keys that appear twice are told; the last one counts. Without a value, the text is no JSON.
pub(super) fn read(text: &str, problems: &mut Vec<Problem>) -> Option<Value> {
    if text.len() > MAX_BYTES {
        let message = format!("{} bytes; a definition has at most 256 KiB", text.len());
        problems.push(Problem::new("E_LIMIT", "", message));
        return None;
    }
    let found = RefCell::new(Vec::new());
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let seed = Strict { pointer: String::new(), depth: 0, found: &found };
    let read = seed.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    let value = match read {
        Ok(value) => Some(value),
        Err(error) => {
            // The message of serde_json ends with the place, which we put first.
            let told = error.to_string();
            let what = told.split(" at line ").next().unwrap_or(&told).to_owned();
            let problem = if what == TOO_DEEP {
                Problem::new("E_LIMIT", "", format!("more than {DEPTH} levels deep"))
            } else {
                Problem::new("E_JSON", "", format!("line {}, column {}: {what}", error.line(), error.column()))
            };
            problems.push(problem);
            None
        }
    };
    problems.extend(found.into_inner());
    value
}

const TOO_DEEP: &str = "too deep";

struct Strict<'a> {
    pointer: String,
    depth: usize,
    found: &'a RefCell<Vec<Problem>>,
}

impl Strict<'_> {
    fn below<E: serde::de::Error>(&self, name: &str) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > DEPTH {
            return Err(E::custom(TOO_DEEP));
        }
        Ok(Self { pointer: super::below(&self.pointer, name), depth, found: self.found })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
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
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.below(&list.len().to_string())?)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            if name.contains('\0') {
                return Err(A::Error::custom("a zero character in a name"));
            }
            if map.contains_key(&name) {
                let message = format!("key \"{}\" appears twice", shown(&name));
                self.found.borrow_mut().push(Problem::new("E_JSON_DUP", &self.pointer, message));
            }
            let inner = self.below(&name)?;
            map.insert(name, fields.next_value_seed(inner)?);
        }
        Ok(Value::Object(map))
    }
}
