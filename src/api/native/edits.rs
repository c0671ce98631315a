//! Transcripts that people correct.

use poem_openapi::Object;

use super::Context;
use crate::{
    api::sample::sample,
    domain::TaskId,
    error::{Code, Error, Result},
    transcribe::edit::{self, Edit, Line},
    zh,
};

/// A corrected transcript: either all segments with their times, or the text alone. / 修改后的文字稿：全部片段，或仅文本。
#[derive(Debug, Object)]
#[oai(rename = "TranscriptEdit", example, skip_serializing_if_is_none)]
pub(super) struct Corrected {
    /// Every segment, in order, not overlapping, within the audio; at most 20,000.
    #[oai(nullable)]
    segments: Option<Vec<SegmentEdit>>,
    /// One line for each segment. With as many lines as there were segments each keeps its times, else they are spread
    /// over the same time in proportion to their lengths.
    #[oai(nullable)]
    text: Option<String>,
}

/// One corrected segment; what else a transcript's segments have is passed over. / 一个片段；其余字段会被忽略。
#[derive(Debug, Object)]
#[oai(rename = "SegmentEdit")]
struct SegmentEdit {
    /// Start in seconds.
    start: f64,
    /// End in seconds, not before the start.
    end: f64,
    /// What is said, at most 10,000 characters. A segment without text is left out.
    text: String,
}

impl Corrected {
    /// What is to be done.
    pub(super) fn edit(self) -> Result<Edit> {
        let line = |segment: SegmentEdit| Line { start: segment.start, end: segment.end, text: segment.text };
        match (self.segments, self.text) {
            (Some(segments), None) => Ok(Edit::Lines(segments.into_iter().map(line).collect())),
            (None, Some(text)) => Ok(Edit::Text(text)),
            (segments, _) => {
                let what = if segments.is_some() { "Both" } else { "None" };
                let detail = format!("{what} of `segments` and `text` are given");
                Err(Error::new(Code::InvalidValue, detail).with_hint("Give one of them.").with_field("segments"))
            }
        }
    }
}

impl Context {
    /// Stores an edit as a new revision.
    pub(super) async fn edit(&self, id: TaskId, edit: Edit, if_match: Option<&str>) -> Result<()> {
        let task = self.readable(id).await?;
        if !task.status.is_final() {
            // What comes after may hear more, or work on what was recognised.
            let detail = format!("Task {id} is {}", task.status);
            return Err(Error::new(Code::NotReady, detail).with_hint("Correct its words when it has ended."));
        }
        let tx = self.store().begin().await?;
        let none = || Error::new(Code::NotFound, format!("Task {id} has made no transcript"));
        let mut before = tx.newest_revision(id).await?.ok_or_else(none)?;
        if !if_match.is_none_or(|tags| is_met(tags, before.number)) {
            let detail = format!("Revision {} of the transcript is there already", before.number);
            return Err(Error::new(Code::Conflict, detail).with_hint("Read it, then edit that one."));
        }
        // What was corrected is what was shown.
        let script = self.script_of(id, &before).await?;
        zh::convert(&mut before.transcript, script);
        let after = edit::apply(&before.transcript, edit)?;
        tx.insert_edit(id, &before, &after).await?;
        tx.commit().await
    }
}

/// Whether one of the tags names this revision.
fn is_met(tags: &str, number: u32) -> bool {
    // The tag of what was sent packed is a weak one.
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned();
    tags.split(',').map(plain).any(|tag| tag == "*" || tag == number.to_string())
}

sample!(Corrected, {
    "segments": [
        { "start": 0.0, "end": 2.4, "text": "Good morning." },
        { "start": 2.4, "end": 5.1, "text": "Please send the report." },
    ]
});
