//! What is decided about a row before its work: whether it runs at all, and for which items.

use serde_json::Value;

use crate::{
    domain::Lane,
    error::{Code, Error, Result},
    store::StepRow,
    workflow::{Rule, depth, expr},
};

/// What was decided.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Its `when` came to false.
    Skip,
    /// It is done once for each of these.
    List(Vec<Value>),
    /// Its work is done in another lane.
    Elsewhere,
    /// Its work begins. `chosen` says that its `when` has just come to true, which is to be noted before.
    Here {
        /// Whether there was something to decide.
        chosen: bool,
    },
}

/// Whether there is anything to decide about a row.
pub fn is_open(row: &StepRow) -> bool {
    let rule = Rule::read(&row.rule);
    let is_waiting = row.step.lane == Lane::Flow && row.step.kind.lane() != Lane::Flow;
    row.list.is_none() && (rule.foreach.is_some() || (rule.when.is_some() && row.chosen.is_none()) || is_waiting)
}

/// Evaluates what a row's rule says over its scope. What was decided once stays so. May take 250 ms for each expression.
///
/// # Errors
/// `expression` when something does not evaluate or is of another type; `too_large` for a list beyond its limit,
/// and for items that are nested too deep to be kept.
pub fn decide(row: &StepRow, scope: &Value) -> Result<Decision> {
    if !is_open(row) {
        return Ok(Decision::Here { chosen: false });
    }
    let rule = Rule::read(&row.rule);
    let chosen = match &rule.when {
        Some(when) if row.chosen.is_none() => {
            if !truth(when, scope)? {
                return Ok(Decision::Skip);
            }
            true
        }
        _ => false,
    };
    if let Some(list) = &rule.foreach {
        return items(&row.step.key, &list.list, list.limit, scope).map(Decision::List);
    }
    Ok(if row.step.kind.lane() == row.step.lane { Decision::Here { chosen } } else { Decision::Elsewhere })
}

fn truth(when: &str, scope: &Value) -> Result<bool> {
    let value = expr::evaluate(when, scope)?;
    value.as_bool().ok_or_else(|| {
        let detail = format!("`when` must come to true or false, not to {}", shown(&value));
        Error::new(Code::Expression, detail)
    })
}

fn items(key: &str, list: &str, limit: u32, scope: &Value) -> Result<Vec<Value>> {
    match expr::evaluate(list, scope)? {
        Value::Array(items) if items.len() <= limit as usize => {
            items.iter().try_for_each(|item| depth::check(item, &format!("An item of step \"{key}\"")))?;
            Ok(items)
        }
        Value::Array(items) => {
            let detail = format!("The list of step \"{key}\" has {} items and its limit is {limit}", items.len());
            Err(Error::new(Code::TooLarge, detail).with_hint("Raise `foreach.limit` or make the list shorter."))
        }
        other => {
            let detail = format!("`foreach.in` must come to a list, not to {}", shown(&other));
            Err(Error::new(Code::Expression, detail))
        }
    }
}

/// A value in a message: short, and no more than its kind where it is large.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => other.to_string().chars().take(60).collect(),
    }
}
