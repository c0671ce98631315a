//! The kinds of steps: one file each with what it takes and what it makes, and the one table of all of them.
//!
//! Validation, the documentation of the API and editors read the same types. A kind's `With` says what its function gets
//! once the references are filled in; in a definition any of it may be a `${…}`.

pub mod callback;
pub mod condition;
pub mod download;
pub mod exec;
pub mod http;
pub mod llm;
pub mod resolve;
pub mod subtitle;
pub mod transcribe;
pub mod workflow;

use std::sync::LazyLock;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::template;
use crate::{domain::StepKind, error::Result};

/// What a step's kind says about itself.
trait Kind {
    /// The word after `use`; [`EXEC`] stands for every program.
    const WORD: &'static str;
    /// The fields of `With` that may hold `${secrets.NAME}`, themselves or anywhere below them.
    const SECRETS: &'static [&'static str] = &[];
    /// The fields of `With` that say where something is sent: what another step made, and with it what a stranger said
    /// or wrote, must not decide about them.
    const OURS: &'static [&'static str] = &[];
    /// What it takes. Its description says what the kind does.
    type With: JsonSchema;
    /// What it makes; fields that are not known beforehand when it has no fields.
    type Output: JsonSchema;
}

/// The word in the table for every `exec:<name>`.
pub const EXEC: &str = "exec:<name>";

/// One kind of step.
#[derive(Clone, Debug)]
pub struct KindSpec {
    /// The word after `use`; [`EXEC`] for programs.
    pub word: &'static str,
    /// The JSON Schema of `with`.
    pub with: Value,
    /// The JSON Schema of the output.
    pub output: Value,
    /// The fields of `with`.
    pub inputs: Vec<String>,
    /// The fields of the output, sorted as they are declared; none when any may be there.
    pub outputs: Vec<String>,
    /// The fields of `with` that may hold secrets, themselves or anywhere below them.
    pub secrets: &'static [&'static str],
    /// The fields of `with` that no step's output may decide about.
    pub ours: &'static [&'static str],
}

static ALL: LazyLock<Vec<KindSpec>> = LazyLock::new(|| {
    vec![
        spec::<resolve::Resolve>(),
        spec::<download::Download>(),
        spec::<transcribe::Transcribe>(),
        spec::<subtitle::Subtitle>(),
        spec::<llm::Llm>(),
        spec::<http::Http>(),
        spec::<callback::Callback>(),
        spec::<condition::Condition>(),
        spec::<workflow::Workflow>(),
        spec::<exec::Exec>(),
    ]
});

/// Every kind that a definition may use.
pub fn all() -> &'static [KindSpec] {
    &ALL
}

/// The kind that a word after `use` names.
pub fn of(word: &str) -> Option<&'static KindSpec> {
    let is_program = word.strip_prefix("exec:").is_some_and(|name| !name.is_empty());
    let word = if is_program { EXEC } else { word };
    ALL.iter().find(|kind| kind.word == word)
}

fn spec<K: Kind>() -> KindSpec {
    let (with, output) = (schema::<K::With>(), schema::<K::Output>());
    KindSpec {
        word: K::WORD,
        inputs: fields(&with),
        outputs: fields(&output),
        with,
        output,
        secrets: K::SECRETS,
        ours: K::OURS,
    }
}

/// What a step works on: its `with`, references filled in. Of a `condition` it is what that comes to, for the cases which
/// are not taken are not filled in. Expressions may take a while.
///
/// # Errors
/// When something that is referred to is missing, or too large.
pub fn input(kind: StepKind, with: &Map<String, Value>, scope: &Value) -> Result<Value> {
    match kind {
        StepKind::Condition => Ok(json!(condition::choose(with, scope)?)),
        _ => template::fill_at("/with", &Value::Object(with.clone()), scope),
    }
}

/// A schema that stands by itself.
fn schema<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

fn fields(schema: &Value) -> Vec<String> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_word() {
        for kind in all() {
            let word = kind.word.replace("<name>", "x");
            assert_eq!(of(&word).map(|found| found.word), Some(kind.word));
            assert!(kind.with.get("description").is_some(), "{word} does not say what it does");
            for field in kind.secrets.iter().chain(kind.ours) {
                assert!(kind.inputs.iter().any(|name| name == field), "{word} takes no {field}");
            }
        }
        for none in ["", "extract", "exec", "exec:", "shell"] {
            assert!(of(none).is_none(), "{none}");
        }
    }
}
