//! Plain text: one segment on each line, whatever breaks its text had. A transcript without segments gives its text.

use super::cue::lines;
use crate::domain::Transcript;

pub(super) fn render(transcript: &Transcript) -> String {
    let segments: Vec<String> = match transcript.segments.as_slice() {
        [] => texts(&transcript.text),
        segments => segments.iter().map(|segment| texts(&segment.text).join(" ")).collect(),
    };
    segments.iter().filter(|text| !text.is_empty()).map(|text| format!("{text}\n")).collect()
}

fn texts(text: &str) -> Vec<String> {
    lines(text).into_iter().map(|line| line.text).collect()
}
