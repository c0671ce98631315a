//! The JSON Schema of definitions, made from their types: `workflows/schema.json`.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::Definition;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Definition>();
    schema.insert("$id".to_owned(), json!("workflow.v1"));
    schema.to_value()
});

/// The schema.
pub fn schema() -> &'static Value {
    &SCHEMA
}
