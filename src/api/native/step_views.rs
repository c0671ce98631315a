//! Steps as the API shows them.

use std::{collections::BTreeMap, io};

use poem_openapi::Object;
use serde_json::Value;

use super::views::Report;
use crate::{
    api::words::{Time, Word},
    domain::{StepKind, StepState, TaskId},
    store::StepRow,
};

/// The largest output or item that is shown among others, in bytes of JSON.
const LARGEST: usize = 16 * 1024;

/// One unit of work of a task. / 任务的一个步骤。
#[derive(Debug, Object)]
#[oai(rename = "Step")]
pub(super) struct StepView {
    /// Its name in the workflow; the first half of a `transcribe` step named `text` is `text:extract`, the first item of a
    /// list `text[0]`.
    pub key: String,
    /// What it does.
    pub kind: Word<StepKind>,
    /// Where it stands.
    pub state: Word<StepState>,
    /// Tries so far.
    pub attempt: i64,
    /// How often its worker died; three times fail it.
    pub crashes: i64,
    /// 0 to 1.
    pub progress: f64,
    /// The last try's error.
    #[oai(nullable)]
    pub error: Option<Report>,
    /// What it made: may hold text from strangers, never secrets. Null before it has succeeded, and among other steps where
    /// it is larger than 16 KiB.
    #[oai(nullable)]
    pub output: Option<Value>,
    /// Whether there is an output too large to be shown here: see `GET /api/tasks/{id}/steps/{step}`.
    pub output_truncated: bool,
    /// The task that does its work, of a `workflow` step.
    #[oai(skip_serializing_if_is_none)]
    pub task_id: Option<i64>,
    /// Of a list, how many of its items have not ended: see `GET /api/tasks/{id}/steps/{step}/items`.
    #[oai(skip_serializing_if_is_none)]
    pub remaining: Option<i64>,
    /// Of a list's item, its place in the list, from 0.
    #[oai(skip_serializing_if_is_none)]
    pub index: Option<i64>,
    /// Of a list's item, the item; left out among others where it is larger than 16 KiB.
    #[oai(skip_serializing_if_is_none)]
    pub item: Option<Value>,
    /// When the last try started.
    #[oai(nullable)]
    pub started_at: Option<Time>,
    /// When it ended.
    #[oai(nullable)]
    pub finished_at: Option<Time>,
    /// When it may start.
    pub eligible_at: Time,
}

/// A page of a list's items. / 列表步骤的一页条目。
#[derive(Debug, Object)]
pub(super) struct StepItems {
    /// The items' steps, in the list's order. Of a `transcribe` step in two halves, the second half is shown.
    pub items: Vec<StepView>,
    /// What to ask for next; null on the last page.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
    /// How many there are on all pages, of the state that was asked for.
    pub total: u64,
    /// How many of all items are in each state; states without items are left out.
    pub counts: BTreeMap<String, u64>,
}

impl StepView {
    /// A row as it is shown, with the task that does its work.
    pub(super) fn new(row: StepRow, child: Option<TaskId>) -> Self {
        let step = row.step;
        Self {
            key: step.key,
            kind: Word(step.kind),
            state: Word(step.state),
            attempt: step.attempt,
            crashes: step.crashes,
            progress: step.progress,
            error: step.error.map(Into::into),
            output: step.output,
            output_truncated: false,
            task_id: child.map(|id| id.0),
            remaining: row.remaining,
            index: row.item_index,
            item: row.item,
            started_at: step.started_at.map(Time),
            finished_at: step.finished_at.map(Time),
            eligible_at: Time(step.eligible_at),
        }
    }

    /// As one of many: without what is large.
    pub(super) fn among_others(mut self) -> Self {
        let output = self.output.take_if(|output| !fits(output));
        self.output_truncated = output.is_some();
        self.item.take_if(|item| !fits(item));
        self
    }
}

/// Whether a value is small enough to be shown among others.
fn fits(value: &Value) -> bool {
    serde_json::to_writer(Room(LARGEST), value).is_ok()
}

/// Room for so many bytes, which are counted and not kept.
struct Room(usize);

impl io::Write for Room {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_fits_up_to_its_last_byte() {
        let text = |length: usize| json!("x".repeat(length - 2));
        assert!(fits(&text(LARGEST)) && !fits(&text(LARGEST + 1)));
        assert!(fits(&Value::Null) && !fits(&json!({ "a": [text(LARGEST)] })));
    }
}
