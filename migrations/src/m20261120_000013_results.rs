//! What results need: words to search, edits of transcripts, waveforms.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::DbBackend};

/// Adds the search's tables, the columns of edits, the table of waveforms, and indexes.
#[derive(DeriveMigrationName)]
pub struct Migration;

/// The tables whose rows have words that are searched.
const SEARCHED: [&str; 3] = ["tasks", "media", "transcripts"];

/// How the tasks of a media are found, and those of transcripts without reading them.
const INDEXES: [(&str, &str, &[&str]); 2] =
    [("tasks_media", "tasks", &["media_id"]), ("transcripts_whose", "transcripts", &["id", "task_id"])];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The transcript that a row is an edit of, and its number among them; null for what was recognised.
        for column in [big_integer_null("edit_of"), integer_null("revision")] {
            manager.alter_table(Table::alter().table(Alias::new("transcripts")).add_column(column).to_owned()).await?;
        }
        manager.create_table(waveforms()).await?;
        for (name, table, columns) in INDEXES {
            let mut index = Index::create().name(name).table(Alias::new(table)).to_owned();
            for column in columns {
                index.col(Alias::new(*column));
            }
            manager.create_index(index).await?;
        }
        for statement in search(manager)? {
            manager.get_connection().execute_unprepared(&statement).await?;
        }
        // The daemon, which splits texts into words, fills the tables and removes the mark.
        let mark = "INSERT INTO cursors (name, position) VALUES ('unsearched', 0)";
        manager.get_connection().execute_unprepared(mark).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        connection.execute_unprepared("DELETE FROM cursors WHERE name = 'unsearched'").await?;
        for table in SEARCHED {
            if manager.get_database_backend() == DbBackend::Sqlite {
                connection.execute_unprepared(&format!("DROP TRIGGER IF EXISTS {table}_unsearched")).await?;
            }
            connection.execute_unprepared(&format!("DROP TABLE IF EXISTS {table}_words")).await?;
        }
        for (name, table, _) in INDEXES {
            manager.drop_index(Index::drop().name(name).table(Alias::new(table)).to_owned()).await?;
        }
        manager.drop_table(Table::drop().table(Alias::new("waveforms")).if_exists().to_owned()).await?;
        for column in ["revision", "edit_of"] {
            let change = Table::alter().table(Alias::new("transcripts")).drop_column(Alias::new(column)).to_owned();
            manager.alter_table(change).await?;
        }
        Ok(())
    }
}

/// The loudness of a media's file over time: 16-bit numbers, the lower byte first.
fn waveforms() -> TableCreateStatement {
    Table::create()
        .table(Alias::new("waveforms"))
        .col(big_integer("media_id").primary_key())
        .col(string_len("sha256", 64))
        .col(blob("levels"))
        .foreign_key(
            ForeignKey::create().from("waveforms", "media_id").to("media", "id").on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

/// The search's tables as this kind of database has them.
fn search(manager: &SchemaManager) -> Result<Vec<String>, DbErr> {
    match manager.get_database_backend() {
        DbBackend::Sqlite => Ok(SEARCHED.into_iter().flat_map(fts5).collect()),
        DbBackend::Postgres => Ok(SEARCHED.into_iter().flat_map(gin).collect()),
        DbBackend::MySql => Ok(SEARCHED.into_iter().map(fulltext).collect()),
        other => Err(DbErr::Migration(format!("there is no search for {other:?}"))),
    }
}

/// The words of a row in parts, which go with it, and an index of them.
fn gin(table: &str) -> [String; 2] {
    [
        format!(
            "CREATE TABLE {table}_words (id bigint NOT NULL REFERENCES {table} (id) ON DELETE CASCADE, \
             part integer NOT NULL, words text NOT NULL, PRIMARY KEY (id, part))"
        ),
        format!("CREATE INDEX {table}_words_found ON {table}_words USING gin (to_tsvector('simple', words))"),
    ]
}

/// As [`gin`].
fn fulltext(table: &str) -> String {
    format!(
        "CREATE TABLE {table}_words (id bigint NOT NULL, part integer NOT NULL, words longtext NOT NULL, \
         PRIMARY KEY (id, part), FULLTEXT KEY {table}_words_found (words), \
         CONSTRAINT {table}_words_of FOREIGN KEY (id) REFERENCES {table} (id) ON DELETE CASCADE)"
    )
}

/// An index without the texts themselves, whose rows go with those that they are about, however they go.
fn fts5(table: &str) -> [String; 2] {
    [
        format!(
            "CREATE VIRTUAL TABLE {table}_words USING fts5(words, content='', contentless_delete=1, \
             tokenize='unicode61 remove_diacritics 2', prefix='1')"
        ),
        format!(
            "CREATE TRIGGER {table}_unsearched AFTER DELETE ON {table} BEGIN \
             DELETE FROM {table}_words WHERE rowid = OLD.id; END"
        ),
    ]
}
