//! `exec:<name>`.

use serde_json::{Map, Value};

use super::{EXEC, Kind};

pub(super) struct Exec;

impl Kind for Exec {
    const WORD: &'static str = EXEC;
    type With = With;
    type Output = Value;
}

/// Runs a program that the operator has declared; it gets `with` as JSON and answers with JSON.
#[derive(Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct With(pub Map<String, Value>);
