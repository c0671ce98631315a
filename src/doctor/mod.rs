//! Whether what trawl needs is here, and which ways to platforms work today: the checks of `trawl doctor` and
//! `GET /api/doctor`. Nothing is changed by them, and no secret is told.

mod inside;
mod links;
mod machine;
mod outside;

use std::time::Instant;

use serde::Serialize;

pub use self::{
    inside::{database, identities},
    links::check as links,
    machine::checks as machine,
    outside::checks as outside,
};
use crate::error::Result;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// All is well.
    Ok,
    /// It is not.
    Failed,
    /// There was nothing to check.
    Skipped,
}

/// One check.
#[derive(Debug, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// How it ended.
    pub ending: Ending,
    /// Whether trawl does not work without it.
    pub needed: bool,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// What is here, or what is wrong.
    pub detail: String,
    /// What kind of failure it is: a code of docs/errors.md, or the class of a way's failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// What a check finds: words about it, or why there was nothing to check.
pub enum Found {
    /// What is here.
    Here(String),
    /// Why nothing was looked at.
    Nothing(String),
}

impl Check {
    /// The outcome of a check that began at `begun`.
    pub fn of(name: &str, needed: bool, begun: Instant, found: Result<Found>) -> Self {
        let (ending, detail, error) = match found {
            Ok(Found::Here(detail)) => (Ending::Ok, detail, None),
            Ok(Found::Nothing(detail)) => (Ending::Skipped, detail, None),
            Err(error) => (Ending::Failed, error.chain(), Some(error)),
        };
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let class = error.as_ref().map(|error| error.code.as_str().to_owned());
        Self { name: name.to_owned(), ending, needed, ms, detail, class, hint: error.map(|error| error.hint) }
    }

    /// Whether trawl does not work because of it.
    pub fn is_fatal(&self) -> bool {
        self.needed && self.ending == Ending::Failed
    }
}
