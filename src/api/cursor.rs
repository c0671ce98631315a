//! Where a list goes on: opaque to clients.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::error::{Code, Error, Result};

/// The cursor after the row with this id.
pub(super) fn encode(last: i64) -> String {
    encode_text(&last.to_string())
}

/// The id of the row that a cursor stands for.
pub(super) fn decode(cursor: &str) -> Result<i64> {
    decode_text(cursor)?.parse().ok().filter(|id| *id > 0).ok_or_else(refused)
}

/// The cursor after the row whose id is this text.
pub(super) fn encode_text(last: &str) -> String {
    URL_SAFE_NO_PAD.encode(last)
}

/// The text that a cursor stands for.
pub(super) fn decode_text(cursor: &str) -> Result<String> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refused())?;
    String::from_utf8(bytes).ok().filter(|text| !text.is_empty()).ok_or_else(refused)
}

fn refused() -> Error {
    Error::new(Code::InvalidValue, "The cursor is none that trawl has given")
        .with_hint("Take `next_cursor` from the answer before, or leave the cursor out to start again.")
        .with_field("cursor")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn round_trips(id in 1i64..) {
            prop_assert_eq!(decode(&encode(id)).unwrap(), id);
        }

        #[test]
        fn anything_else_is_refused(text in ".{0,40}") {
            if let Ok(id) = decode(&text) {
                // The digits may have a sign or zeros in front: still an id.
                prop_assert!(id > 0);
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
