//! A panic as an error, where one piece of work must not take others with it.

use std::{any::Any, future::Future, panic::AssertUnwindSafe};

use futures_util::FutureExt;

use super::{Code, Error, Result};

#[derive(Debug, thiserror::Error)]
#[error("panicked: {0}")]
struct Panicked(String);

/// What `work` comes to. What it holds is dropped when it panics: locks are released, transactions undone.
///
/// # Errors
/// Those of the work; `internal` when it panics.
pub async fn guarded<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|panic| Err(panicked(panic.as_ref())))
}

/// Whether an error was a panic.
pub fn is_panic(error: &Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<Panicked>())
}

/// A panic as an error.
pub fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without words");
    Error::new(Code::Internal, "The daemon's code has a bug and gave up").with_source(Panicked(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_and_other_errors_stay_what_they_are() {
        let error = guarded::<()>(async { panic!("as {}", "asked") }).await.unwrap_err();
        assert_eq!(error.code, Code::Internal);
        assert!(is_panic(&error) && error.chain().contains("as asked"), "{}", error.chain());
        let error = guarded::<()>(async { Err(Error::new(Code::Database, "locked")) }).await.unwrap_err();
        assert!(error.code == Code::Database && !is_panic(&error));
        assert_eq!(guarded(async { Ok(7) }).await.unwrap(), 7);
    }
}
