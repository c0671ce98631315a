//! Which tasks use which media. Until now a task named one, and those of its lists belonged to nobody.

use sea_orm_migration::{
    prelude::*,
    schema::*,
    sea_orm::{ConnectionTrait, JsonValue},
};

/// Adds the table, fills it from what tasks and their steps name, and lets the media of a file be found and the
/// transcripts of a media. Older transcripts name none: they are of the media that their task names.
#[derive(DeriveMigrationName)]
pub struct Migration;

/// How many steps are read at once.
const PAGE: u64 = 200;

const MEDIA_FILE: &str = "media_file";
const HEARD: &str = "transcripts_media";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(task_media())
            .col(big_integer("task_id"))
            .col(big_integer("media_id"))
            .primary_key(Index::create().col("task_id").col("media_id"))
            .foreign_key(
                ForeignKey::create()
                    .from("task_media", "task_id")
                    .to("tasks", "id")
                    .on_delete(ForeignKeyAction::Cascade),
            )
            // A media that is in use cannot be deleted.
            .foreign_key(ForeignKey::create().from("task_media", "media_id").to("media", "id"))
            .to_owned();
        manager.create_table(table).await?;
        let users = Index::create().name("task_media_users").table(task_media()).col("media_id").to_owned();
        manager.create_index(users).await?;
        let file = Index::create().name(MEDIA_FILE).table("media").col("file").to_owned();
        manager.create_index(file).await?;
        manager.alter_table(transcripts().add_column(big_integer_null("media_id")).to_owned()).await?;
        let heard = Index::create().name(HEARD).table("transcripts").col("media_id").col("id").to_owned();
        manager.create_index(heard).await?;
        of_tasks(manager).await?;
        of_steps(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name(HEARD).table("transcripts").to_owned()).await?;
        manager.alter_table(transcripts().drop_column("media_id").to_owned()).await?;
        manager.drop_index(Index::drop().name(MEDIA_FILE).table("media").to_owned()).await?;
        manager.drop_table(Table::drop().table(task_media()).to_owned()).await
    }
}

fn task_media() -> Alias {
    Alias::new("task_media")
}

fn transcripts() -> TableAlterStatement {
    Table::alter().table("transcripts").to_owned()
}

/// The media that tasks name, as far as they are there.
async fn of_tasks(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let named = Query::select()
        .column(("tasks", "id"))
        .column(("tasks", "media_id"))
        .from("tasks")
        .inner_join("media", Expr::col(("media", "id")).equals(("tasks", "media_id")))
        .to_owned();
    let mut fill = Query::insert().into_table(task_media()).columns(["task_id", "media_id"]).to_owned();
    fill.select_from(named).map_err(|error| DbErr::Custom(error.to_string()))?;
    manager.exec_stmt(fill).await
}

/// The media that steps have found or fetched: those of lists, too. JSON is read here, because every database has its own
/// words for that.
async fn of_steps(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let mut last = String::new();
    loop {
        let page = Query::select()
            .columns(["id", "task_id", "output"])
            .from("steps")
            .cond_where(Expr::col("kind").is_in(["resolve", "download"]))
            .and_where(Expr::col("output").is_not_null())
            .and_where(Expr::col("id").gt(last.clone()))
            .order_by("id", Order::Asc)
            .limit(PAGE)
            .to_owned();
        let rows = connection.query_all(&page).await?;
        for row in &rows {
            last = row.try_get("", "id")?;
            let output: Option<String> = row.try_get("", "output")?;
            let output = output.and_then(|text| text.parse::<JsonValue>().ok());
            if let Some(media) = output.and_then(|output| output.get("media_id")?.as_i64()) {
                note(manager, row.try_get("", "task_id")?, media).await?;
            }
        }
        if (rows.len() as u64) < PAGE {
            return Ok(());
        }
    }
}

/// Notes a media of a task if it is there and not noted yet.
async fn note(manager: &SchemaManager<'_>, task: i64, media: i64) -> Result<(), DbErr> {
    let there = Query::select()
        .expr(Expr::value(task))
        .column("id")
        .from("media")
        .and_where(Expr::col("id").eq(media))
        .to_owned();
    let mut fill = Query::insert().into_table(task_media()).columns(["task_id", "media_id"]).to_owned();
    fill.select_from(there).map_err(|error| DbErr::Custom(error.to_string()))?;
    let once = OnConflict::columns(["task_id", "media_id"]).do_nothing_on(["task_id", "media_id"]).to_owned();
    manager.exec_stmt(fill.on_conflict(once).to_owned()).await
}
