//! The search's own tables: FTS5 in SQLite, the full-text index of the others.
//!
//! PostgreSQL and MySQL would split words in ways of their own, drop short ones and know stop words. So what they get is
//! spelled in letters and digits that mean nothing to them (`x` and the bytes in hex), in parts that fit their index, and
//! whether words stand side by side is compared by text, in the few rows that the index names.

use sea_orm::{
    ConnectionTrait, DbErr, Statement, Value,
    sea_query::{Alias, Expr, ExprTrait, Query, SimpleExpr},
};

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::Dialect;
use crate::store::{grams::Phrase, search::Searched};

/// Tokens of one part. PostgreSQL's index takes a megabyte of them and counts places up to 16,383.
const PART: usize = 8_000;
/// Tokens that a part repeats of the next one: as many may be looked for side by side.
const OVERLAP: usize = 64;
/// Parts of one statement, which has to pass MySQL's `max_allowed_packet`.
const PARTS: usize = 32;
/// Letters of the longest spelling: MySQL's index leaves longer words out.
const LONGEST: usize = 80;

impl Dialect {
    /// Writes the words of a row, split by [`crate::store::grams`], in the place of those that were there.
    pub(in crate::store) async fn set_words(
        self,
        on: &impl ConnectionTrait,
        of: Searched,
        id: i64,
        words: &str,
    ) -> Result<(), DbErr> {
        if self != Self::Sqlite {
            self.drop_words(on, of, id).await?;
        }
        self.add_words(on, of, &[(id, words.to_owned())]).await
    }

    /// Writes the words of rows that have none on a server; in SQLite, in the place of those that were there.
    pub(in crate::store) async fn add_words(
        self,
        on: &impl ConnectionTrait,
        of: Searched,
        rows: &[(i64, String)],
    ) -> Result<(), DbErr> {
        let table = of.table();
        if self == Self::Sqlite {
            let sql = format!("INSERT OR REPLACE INTO {table}_words (rowid, words) VALUES (?,?)");
            for (id, words) in rows {
                let values: [Value; 2] = [(*id).into(), words.as_str().into()];
                on.execute_raw(Statement::from_sql_and_values(self.backend(), sql.clone(), values)).await?;
            }
            return Ok(());
        }
        let parts =
            rows.iter().flat_map(|(id, words)| (0_i64..).zip(parts(words)).map(move |(part, text)| (*id, part, text)));
        let parts: Vec<(i64, i64, String)> = parts.collect();
        // Many at once, or one: a server keeps what it has prepared for each number.
        let many = parts.chunks_exact(PARTS);
        let rest = many.remainder().chunks(1);
        for parts in many.chain(rest) {
            let mut insert = Query::insert();
            insert.into_table(Alias::new(format!("{table}_words"))).columns(["id", "part", "words"]);
            for (id, part, words) in parts {
                let values = [Expr::value(*id), Expr::value(*part), Expr::value(words.as_str())];
                insert.values(values).map_err(|error| DbErr::Custom(error.to_string()))?;
            }
            on.execute(&insert).await?;
        }
        Ok(())
    }

    /// Removes the words of all rows after the first and up to the second id.
    pub(in crate::store) async fn drop_words_between(
        self,
        on: &impl ConnectionTrait,
        of: Searched,
        after: i64,
        to: i64,
    ) -> Result<(), DbErr> {
        let id = if self == Self::Sqlite { "rowid" } else { "id" };
        let mut delete = Query::delete();
        delete.from_table(Alias::new(format!("{}_words", of.table())));
        delete.and_where(Expr::col(id).gt(after)).and_where(Expr::col(id).lte(to));
        on.execute(&delete).await.map(drop)
    }

    /// Removes the words of a row.
    pub(in crate::store) async fn drop_words(
        self,
        on: &impl ConnectionTrait,
        of: Searched,
        id: i64,
    ) -> Result<(), DbErr> {
        let table = of.table();
        let sql = match self {
            Self::Sqlite => format!("DELETE FROM {table}_words WHERE rowid=?"),
            Self::Postgres => format!("DELETE FROM {table}_words WHERE id=$1"),
            Self::MySql => format!("DELETE FROM {table}_words WHERE id=?"),
        };
        on.execute_raw(Statement::from_sql_and_values(self.backend(), sql, [id.into()])).await?;
        Ok(())
    }

    /// The condition that any of these stands in a task's link, its title and author, or what was said.
    pub(in crate::store) fn found(self, phrases: &[Phrase]) -> SimpleExpr {
        if self == Self::Sqlite {
            return fts5(phrases);
        }
        let any = |of: Searched| {
            let found = phrases.iter().map(|phrase| self.stands(of, phrase));
            found.reduce(ExprTrait::or).unwrap_or_else(|| Expr::value(false))
        };
        Expr::cust_with_exprs(
            match self {
                Self::Postgres => {
                    "(tasks.id IN (SELECT id FROM tasks_words WHERE $1) \
                     OR tasks.media_id IN (SELECT id FROM media_words WHERE $2) \
                     OR tasks.id IN (SELECT task_id FROM transcripts WHERE id IN (SELECT id FROM transcripts_words WHERE $3)))"
                }
                _ => {
                    "(tasks.id IN (SELECT id FROM tasks_words WHERE ?) \
                     OR tasks.media_id IN (SELECT id FROM media_words WHERE ?) \
                     OR tasks.id IN (SELECT task_id FROM transcripts WHERE id IN (SELECT id FROM transcripts_words WHERE ?)))"
                }
            },
            [any(Searched::Task), any(Searched::Media), any(Searched::Transcript)],
        )
    }

    /// That a phrase stands in a row of the search's table: its words by the index, their order by the text.
    fn stands(self, of: Searched, phrase: &Phrase) -> SimpleExpr {
        let words: Vec<String> = phrase.tokens.iter().map(|token| spelled(token)).collect();
        let last = words.len().saturating_sub(1);
        // Every word but the last is there as a whole.
        let open = |at: usize| phrase.open && at == last;
        let side_by_side = format!("% {}{}%", words.join(" "), if phrase.open { "" } else { " " });
        let table = of.table();
        match self {
            Self::Postgres => {
                let all = words.iter().enumerate();
                let all = all.map(|(at, word)| if open(at) { format!("{word}:*") } else { word.clone() });
                Expr::cust_with_values(
                    format!(
                        "to_tsvector('simple', {table}_words.words) @@ to_tsquery('simple', $1) \
                         AND {table}_words.words LIKE $2"
                    ),
                    [all.collect::<Vec<_>>().join(" & "), side_by_side],
                )
            }
            _ => {
                let all = words.iter().enumerate();
                let all = all.map(|(at, word)| if open(at) { format!("+{word}*") } else { format!("+{word}") });
                Expr::cust_with_values(
                    format!("MATCH({table}_words.words) AGAINST(? IN BOOLEAN MODE) AND {table}_words.words LIKE ?"),
                    [all.collect::<Vec<_>>().join(" "), side_by_side],
                )
            }
        }
    }
}

fn fts5(phrases: &[Phrase]) -> SimpleExpr {
    let text = |phrase: &Phrase| {
        // Letters and digits between quotes: nothing there that FTS5 could take for its own.
        let words = phrase.tokens.join(" ");
        if phrase.open { format!("\"{words}\"*") } else { format!("\"{words}\"") }
    };
    // The index holds all that is asked of transcripts; by itself SQLite would read their rows, which are large.
    let sought = phrases.iter().map(text).collect::<Vec<_>>().join(" OR ");
    Expr::cust_with_values(
        "tasks.id IN (SELECT rowid FROM tasks_words WHERE tasks_words MATCH ? \
         UNION ALL SELECT id FROM tasks WHERE media_id IN (SELECT rowid FROM media_words WHERE media_words MATCH ?) \
         UNION ALL SELECT task_id FROM transcripts INDEXED BY transcripts_whose WHERE id IN \
         (SELECT rowid FROM transcripts_words WHERE transcripts_words MATCH ?))",
        [sought.clone(), sought.clone(), sought],
    )
}

/// The words of a text as the index gets them, in parts that overlap; a blank before and after each word.
fn parts(words: &str) -> Vec<String> {
    let words: Vec<String> = words.split(' ').filter(|word| !word.is_empty()).map(spelled).collect();
    let part = |from: usize| {
        let to = words.len().min(from + PART + OVERLAP);
        format!(" {} ", words[from..to].join(" "))
    };
    (0..words.len()).step_by(PART).map(part).collect()
}

/// A word in letters and digits only, never shorter than three; without accents, as SQLite's index takes it.
fn spelled(word: &str) -> String {
    let word: String = word.nfd().filter(|c| !is_combining_mark(*c)).nfc().collect();
    let hex =
        word.bytes().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|digit| char::from_digit(digit.into(), 16));
    std::iter::once('x').chain(hex).take(LONGEST).collect()
}

impl Searched {
    pub(in crate::store) fn table(self) -> &'static str {
        match self {
            Self::Task => "tasks",
            Self::Media => "media",
            Self::Transcript => "transcripts",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_spelled_in_letters_that_mean_nothing() {
        assert_eq!(spelled("ab"), "x6162");
        assert_eq!(spelled("发"), "xe58f91");
        assert_eq!(spelled("müde"), spelled("mude"));
        assert_eq!(spelled(&"a".repeat(500)).len(), LONGEST);
    }

    #[test]
    fn long_texts_are_kept_in_parts_that_overlap() {
        assert_eq!(parts(""), Vec::<String>::new());
        assert_eq!(parts("a b"), [" x61 x62 "]);
        let words: Vec<String> = (0..=PART).map(|number| number.to_string()).collect();
        let parts = parts(&words.join(" "));
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[1], format!(" {} ", spelled(&PART.to_string())));
        assert!(parts[0].ends_with(&parts[1]));
    }
}
