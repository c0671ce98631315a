//! Whether the machine has what steps name: programs, prompts, models, secrets. Another one may, and this one may have it tomorrow: these are warnings.

use serde_json::Value;

use super::{Problem, draft::Draft, shown, world::Machine};
use crate::{
    domain::options::nearest,
    workflow::{expr::Reference, template::references},
};

/// The name of the model that a step asks which names none.
const DEFAULT: &str = "default";

/// Looks for programs, prompts and language models that are not there.
pub(super) fn check(draft: &Draft, machine: &Machine, problems: &mut Vec<Problem>) {
    for (group, steps) in draft.groups() {
        for (name, step) in steps {
            let mut look = |field: &str, what: &str, given: &str, known: &Option<Vec<String>>| {
                let Some(known) = known.as_ref().filter(|known| !known.iter().any(|one| one == given)) else { return };
                let message = match known.as_slice() {
                    [] => format!("no {what} is configured here"),
                    _ => format!("no {what} \"{}\" is configured here", shown(given)),
                };
                let meant = nearest(given, known.iter().map(String::as_str));
                problems.push(Problem::new("W_UNKNOWN", format!("/{group}/{name}{field}"), message).or(meant));
            };
            let mut found = Vec::new();
            references(&Value::Object(step.with.clone()), "/with", &mut found);
            for (place, reference) in found {
                if let Ok(Reference { path, .. }) = reference
                    && let [root, secret, ..] = path.as_slice()
                    && root == "secrets"
                {
                    look(&place, "secret", secret, &machine.secrets);
                }
            }
            if let Some(program) = step.kind.strip_prefix("exec:") {
                look("/use", "program", program, &machine.programs);
            }
            if step.kind != "llm" {
                continue;
            }
            if let Some(prompt) = written(step.with.get("prompt")) {
                look("/with/prompt", "prompt", prompt, &machine.prompts);
            }
            match step.with.get("model") {
                None | Some(Value::Null) => look("", "language model", DEFAULT, &machine.models),
                model => {
                    if let Some(model) = written(model) {
                        look("/with/model", "language model", model, &machine.models);
                    }
                }
            }
        }
    }
}

/// A name that is written out.
fn written(value: Option<&Value>) -> Option<&str> {
    value?.as_str().filter(|text| !text.contains("${"))
}
