//! Whether each step's `with` is what its kind takes.

use std::{collections::BTreeMap, sync::LazyLock};

use jsonschema::Validator;
use serde_json::Value;

use super::{Problem, draft::Draft, shape};
use crate::workflow::kinds;

static VALIDATORS: LazyLock<BTreeMap<&'static str, Validator>> =
    LazyLock::new(|| kinds::all().iter().map(|kind| (kind.word, shape::validator(&kind.with))).collect());

/// Checks the input of every step whose kind is known.
pub(super) fn check(draft: &Draft, problems: &mut Vec<Problem>) {
    for (group, steps) in draft.groups() {
        for (name, step) in steps {
            let Some(kind) = kinds::of(&step.kind) else { continue };
            let Some(validator) = VALIDATORS.get(kind.word) else { continue };
            let with = Value::Object(step.with.clone());
            shape::against(validator, &kind.with, &with, &format!("/{group}/{name}/with"), problems);
        }
    }
}
