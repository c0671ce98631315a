//! `transcribe`.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Kind;
use crate::domain::{Options, Segment};

pub(super) struct Transcribe;

impl Kind for Transcribe {
    const WORD: &'static str = "transcribe";
    type With = With;
    type Output = Output;
}

/// Turns what is said in media into a transcript.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = with_options)]
pub struct With {
    /// The output of a `download` step; or `media:<id>`, `upload:<id>`, the output of a `resolve` step, for what is here.
    pub media: Value,
    /// Any option of `POST /api/tasks`; a task's own options win.
    #[serde(flatten)]
    #[schemars(skip)]
    pub options: Map<String, Value>,
}

/// Every option by its name; their ranges are checked when the step runs.
fn with_options(schema: &mut Schema) {
    let names = json!(Options::default());
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for name in names.as_object().into_iter().flatten().map(|(name, _)| name) {
            properties.insert(name.clone(), json!({ "description": format!("The option `{name}`.") }));
        }
    }
    schema.insert("additionalProperties".to_owned(), json!(false));
}

/// The transcript.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Its id.
    pub transcript_id: i64,
    /// Everything that is said.
    pub text: String,
    /// The language's code.
    pub language: String,
    /// How long the audio is, in seconds.
    pub duration: f64,
    /// What is said when.
    #[schemars(schema_with = "segments")]
    pub segments: Vec<Segment>,
    /// The model's name.
    pub model: String,
    /// The script in which a Chinese text is shown.
    pub zh: String,
    /// How long recognition took, in milliseconds.
    pub inference_ms: u64,
    /// Whether the same audio was recognised before.
    pub cached: bool,
    /// What a reader should know.
    pub warnings: Vec<String>,
}

fn segments(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "array", "items": { "type": "object" } })
}
