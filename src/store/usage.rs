//! What was done with which token, by days.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Alias, Expr, OnConflict},
};

use super::{
    Store, Tx,
    entities::{
        task,
        usage::{ActiveModel, Column, Entity, Model},
    },
};
use crate::{
    domain::{TokenId, Usage},
    error::Result,
};

/// How long a day is, in milliseconds: days are those of UTC.
pub const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What was done with one token on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRow {
    /// The token; none for what was done without one.
    pub token: Option<TokenId>,
    /// The day, counted from 1970.
    pub day: i64,
    /// What was done.
    pub usage: Usage,
}

impl Tx {
    /// Adds to what was done with a token on the day of this transaction.
    pub async fn add_usage(&self, token: Option<TokenId>, usage: Usage) -> Result<()> {
        self.add_usage_of(token, self.now / DAY_MS, usage).await
    }

    /// Adds to what was done with a token on one day.
    pub async fn add_usage_of(&self, token: Option<TokenId>, day: i64, usage: Usage) -> Result<()> {
        if usage == Usage::default() {
            return Ok(());
        }
        let more = |column: Column, more: i64| {
            let now = Expr::col((Alias::new("usage"), column));
            (column, now.add(Expr::value(more)))
        };
        let Usage { requests, tasks, audio_ms, bytes_in, llm_tokens } = usage;
        let model = ActiveModel {
            token_id: Set(token.map_or(0, |id| id.0)),
            day: Set(day),
            requests: Set(requests),
            tasks: Set(tasks),
            audio_ms: Set(audio_ms),
            bytes_in: Set(bytes_in),
            llm_tokens: Set(llm_tokens),
        };
        let update = OnConflict::columns([Column::TokenId, Column::Day])
            .values([
                more(Column::Requests, requests),
                more(Column::Tasks, tasks),
                more(Column::AudioMs, audio_ms),
                more(Column::BytesIn, bytes_in),
                more(Column::LlmTokens, llm_tokens),
            ])
            .to_owned();
        Entity::insert(model).on_conflict(update).exec_without_returning(&self.inner).await?;
        Ok(())
    }
}

impl Store {
    /// What was done since a day, the newest day first; with one token, or with all.
    pub async fn usage(&self, only: Option<TokenId>, since: i64) -> Result<Vec<UsageRow>> {
        let query = Entity::find()
            .filter(Column::Day.gte(since))
            .apply_if(only, |query, id| query.filter(Column::TokenId.eq(id.0)))
            .order_by_desc(Column::Day)
            .order_by_asc(Column::TokenId);
        Ok(query.all(&self.read).await?.into_iter().map(Into::into).collect())
    }

    /// How many tasks came with a token since a time, in milliseconds since 1970; those of workflows' steps not, and none
    /// beyond `most`.
    pub async fn tasks_since(&self, owner: TokenId, since: i64, most: u64) -> Result<u64> {
        let newest = task::Entity::find()
            .select_only()
            .column(task::Column::CreatedAt)
            .filter(task::Column::Owner.eq(owner.0))
            .filter(task::Column::ParentStep.is_null())
            .order_by_desc(task::Column::Id)
            .limit(most);
        let newest: Vec<i64> = newest.into_tuple().all(&self.read).await?;
        Ok(newest.into_iter().filter(|at| *at > since).count() as u64)
    }
}

impl From<Model> for UsageRow {
    fn from(row: Model) -> Self {
        let Model { token_id, day, requests, tasks, audio_ms, bytes_in, llm_tokens } = row;
        let usage = Usage { requests, tasks, audio_ms, bytes_in, llm_tokens };
        Self { token: Some(TokenId(token_id)).filter(|id| id.0 != 0), day, usage }
    }
}
