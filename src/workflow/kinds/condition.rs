//! `condition`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Kind;
use crate::{
    error::{Code, Error, Result},
    workflow::{expr, template},
};

pub(super) struct Condition;

impl Kind for Condition {
    const WORD: &'static str = "condition";
    type With = With;
    type Output = Output;
}

/// Takes the value of the first case that is true.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// The cases, in order: a list that is written out.
    pub cases: Vec<Case>,
    /// The value when no case is true.
    #[serde(default, rename = "else")]
    pub otherwise: Value,
}

/// One case.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// An expression that is true or false, as in a step's own `when`: without `${…}`.
    pub when: String,
    /// Its value.
    #[serde(default)]
    pub value: Value,
}

/// What was taken.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The value.
    pub value: Value,
    /// Which case it is of, from 0; null where it is that of `else`.
    pub case: Option<usize>,
}

/// What a `with` as it is written comes to. A `when` is code and never filled in; of the values only the one that is taken
/// is.
///
/// # Errors
/// When the cases are none, one's `when` is neither true nor false, or the value cannot be filled in.
pub fn choose(with: &Map<String, Value>, scope: &Value) -> Result<Output> {
    let no = |index: usize, why: &str| Error::new(Code::Expression, format!("The `when` of case {index} {why}"));
    let cases = with.get("cases").and_then(Value::as_array);
    let cases = cases.ok_or_else(|| Error::new(Code::InvalidWorkflow, "The cases of a condition are no list"))?;
    let filled = |place: &str, value: Option<&Value>| {
        value.map_or(Ok(Value::Null), |value| template::fill_at(place, value, scope))
    };
    for (index, case) in cases.iter().enumerate() {
        let when = case.get("when").and_then(Value::as_str).ok_or_else(|| no(index, "is not there"))?;
        match expr::evaluate(when, scope)? {
            Value::Bool(true) => {
                let value = filled(&format!("/with/cases/{index}/value"), case.get("value"))?;
                return Ok(Output { value, case: Some(index) });
            }
            Value::Bool(false) => {}
            _ => return Err(no(index, "is neither true nor false")),
        }
    }
    Ok(Output { value: filled("/with/else", with.get("else"))?, case: None })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn case(when: &str, value: Value) -> Value {
        json!({ "when": when, "value": value })
    }

    fn of(cases: Vec<Value>) -> Result<(Value, Option<usize>)> {
        let scope = json!({ "params": { "yes": true, "no": false, "text": "x", "evil": "' || true || '" } });
        let with = json!({ "cases": cases, "else": "else ${params.text}" });
        choose(with.as_object().unwrap(), &scope).map(|output| (output.value, output.case))
    }

    #[test]
    fn the_first_true_case_counts() {
        let three = vec![case("params.no", json!(1)), case("params.yes", json!([2])), case("params.yes", json!(3))];
        assert_eq!(of(three).unwrap(), (json!([2]), Some(1)));
        assert_eq!(of(vec![case("params.no", json!(1))]).unwrap(), (json!("else x"), None));
        assert_eq!(of(vec![]).unwrap(), (json!("else x"), None));
        // What stands behind the case that is taken does not matter.
        assert_eq!(of(vec![case("params.yes", json!(1)), case("params.gone", json!(2))]).unwrap().1, Some(0));
        for bad in ["params.text", "params.gone"] {
            assert_eq!(of(vec![case(bad, json!(1))]).unwrap_err().code, Code::Expression, "{bad}");
        }
    }

    #[test]
    fn what_a_text_says_is_no_code() {
        // A `when` of an older version that was filled in before it was read.
        assert!(of(vec![case("'a' == '${params.evil}'", json!("taken"))]).unwrap().1.is_none());
        assert!(of(vec![case("${params.evil}", json!("taken"))]).is_err());
    }

    #[test]
    fn only_the_value_that_is_taken_is_filled_in() {
        let cases = vec![case("params.no", json!("${params.gone}")), case("params.yes", json!("<${params.text}>"))];
        assert_eq!(of(cases).unwrap(), (json!("<x>"), Some(1)));
        let error = of(vec![case("params.yes", json!("${params.gone}"))]).unwrap_err();
        assert_eq!(error.hint, "Correct the expression at /with/cases/0/value.");
    }
}
