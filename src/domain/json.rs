//! JSON from strangers: not too deep, no zero characters, and names that stand twice are told.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How deep arrays and objects may lie in each other.
pub const DEPTH: usize = 64;

/// What is told of text that is deeper.
pub const TOO_DEEP: &str = "more than 64 levels deep";

/// Where a value stands.
#[derive(Clone, Copy)]
pub enum Place<'a> {
    /// It is the whole.
    Root,
    /// A field of an object.
    Field(&'a Place<'a>, &'a str),
    /// An item of an array.
    Item(&'a Place<'a>, usize),
}

/// A JSON Pointer (RFC 6901).
impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(above, name) => write!(f, "{above}/{}", name.replace('~', "~0").replace('/', "~1")),
            Self::Item(above, index) => write!(f, "{above}/{index}"),
        }
    }
}

/// Hears of an object in which a name stands twice. An error ends the reading; otherwise the last value counts.
pub type Twice<'a> = &'a dyn Fn(&Place<'_>, &str) -> Result<(), String>;

/// Reads one JSON value and nothing after it.
pub fn read(bytes: &[u8], twice: Twice<'_>) -> serde_json::Result<Value> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { place: Place::Root, depth: 0, twice }.deserialize(&mut deserializer)?;
    deserializer.end().map(|()| value)
}

struct Strict<'a> {
    place: Place<'a>,
    depth: usize,
    twice: Twice<'a>,
}

impl Strict<'_> {
    /// How deep what is inside lies.
    fn inside<E: serde::de::Error>(&self) -> Result<usize, E> {
        if self.depth == DEPTH { Err(E::custom(TOO_DEEP)) } else { Ok(self.depth + 1) }
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
        let depth = self.inside()?;
        let mut list = Vec::new();
        loop {
            let item = Strict { place: Place::Item(&self.place, list.len()), depth, twice: self.twice };
            match items.next_element_seed(item)? {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let depth = self.inside()?;
        let mut map = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            if name.contains('\0') {
                return Err(A::Error::custom("a zero character in a name"));
            }
            if map.contains_key(&name) {
                (self.twice)(&self.place, &name).map_err(A::Error::custom)?;
            }
            let field = Strict { place: Place::Field(&self.place, &name), depth, twice: self.twice };
            let value = fields.next_value_seed(field)?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}
