//! The search: what is kept of links, titles and transcripts, and how they are found by it.
//!
//! Callers may rely on this: the words of a row change in the transaction that changes the row, and go with it. What is
//! looked for is never read as anything but words.

use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, SimpleExpr},
};

use super::{
    Tx,
    dialect::Dialect,
    entities::{cursor, media, task, transcript},
    grams::{Phrase, grams, phrase},
};
use crate::error::Result;

/// Set by a migration when the words of existing rows have to be written.
pub(super) const MARK: &str = "unsearched";

/// How many rows are read at once while they are.
const AT_ONCE: u64 = 100;

/// What is searched, each under its row's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Searched {
    /// Links.
    Task,
    /// Titles and authors.
    Media,
    /// What was said.
    Transcript,
}

/// Everything that is searched; an edit of a transcript after what it takes the place of.
pub(super) const ALL: [Searched; 3] = [Searched::Task, Searched::Media, Searched::Transcript];

impl Tx {
    /// Writes what is searched of a row in the place of what was.
    pub(super) async fn set_words(&self, of: Searched, id: i64, text: &str) -> Result<()> {
        Ok(self.dialect.set_words(&self.inner, of, id, &grams(text)).await?)
    }

    /// Writes the words of every row, if a migration asked for it.
    pub(super) async fn fill_search(&self) -> Result<()> {
        if cursor::Entity::find_by_id(MARK).one(&self.inner).await?.is_none() {
            return Ok(());
        }
        for of in ALL {
            let mut last = i64::MIN;
            while let Some((id, _)) = self.fill_page(of, last).await? {
                last = id;
            }
        }
        cursor::Entity::delete_by_id(MARK).exec(&self.inner).await?;
        Ok(())
    }

    /// Writes the words of the next rows after this id; the last one's id and how many they were, or none at the end.
    pub(super) async fn fill_page(&self, of: Searched, after: i64) -> Result<Option<(i64, u64)>> {
        let rows = self.texts(of, after).await?;
        let Some(filled) = rows.last().map(|(id, ..)| (*id, rows.len() as u64)) else { return Ok(None) };
        self.dialect.drop_words_between(&self.inner, of, after, filled.0).await?;
        let mut words = Vec::with_capacity(rows.len());
        for (id, text, edit_of) in rows {
            if let Some(original) = edit_of {
                // It may be among those before.
                self.dialect.add_words(&self.inner, of, &std::mem::take(&mut words)).await?;
                self.drop_transcript_words(original).await?;
            }
            words.push((id, grams(&text)));
        }
        self.dialect.add_words(&self.inner, of, &words).await?;
        Ok(Some(filled))
    }

    /// Lets a transcript and its edits be found no more: another edit takes their place.
    pub(super) async fn drop_transcript_words(&self, original: i64) -> Result<()> {
        use transcript::Column;
        let edits = transcript::Entity::find().select_only().column(Column::Id).filter(Column::EditOf.eq(original));
        let edits: Vec<i64> = edits.into_tuple().all(&self.inner).await?;
        for id in edits.into_iter().chain([original]) {
            self.dialect.drop_words(&self.inner, Searched::Transcript, id).await?;
        }
        Ok(())
    }

    /// The next rows after this id: what is searched of them, and the transcript that it takes the place of.
    async fn texts(&self, of: Searched, after: i64) -> Result<Vec<(i64, String, Option<i64>)>> {
        Ok(match of {
            Searched::Task => {
                let query = task::Entity::find().filter(task::Column::Id.gt(after)).order_by_asc(task::Column::Id);
                let rows = query.limit(AT_ONCE).all(&self.inner).await?;
                rows.into_iter().map(|row| (row.id, row.link, None)).collect()
            }
            Searched::Media => {
                let query = media::Entity::find().filter(media::Column::Id.gt(after)).order_by_asc(media::Column::Id);
                let rows = query.limit(AT_ONCE).all(&self.inner).await?;
                rows.into_iter().map(|row| (row.id, of_media(&row.title, row.author.as_deref()), None)).collect()
            }
            Searched::Transcript => {
                let query = transcript::Entity::find().filter(transcript::Column::Id.gt(after));
                let rows = query.order_by_asc(transcript::Column::Id).limit(AT_ONCE).all(&self.inner).await?;
                let text = |row: &transcript::Model| row.body["text"].as_str().unwrap_or_default().to_owned();
                rows.into_iter().map(|row| (row.id, text(&row), row.edit_of)).collect()
            }
        })
    }
}

/// What is searched of a media.
pub(super) fn of_media(title: &str, author: Option<&str>) -> String {
    format!("{title} {}", author.unwrap_or_default())
}

/// The word of a link by which few tasks are found: links themselves are too long for an index of their own.
pub(super) fn word_of(link: &str) -> Option<String> {
    link.split(|c: char| !c.is_ascii_alphanumeric()).max_by_key(|word| word.len()).map(str::to_owned)
}

/// The conditions on tasks which must all hold, for parts each of which has one or several spellings. Marks alone are no
/// words: they are passed over, and find nothing when there is nothing else.
pub(super) fn found(dialect: Dialect, parts: &[Vec<String>]) -> Vec<SimpleExpr> {
    let phrases = |spellings: &Vec<String>| -> Vec<Phrase> { spellings.iter().filter_map(|one| phrase(one)).collect() };
    let parts: Vec<Vec<Phrase>> = parts.iter().map(phrases).filter(|phrases| !phrases.is_empty()).collect();
    match parts.is_empty() {
        true => vec![Expr::value(false)],
        false => parts.iter().map(|phrases| dialect.found(phrases)).collect(),
    }
}
