//! Transcripts that people correct.

use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path},
    types::Example,
};

use super::{Context, Group, transcript::Rendered};
use crate::{
    api::body::JsonBody,
    domain::TaskId,
    error::{Code, Error, Result},
    store::Revision,
    subtitle::{Format, Layout, render},
    transcribe::edit::{self, Edit, Line},
};

/// Corrections.
pub(in crate::api) struct Edits(pub(super) Context);

/// A corrected transcript: either all segments with their times, or the text alone. / 修改后的文字稿：全部片段，或仅文本。
#[derive(Debug, Object)]
#[oai(rename = "TranscriptEdit", example)]
struct Corrected {
    /// Every segment, in order, not overlapping, within the audio; at most 20,000.
    #[oai(nullable)]
    segments: Option<Vec<SegmentEdit>>,
    /// One line for each segment. With as many lines as there were segments each keeps its times, else they are spread
    /// over the same time in proportion to their lengths.
    #[oai(nullable)]
    text: Option<String>,
}

/// One corrected segment. / 一个片段。
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

#[OpenApi(tag = "Group::Results")]
impl Edits {
    /// Correct a transcript
    ///
    /// Stores the correction as a new revision, which every format, the search and exports show from then on. What was
    /// recognised stays (`?revision=original`), and so do the 50 newest edits. Segments that were left as they are keep
    /// their words with times. With `If-Match: "REVISION"`, the `ETag` of what was edited, nobody else's edit is lost.
    ///
    /// 保存对文字稿的修改为新修订版，此后所有格式、搜索与导出均使用它；识别原文保留（`?revision=original`）。带 `If-Match` 可避免覆盖他人的修改。
    #[oai(path = "/api/tasks/:id/transcript", method = "put", operation_id = "edit_transcript")]
    async fn put(
        &self,
        /// The task.
        id: Path<i64>,
        /// The `ETag` of the revision that was edited; another one is a conflict.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: JsonBody<Corrected>,
    ) -> poem::Result<Rendered> {
        let (id, edit) = (TaskId(id.0), body.value.edit()?);
        self.0.edit(id, edit, if_match.0.as_deref()).await?;
        let Revision { transcript, number, .. } = self.0.revision(id, None, None).await?;
        let text = render(&transcript, Format::Json, &Layout::default());
        Ok(Rendered { name: format!("task-{id}"), format: Format::Json, text, revision: Some(number) })
    }
}

impl Corrected {
    fn edit(self) -> Result<Edit> {
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
    async fn edit(&self, id: TaskId, edit: Edit, if_match: Option<&str>) -> Result<()> {
        self.completed(id).await?;
        let tx = self.store().begin().await?;
        let none = || Error::new(Code::NotFound, format!("Task {id} has made no transcript"));
        let before = tx.newest_revision(id).await?.ok_or_else(none)?;
        if !if_match.is_none_or(|tags| is_met(tags, before.number)) {
            let detail = format!("Revision {} of the transcript is there already", before.number);
            return Err(Error::new(Code::Conflict, detail).with_hint("Read it, then edit that one."));
        }
        let after = edit::apply(&before.transcript, edit)?;
        tx.insert_edit(id, &before, &after).await?;
        tx.commit().await
    }
}

/// Whether one of the tags names this revision.
fn is_met(tags: &str, number: u32) -> bool {
    tags.split(',').map(|tag| tag.trim().trim_matches('"')).any(|tag| tag == "*" || tag == number.to_string())
}

impl Example for Corrected {
    fn example() -> Self {
        let segment = |start, end, text: &str| SegmentEdit { start, end, text: text.to_owned() };
        Self {
            segments: Some(vec![segment(0.0, 2.4, "Good morning."), segment(2.4, 5.1, "Please send the report.")]),
            text: None,
        }
    }
}
