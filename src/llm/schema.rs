//! The form of an answer: a JSON Schema, what is sent of it, and answers checked against it.

use std::{sync::Arc, time::Duration};

use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value, json};

use super::answer;
use crate::error::{Code, Error, Result};

/// The largest schema, in bytes.
const MAX_SCHEMA: usize = 64 * 1024;
/// The longest that checking an answer may take.
const WITHIN: Duration = Duration::from_secs(5);
/// How many things that are wrong with an answer are told.
const MAX_PROBLEMS: usize = 8;
/// Where an answer stands that is no object: servers want one around it.
const AROUND: &str = "answer";

/// A checked schema.
#[derive(Clone, Debug)]
pub(super) struct Schema {
    sent: Value,
    is_wrapped: bool,
    validator: Arc<Validator>,
}

impl Schema {
    /// Fails when it is none, is too large, or refers to another document.
    pub(super) fn new(given: &Value) -> Result<Self> {
        let wrong = |why: &str| Error::new(Code::InvalidValue, why).with_field("json_schema");
        if given.to_string().len() > MAX_SCHEMA {
            return Err(wrong("The schema is larger than 64 KiB"));
        }
        let Value::Object(fields) = given else { return Err(wrong("The schema is no object")) };
        // This engine takes time in proportion to the text, whatever the pattern.
        let patterns = PatternOptions::regex().size_limit(1 << 20);
        let validator =
            jsonschema::options().offline().with_pattern_options(patterns).build(given).map_err(|error| {
                let why: String = error.masked().to_string().chars().take(200).collect();
                wrong("The schema cannot be used")
                    .with_hint(format!("{}. References to other documents are refused.", why.escape_debug()))
            })?;
        let is_wrapped = fields.get("type").and_then(Value::as_str) != Some("object");
        let sent = if is_wrapped { wrapped(fields) } else { given.clone() };
        Ok(Self { sent, is_wrapped, validator: Arc::new(validator) })
    }

    /// What servers and models are told: an object, whatever was given.
    pub(super) fn sent(&self) -> &Value {
        &self.sent
    }

    /// The JSON in an answer, or what is wrong with it.
    pub(super) async fn read(&self, text: &str) -> Result<Value, Vec<String>> {
        let Some(mut value) = answer::json(text) else { return Err(vec!["It holds no JSON.".to_owned()]) };
        if self.is_wrapped
            && let Value::Object(fields) = &mut value
            && fields.len() == 1
            && let Some(inner) = fields.remove(AROUND)
        {
            value = inner;
        }
        let validator = Arc::clone(&self.validator);
        // A schema may be written so that checking takes for ever; nobody waits for that.
        let checking = tokio::task::spawn_blocking(move || {
            let problems: Vec<String> = validator
                .iter_errors(&value)
                .take(MAX_PROBLEMS)
                .map(|error| {
                    let told: String = error.masked().to_string().chars().take(200).collect();
                    format!("At \"{}\": {told}", error.instance_path().as_str())
                })
                .collect();
            if problems.is_empty() { Ok(value) } else { Err(problems) }
        });
        match tokio::time::timeout(WITHIN, checking).await {
            Ok(Ok(checked)) => checked,
            Ok(Err(_)) | Err(_) => Err(vec!["It cannot be checked against the schema.".to_owned()]),
        }
    }
}

/// The schema of an object around the answer. Definitions stay where references look for them.
fn wrapped(given: &Map<String, Value>) -> Value {
    let mut inner = given.clone();
    let mut outer = Map::new();
    for name in ["$schema", "$defs", "definitions"] {
        if let Some(kept) = inner.remove(name) {
            outer.insert(name.to_owned(), kept);
        }
    }
    outer.insert("type".to_owned(), json!("object"));
    outer.insert("properties".to_owned(), json!({ AROUND: inner }));
    outer.insert("required".to_owned(), json!([AROUND]));
    outer.insert("additionalProperties".to_owned(), json!(false));
    Value::Object(outer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_are_checked() {
        let schema = Schema::new(&json!({
            "type": "object", "required": ["score"], "additionalProperties": false,
            "properties": { "score": { "type": "number", "maximum": 1 } },
        }))
        .unwrap();
        assert_eq!(schema.read("```json\n{\"score\": 0.5}\n```").await, Ok(json!({"score": 0.5})));
        assert_eq!(schema.read("I cannot.").await, Err(vec!["It holds no JSON.".to_owned()]));
        let problems = schema.read("{\"score\": 2, \"secret\": \"geheim\"}").await.unwrap_err();
        assert_eq!(problems.len(), 2, "{problems:?}");
        // What a model wrote is not repeated.
        assert!(!problems.concat().contains("geheim") && problems.concat().contains("/score"), "{problems:?}");
    }

    #[tokio::test]
    async fn lists_travel_inside_an_object() {
        let schema = Schema::new(&json!({
            "type": "array", "items": { "$ref": "#/$defs/word" }, "$defs": { "word": { "type": "string" } },
        }))
        .unwrap();
        assert_eq!(schema.sent()["type"], "object");
        assert_eq!(schema.sent()["properties"]["answer"]["items"]["$ref"], "#/$defs/word");
        assert_eq!(schema.sent()["$defs"]["word"]["type"], "string");
        for good in ["{\"answer\": [\"a\"]}", "[\"a\"]"] {
            assert_eq!(schema.read(good).await, Ok(json!(["a"])), "{good}");
        }
        assert!(schema.read("{\"answer\": [1]}").await.is_err());
        jsonschema::meta::validate(schema.sent()).unwrap();
    }

    #[test]
    fn what_is_no_schema_or_leads_elsewhere_is_refused() {
        for bad in [
            json!("object"),
            json!({"type": "objekt"}),
            json!({"$ref": "http://127.0.0.1:1/schema.json"}),
            json!({"$ref": "file:///etc/passwd"}),
            json!({"$ref": "other.json"}),
            json!({"$schema": "http://127.0.0.1:1/meta", "type": "object"}),
            json!({"type": "string", "pattern": "("}),
            json!({"type": "string", "pattern": "(a{1000}){1000}"}),
            json!({"description": "x".repeat(MAX_SCHEMA)}),
        ] {
            let error = Schema::new(&bad).unwrap_err();
            let field = error.field.as_deref();
            assert_eq!((error.code, field), (Code::InvalidValue, Some("json_schema")), "{bad}");
        }
    }

    #[tokio::test]
    async fn patterns_cannot_hold_the_answer_up() {
        let schema = Schema::new(&json!({"type": "object", "properties": {"a": {"pattern": "^(a+)+$"}}})).unwrap();
        let text = json!({ "a": format!("{}!", "a".repeat(50_000)) }).to_string();
        assert!(schema.read(&text).await.is_err());
    }
}
