//! `CONDITION`: `{"@IF": …, "@THEN": "task_b", "@ELSE": "task_c"}` decides whether other tasks run.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{refused, text};
use crate::error::Result;

/// Which steps run when: by name, the expression of their `when`.
pub(super) fn branches(task: &Value, names: &BTreeMap<String, String>) -> Result<Vec<(String, String)>> {
    let Some(condition) =
        task.get("CONDITION").filter(|condition| condition.as_object().is_some_and(|c| !c.is_empty()))
    else {
        return Ok(Vec::new());
    };
    let own = &names[text(task, "TASK_ID")?];
    let is = match condition.get("@IF") {
        Some(Value::String(expression)) => expression.clone(),
        Some(Value::Object(fields)) if !fields.is_empty() => {
            let equal = |(name, value): (&String, &Value)| format!("{} == {value}", path(own, name));
            fields.iter().map(equal).collect::<Vec<_>>().join(" && ")
        }
        _ => return Err(refused("/CONDITION", "\"@IF\" must be an expression, or an object of fields and values")),
    };
    let target = |field: &str| {
        let name = condition.get(field).and_then(Value::as_str);
        name.map(|name| {
            let known = names.get(name).cloned();
            let known = known.ok_or_else(|| refused("/CONDITION", &format!("no task \"{}\"", name.escape_debug())))?;
            match known == *own {
                true => Err(refused("/CONDITION", &format!("{field} names the task itself: it decides about others"))),
                false => Ok(known),
            }
        })
    };
    let mut found = Vec::new();
    if let Some(then) = target("@THEN").transpose()? {
        found.push((then, is.clone()));
    }
    if let Some(other) = target("@ELSE").transpose()? {
        found.push((other, format!("!({is})")));
    }
    if found.is_empty() {
        return Err(refused("/CONDITION", "\"@THEN\" must name a task"));
    }
    Ok(found)
}

/// A field without a root is one of the task's own output.
fn path(own: &str, name: &str) -> String {
    let has_root = ["steps.", "params.", "task."].iter().any(|root| name.starts_with(root));
    if has_root { name.to_owned() } else { format!("steps.{own}.output.{name}") }
}
