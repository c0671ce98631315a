//! JSON as the tables keep it: text, just as it was written.
//!
//! The databases' own JSON types sort the keys of an object, refuse some characters and write numbers anew.

use std::ops::Deref;

use sea_orm::{
    ColIdx, DbErr, QueryResult, TryGetError, TryGetable, Value,
    sea_query::{ArrayType, ColumnType, Nullable, ValueType, ValueTypeErr},
};

/// A JSON column's value.
#[derive(Clone, Debug, PartialEq)]
pub struct Json(pub serde_json::Value);

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        Self(value)
    }
}

impl Deref for Json {
    type Target = serde_json::Value;

    fn deref(&self) -> &serde_json::Value {
        &self.0
    }
}

impl From<Json> for Value {
    fn from(json: Json) -> Self {
        Value::String(Some(json.0.to_string()))
    }
}

impl TryGetable for Json {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        let text = String::try_get_by(row, index)?;
        let read = serde_json::from_str(&text).map(Json);
        read.map_err(|error| TryGetError::DbErr(DbErr::Json(error.to_string())))
    }
}

impl ValueType for Json {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        match value {
            Value::String(Some(text)) => serde_json::from_str(&text).map(Json).map_err(|_| ValueTypeErr),
            _ => Err(ValueTypeErr),
        }
    }

    fn type_name() -> String {
        "Json".to_owned()
    }

    fn array_type() -> ArrayType {
        ArrayType::String
    }

    fn column_type() -> ColumnType {
        ColumnType::Text
    }
}

impl Nullable for Json {
    fn null() -> Value {
        Value::String(None)
    }
}
