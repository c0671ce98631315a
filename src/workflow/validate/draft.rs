//! A definition as far as it can be understood, so that one mistake does not hide the others.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::workflow::definition::{Param, StepDef, Trigger};

/// Steps by name.
pub(super) type Steps = BTreeMap<String, StepDef>;

/// What could be read.
pub(super) struct Draft {
    pub name: String,
    /// The parameters; none for one that cannot be read.
    pub params: BTreeMap<String, Option<Param>>,
    pub triggers: Vec<Option<Trigger>>,
    pub steps: Steps,
    pub on_error: Steps,
    pub output: Option<Value>,
}

impl Draft {
    /// Reads what can be read.
    pub(super) fn of(value: &Value) -> Self {
        let members = |name: &str| value.get(name).and_then(Value::as_object).into_iter().flatten();
        let steps = |name: &str| members(name).map(|(name, step)| (name.clone(), lenient(step))).collect();
        let triggers = value.get("triggers").and_then(Value::as_array).into_iter().flatten();
        Self {
            name: value.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
            params: members("params").map(|(name, param)| (name.clone(), read(param))).collect(),
            triggers: triggers.map(read).collect(),
            steps: steps("steps"),
            on_error: steps("on_error"),
            output: value.get("output").cloned(),
        }
    }

    /// Both groups of steps, each with its name in the definition.
    pub(super) fn groups(&self) -> [(&'static str, &Steps); 2] {
        [("steps", &self.steps), ("on_error", &self.on_error)]
    }
}

fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_value(value.clone()).ok()
}

/// A step without the fields that cannot be read.
fn lenient(value: &Value) -> StepDef {
    if let Some(step) = read(value) {
        return step;
    }
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let after = value.get("after").and_then(Value::as_array).into_iter().flatten();
    StepDef {
        kind: text("use").unwrap_or_default(),
        with: value.get("with").and_then(Value::as_object).cloned().unwrap_or_else(Map::new),
        when: text("when"),
        foreach: value.get("foreach").and_then(read),
        after: after.filter_map(Value::as_str).map(str::to_owned).collect(),
        retry: None,
        delay: None,
        timeout: None,
        deadline: None,
        on_error: value.get("on_error").and_then(read).unwrap_or_default(),
    }
}
