//! `subtitle`.

use super::{Job, Outcome};
use crate::error::{Code, Error, Result};

pub(super) async fn run(_job: &Job<'_>) -> Result<Outcome> {
    Err(Error::new(Code::Internal, "Steps of this kind cannot run yet"))
}
