//! What running a whole workflow needs: rules of steps, items of lists, child tasks, deadlines, reruns.

use sea_orm_migration::{prelude::*, schema::*};

/// Adds the columns to steps, tasks and workflows. Older rows have none of them and mean what they meant.
#[derive(DeriveMigrationName)]
pub struct Migration;

const STEPS_OF_LIST: &str = "steps_list";
const CHILD: &str = "tasks_parent_step";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, columns) in added() {
            // One column each time: SQLite adds no more in one statement.
            for column in columns {
                manager.alter_table(Table::alter().table(Alias::new(table)).add_column(column).to_owned()).await?;
            }
        }
        let items = Index::create()
            .name(STEPS_OF_LIST)
            .table(Alias::new("steps"))
            .col(Alias::new("task_id"))
            .col(Alias::new("list"))
            .col(Alias::new("state"))
            .col(Alias::new("item_index"))
            .to_owned();
        manager.create_index(items).await?;
        let child =
            Index::create().name(CHILD).table(Alias::new("tasks")).col(Alias::new("parent_step")).unique().to_owned();
        manager.create_index(child).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, table) in [(STEPS_OF_LIST, "steps"), (CHILD, "tasks")] {
            manager.drop_index(Index::drop().name(name).table(Alias::new(table)).to_owned()).await?;
        }
        for (table, columns) in added() {
            for column in columns {
                let column = Alias::new(column.get_column_name());
                manager.alter_table(Table::alter().table(Alias::new(table)).drop_column(column).to_owned()).await?;
            }
        }
        Ok(())
    }
}

fn added() -> [(&'static str, Vec<ColumnDef>); 3] {
    let steps = vec![
        json_null("rule"),
        // The key of the `foreach` step to whose list the row belongs, its place in it, and the item.
        string_len_null("list", 80),
        big_integer_null("item_index"),
        json_null("item"),
        // Of a `foreach` step: how many of its items have not ended.
        big_integer_null("remaining"),
        // What `when` came to.
        boolean_null("chosen"),
        // SHA-256 of the input with its references filled in.
        string_len_null("input_hash", 64),
        big_integer_null("deadline_at"),
        // Whether the result of the same step of the task that this one repeats may be taken.
        boolean_null("reuse"),
    ];
    let tasks = vec![
        string_len_null("parent_step", 36),
        big_integer_null("rerun_of"),
        big_integer_null("deadline_at"),
        // Its steps wait until another task of the workflow has ended.
        boolean_null("held"),
    ];
    let workflows = vec![
        // `file` or `api`.
        string_len_null("origin", 16),
        big_integer_null("deleted_at"),
    ];
    [("steps", steps), ("tasks", tasks), ("workflows", workflows)]
}
