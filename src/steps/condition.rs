//! `condition`: the value of the first case that is true. Which one that is was worked out with the input
//! ([`crate::workflow::kinds::input`]), so that nothing of the other cases is looked at.

use serde_json::Value;

use super::{Job, Outcome};
use crate::error::Result;

pub(super) async fn run(job: &Job<'_>) -> Result<Outcome> {
    Ok(Value::Object(job.input.clone()).into())
}
