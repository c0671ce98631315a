//! `condition`: the value of the first case that is true.

use serde_json::{Value, json};

use super::{Job, Outcome};
use crate::{
    error::{Code, Error, Result},
    workflow::{
        expr,
        kinds::condition::{Case, Output, With},
    },
};

pub(super) async fn run(job: &Job<'_>) -> Result<Outcome> {
    let With { cases, otherwise } = job.input()?;
    let scope = job.scope.clone();
    // Expressions may take a while.
    let chosen = tokio::task::spawn_blocking(move || choose(cases, otherwise, &scope));
    let chosen = chosen.await.map_err(|error| Error::new(Code::Internal, "The cases were lost").with_source(error))?;
    Ok(json!(chosen?).into())
}

fn choose(cases: Vec<Case>, otherwise: Value, scope: &Value) -> Result<Output> {
    for (index, Case { when, value }) in cases.into_iter().enumerate() {
        match expr::evaluate(&when, scope)? {
            Value::Bool(true) => return Ok(Output { value, case: Some(index) }),
            Value::Bool(false) => {}
            _ => {
                let detail = format!("The `when` of case {index} is neither true nor false");
                return Err(Error::new(Code::Expression, detail));
            }
        }
    }
    Ok(Output { value: otherwise, case: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_true_case_counts() {
        let scope = json!({ "params": { "yes": true, "no": false, "text": "x" } });
        let case = |when: &str, value: Value| Case { when: when.to_owned(), value };
        let of = |cases: Vec<Case>| choose(cases, json!("else"), &scope);
        let taken = |cases| of(cases).map(|output| (output.value, output.case)).unwrap();
        let three = vec![case("params.no", json!(1)), case("params.yes", json!([2])), case("params.yes", json!(3))];
        assert_eq!(taken(three), (json!([2]), Some(1)));
        assert_eq!(taken(vec![case("params.no", json!(1))]), (json!("else"), None));
        assert_eq!(taken(vec![]), (json!("else"), None));
        // What stands behind the case that is taken does not matter.
        assert_eq!(taken(vec![case("params.yes", json!(1)), case("params.gone", json!(2))]).1, Some(0));
        for bad in ["params.text", "params.gone"] {
            assert_eq!(of(vec![case(bad, json!(1))]).unwrap_err().code, Code::Expression, "{bad}");
        }
    }
}
