//! Reads the text of a definition: JSON in which no key appears twice and nothing lies too deep.

use std::cell::RefCell;

use serde_json::Value;

use super::{Problem, shown};
use crate::domain::json::{self, TOO_DEEP};

/// The largest definition, in bytes.
const MAX_BYTES: usize = 256 * 1024;

/// The value of a text. Keys that appear twice are told; the last one counts. Without a value, the text is no JSON.
pub(super) fn read(text: &str, problems: &mut Vec<Problem>) -> Option<Value> {
    if text.len() > MAX_BYTES {
        let message = format!("{} bytes; a definition has at most 256 KiB", text.len());
        problems.push(Problem::new("E_LIMIT", "", message));
        return None;
    }
    let found = RefCell::new(Vec::new());
    let twice = |place: &json::Place<'_>, name: &str| {
        let message = format!("key \"{}\" appears twice", shown(name));
        found.borrow_mut().push(Problem::new("E_JSON_DUP", place.to_string(), message));
        Ok(())
    };
    let value = match json::read(text.as_bytes(), &twice) {
        Ok(value) => Some(value),
        Err(error) => {
            // The message of serde_json ends with the place, which we put first.
            let told = error.to_string();
            let what = told.split(" at line ").next().unwrap_or(&told).to_owned();
            let problem = if what == TOO_DEEP {
                Problem::new("E_LIMIT", "", TOO_DEEP)
            } else {
                Problem::new("E_JSON", "", format!("line {}, column {}: {what}", error.line(), error.column()))
            };
            problems.push(problem);
            None
        }
    };
    problems.extend(found.into_inner());
    value
}
