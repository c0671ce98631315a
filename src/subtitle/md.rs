//! Markdown: a paragraph for each segment, after its start in bold. A transcript without segments gives its text.

use super::{
    cue::{Line, lines},
    time::{millis, seconds},
};
use crate::domain::Transcript;

pub(super) fn render(transcript: &Transcript) -> String {
    let spoken: Vec<(f64, &str)> = match transcript.segments.as_slice() {
        [] => vec![(0.0, &transcript.text)],
        segments => segments.iter().map(|segment| (segment.start, segment.text.as_str())).collect(),
    };
    let paragraphs = spoken.into_iter().filter_map(|(start, text)| {
        let text = Line::join(&lines(text)).text;
        (!text.is_empty()).then(|| format!("**[{}]** {}\n", seconds(millis(start)), escape(&text)))
    });
    paragraphs.collect::<Vec<_>>().join("\n")
}

/// Takes their meaning from the characters that have one inside a paragraph.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if "\\`*_[<&~".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
