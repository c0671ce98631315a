//! What a request says about doing a task once more.

use poem_openapi::Object;

use crate::{
    api::sample::sample,
    error::{Code, Error, Result},
    intake::{From, Rerun},
};

/// How a task is done once more. / 如何再做一次任务。
#[derive(Debug, Default, Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct Again {
    /// `failed`, `start`, or the name of a step.
    #[oai(nullable)]
    pub from: Option<String>,
    /// `same` or `latest`.
    #[oai(nullable)]
    pub revision: Option<String>,
}

impl Again {
    /// What it asks for.
    pub(super) fn rerun(self) -> Result<Rerun> {
        let from = match self.from.as_deref() {
            None | Some("failed") => From::Failed,
            Some("start") => From::Start,
            Some(step) => From::Step(step.to_owned()),
        };
        let latest = match self.revision.as_deref() {
            None | Some("same") => false,
            Some("latest") => true,
            Some(other) => {
                let detail = format!("`revision` is `same` or `latest`, not \"{}\"", other.escape_debug());
                return Err(Error::new(Code::InvalidValue, detail).with_field("revision"));
            }
        };
        Ok(Rerun { from, latest })
    }
}

sample!(Again, { "from": "text", "revision": "latest" });
