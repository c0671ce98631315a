//! Why there is nothing, and how sure that is.

use crate::{CrawlError, ErrorClass, Outcome, Resolved};

/// An error with its weight.
#[derive(Debug)]
pub(super) enum Miss {
    /// TikTok said so.
    Answer(CrawlError),
    /// TikTok said so, but says it for other reasons, too.
    Doubt(CrawlError),
    /// This way did not work.
    Failed(CrawlError),
}

impl Miss {
    pub(super) fn answer(class: ErrorClass, message: impl Into<String>) -> Self {
        Self::Answer(CrawlError::new(class, message))
    }

    pub(super) fn doubt(class: ErrorClass, message: impl Into<String>) -> Self {
        Self::Doubt(CrawlError::new(class, message))
    }

    pub(super) fn failed(class: ErrorClass, message: impl Into<String>) -> Self {
        Self::Failed(CrawlError::new(class, message))
    }

    /// The error, whatever its weight.
    pub(super) fn error(self) -> CrawlError {
        match self {
            Self::Answer(error) | Self::Doubt(error) | Self::Failed(error) => error,
        }
    }
}

/// How a strategy ended that leaves early with a miss.
pub(super) fn outcome(found: Result<Resolved, Miss>) -> Outcome {
    match found {
        Ok(resolved) => Outcome::Found(Box::new(resolved)),
        Err(Miss::Answer(error)) => Outcome::Answer(error),
        Err(Miss::Doubt(error)) => Outcome::Doubt(error),
        Err(Miss::Failed(error)) => Outcome::Failed(error),
    }
}
