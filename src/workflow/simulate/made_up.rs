//! Values that fit a schema.

use serde_json::{Map, Value, json};

/// A value that fits one of our own schemas: every field is there, texts and lists are empty, numbers zero.
pub(super) fn made_up(schema: &Value) -> Value {
    if let Some(value) = schema.get("default").or_else(|| schema.get("const")) {
        return value.clone();
    }
    if let Some(first) = schema.get("enum").and_then(|values| values.get(0)) {
        return first.clone();
    }
    let some = |name: &str| schema.get(name).and_then(|list| list.get(0));
    if let Some(branch) = some("anyOf").or_else(|| some("oneOf")) {
        return made_up(branch);
    }
    // A field that may be null is not: what is tested are the expressions that use it.
    let kind = schema.get("type").map(|kind| kind.get(0).unwrap_or(kind)).and_then(Value::as_str);
    match kind {
        Some("object") => {
            let fields = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
            Value::Object(fields.map(|(name, field)| (name.clone(), made_up(field))).collect::<Map<_, _>>())
        }
        Some("array") => json!([]),
        Some("string") => json!(""),
        Some("integer" | "number") => json!(0),
        Some("boolean") => json!(false),
        // Anything may be here, an object may be looked into.
        _ => json!({}),
    }
}
