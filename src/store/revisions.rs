//! Revisions of transcripts: what was recognised, and what people made of it.
//!
//! What was recognised and the newest edit always stay. No more than [`KEPT_EDITS`] are kept, the closer together the more
//! recent they are: an editor that saves every few seconds leaves something of this minute, of this hour and of last week.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use serde_json::Value;

use super::{
    Store, Tx, date,
    entities::transcript::{ActiveModel, Column, Entity, Model},
    rows,
    search::Searched,
    transcripts::newest,
};
use crate::{
    domain::{TaskId, Transcript, TranscriptId},
    error::Result,
};

/// How many edits of a transcript are kept at most.
const KEPT_EDITS: usize = 50;

/// One revision of a transcript.
#[derive(Clone, Debug)]
pub struct Revision {
    /// Its row.
    pub id: TranscriptId,
    /// The row of what was recognised: its own, unless it is an edit.
    pub original: TranscriptId,
    /// 1 for what was recognised, 2, 3, … for edits.
    pub number: u32,
    /// The transcript.
    pub transcript: Transcript,
}

/// A revision without its text.
#[derive(Clone, Debug)]
pub struct RevisionLine {
    /// 1 for what was recognised, 2, 3, … for edits.
    pub number: u32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A revision's row, its number as it is stored, and when it was made.
type Row = (i64, Option<i32>, i64);

impl Tx {
    /// Writes what a person made of a task's newest transcript, `before`, and returns its number.
    pub async fn insert_edit(&self, task: TaskId, before: &Revision, transcript: &Transcript) -> Result<u32> {
        let original = before.original.0;
        let number = before.number + 1;
        self.drop_transcript_words(original).await?;
        let model = ActiveModel {
            task_id: Set(task.0),
            // Nothing is found again by an edit: it says what a person wrote, not what was heard.
            audio_sha256: Set(String::new()),
            recipe: Set(None),
            model: Set(transcript.model.clone()),
            options: Set(Value::Null.into()),
            body: Set(rows::json(transcript)?),
            created_at: Set(self.now),
            edit_of: Set(Some(original)),
            revision: Set(Some(i32::try_from(number).unwrap_or(i32::MAX))),
            ..Default::default()
        };
        let id = Entity::insert(model).exec(&self.inner).await?.last_insert_id;
        self.set_words(Searched::Transcript, id, &transcript.text).await?;
        self.thin(task, original).await?;
        Ok(number)
    }

    /// Deletes edits of a transcript until no more than are kept are left.
    async fn thin(&self, task: TaskId, original: i64) -> Result<()> {
        let mut rows: Vec<Row> = lines(task, original).into_tuple().all(&self.inner).await?;
        let mut gone = Vec::new();
        while rows.len() > KEPT_EDITS + 1 {
            let times: Vec<i64> = rows.iter().map(|row| row.2).collect();
            gone.push(rows.remove(least(&times)).0);
        }
        if !gone.is_empty() {
            Entity::delete_many().filter(Column::Id.is_in(gone)).exec(&self.inner).await?;
        }
        Ok(())
    }

    /// The newest revision of a task's transcript.
    pub async fn newest_revision(&self, task: TaskId) -> Result<Option<Revision>> {
        newest(task).one(&self.inner).await?.map(revision).transpose()
    }
}

impl Store {
    /// A revision of a task's newest transcript by its number; the newest without one.
    pub async fn revision_of(&self, task: TaskId, number: Option<u32>) -> Result<Option<Revision>> {
        let Some(row) = newest(task).one(&self.read).await? else { return Ok(None) };
        let original = row.edit_of.unwrap_or(row.id);
        let found = match number {
            None => Some(row),
            Some(1) => Entity::find_by_id(original).one(&self.read).await?,
            Some(number) => {
                let edits = Entity::find().filter(Column::EditOf.eq(original));
                edits.filter(Column::Revision.eq(i64::from(number))).one(&self.read).await?
            }
        };
        found.map(revision).transpose()
    }

    /// The revisions of a task's newest transcript, the newest first; none if it has no transcript.
    pub async fn revisions_of(&self, task: TaskId) -> Result<Vec<RevisionLine>> {
        let newest = newest(task).select_only().columns([Column::Id, Column::EditOf]);
        let Some((id, edit_of)) = newest.into_tuple::<(i64, Option<i64>)>().one(&self.read).await? else {
            return Ok(Vec::new());
        };
        let rows: Vec<Row> = lines(task, edit_of.unwrap_or(id)).into_tuple().all(&self.read).await?;
        let line = |(_, number, at)| RevisionLine { number: read_number(number), created_at: date(at) };
        Ok(rows.into_iter().rev().map(line).collect())
    }
}

/// The revisions of what was recognised, the oldest first, without their texts.
fn lines(task: TaskId, original: i64) -> Select<Entity> {
    let of = Column::Id.eq(original).or(Column::EditOf.eq(original));
    Entity::find()
        .select_only()
        .columns([Column::Id, Column::Revision, Column::CreatedAt])
        .filter(Column::TaskId.eq(task.0))
        .filter(of)
        .order_by_asc(Column::Id)
}

fn revision(row: Model) -> Result<Revision> {
    Ok(Revision {
        id: TranscriptId(row.id),
        original: TranscriptId(row.edit_of.unwrap_or(row.id)),
        number: read_number(row.revision),
        transcript: rows::read(row.body)?,
    })
}

/// What was recognised has no number in its row.
fn read_number(number: Option<i32>) -> u32 {
    number.and_then(|number| u32::try_from(number).ok()).unwrap_or(1)
}

/// Which of at least three revisions tells least: whose neighbours are closest together for how long ago it was. Never the
/// first or the last. Takes their times in milliseconds, the oldest first.
fn least(times: &[i64]) -> usize {
    let now = times.last().copied().unwrap_or_default();
    let span = |from: i64, to: i64| u64::try_from(to.saturating_sub(from)).unwrap_or(0).saturating_add(1);
    let weight = |at: usize| span(times[at - 1], times[at + 1]) as f64 / span(times[at], now) as f64;
    (1..times.len() - 1).min_by(|one, other| weight(*one).total_cmp(&weight(*other))).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is left of edits that were made at these times.
    fn kept(times: impl IntoIterator<Item = i64>) -> Vec<i64> {
        let mut left = Vec::new();
        for at in times {
            left.push(at);
            while left.len() > KEPT_EDITS + 1 {
                left.remove(least(&left));
            }
        }
        left
    }

    #[test]
    fn a_day_of_saving_leaves_each_span_of_it() {
        let now = 8 * 3_600_000;
        let left = kept((0..=now).step_by(3_000));
        assert_eq!((left.len(), left[0], left[KEPT_EDITS]), (KEPT_EDITS + 1, 0, now));
        // Wherever one looks back, something stands within a third of the way.
        for ago in [10_000, 60_000, 600_000, 3_600_000, 4 * 3_600_000] {
            let nearest = left.iter().map(|at| (now - at - ago).abs()).min().unwrap();
            assert!(nearest <= ago / 3, "{ago} ms ago: {nearest} ms away, of {left:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_clock_does_the_first_and_the_last_stay(times in prop::collection::vec(any::<i64>(), 1..200)) {
            let left = kept(times.iter().copied());
            prop_assert_eq!(left.len(), times.len().min(KEPT_EDITS + 1));
            prop_assert_eq!((left.first(), left.last()), (times.first(), times.last()));
        }
    }
}
