//! Where a list goes on: opaque to clients.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    domain::TaskId,
    error::{Code, Error, Result},
};

/// The cursor after a task.
pub(super) fn encode(last: TaskId) -> String {
    URL_SAFE_NO_PAD.encode(last.to_string())
}

/// The task that a cursor stands for.
pub(super) fn decode(cursor: &str) -> Result<TaskId> {
    let read = |cursor: &str| -> Option<i64> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        std::str::from_utf8(&bytes).ok()?.parse().ok()
    };
    read(cursor).filter(|id| *id > 0).map(TaskId).ok_or_else(|| {
        Error::new(Code::InvalidValue, "The cursor is none that trawl has given")
            .with_hint("Take `next_cursor` from the answer before, or leave the cursor out to start again.")
            .with_field("cursor")
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn round_trips(id in 1i64..) {
            prop_assert_eq!(decode(&encode(TaskId(id))).unwrap(), TaskId(id));
        }

        #[test]
        fn anything_else_is_refused(text in ".{0,40}") {
            if let Ok(id) = decode(&text) {
                // The digits may have a sign or zeros in front: still a task.
                prop_assert!(id.0 > 0);
            }
        }
    }

    #[test]
    fn what_is_no_cursor_is_told() {
        for bad in ["", "x", "LTE", "MA", "YWJj", "7"] {
            assert_eq!(decode(bad).unwrap_err().field.as_deref(), Some("cursor"), "{bad}");
        }
    }
}
