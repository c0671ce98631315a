//! JSON: the transcript as it is, on one line, as the API shows it. Nothing is cleaned or rounded.

use crate::domain::Transcript;

pub(super) fn render(transcript: &Transcript) -> String {
    // Plain structs with string keys always serialise; a time that is no number becomes null.
    let mut file = serde_json::to_string(transcript).unwrap_or_default();
    file.push('\n');
    file
}
