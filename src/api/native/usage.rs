//! What was done with which token.

use std::collections::HashMap;

use chrono::Utc;
use poem_openapi::{Object, OpenApi, param::Query, payload::Json};

use super::{Context, Group};
use crate::{
    api::{who::Who, words::Time},
    domain::{TokenId, Usage},
    error::Result,
    store::{DAY_MS, UsageRow, date},
};

/// Usage.
pub(in crate::api) struct Used(pub(super) Context);

/// What was done. / 用量统计。
#[derive(Debug, Object)]
struct UsageList {
    /// By day (UTC) and token, the newest day first.
    items: Vec<UsageView>,
    /// All of these together.
    total: Sums,
}

/// What was done with one token on one day. / 某令牌某日的用量。
#[derive(Debug, Object)]
#[oai(rename = "Usage")]
struct UsageView {
    /// The day's beginning, UTC.
    day: Time,
    /// The token's id; null for what was done without one.
    #[oai(nullable)]
    token_id: Option<i64>,
    /// The token's name.
    #[oai(nullable)]
    token_name: Option<String>,
    #[oai(flatten)]
    sums: Sums,
}

/// Counters. / 计数。
#[derive(Debug, Object)]
struct Sums {
    /// Requests that were answered, refused ones included.
    requests: i64,
    /// Tasks that were made, those of workflows' steps included.
    tasks: i64,
    /// Seconds of audio that were recognised, or found to be recognised already.
    audio_seconds: f64,
    /// Bytes of requests' bodies.
    bytes_in: i64,
    /// Tokens that language models have read and written.
    llm_tokens: i64,
}

fn default_days() -> u32 {
    30
}

#[OpenApi(tag = "Group::Access")]
impl Used {
    /// See what was done
    ///
    /// Requests, tasks, audio, bytes and language models' tokens by day: with the caller's own token, for admins with
    /// every one.
    ///
    /// 按日查看用量（请求、任务、音频、字节、语言模型令牌）：普通令牌只能看自己的，管理员可看全部。
    #[oai(path = "/api/usage", method = "get", operation_id = "usage")]
    async fn list(
        &self,
        who: Who,
        /// So many days, today being the first.
        #[oai(default = "default_days", validator(minimum(value = "1"), maximum(value = "3660")))]
        days: Query<u32>,
        /// Of the token with this id.
        token_id: Query<Option<i64>>,
    ) -> poem::Result<Json<UsageList>> {
        // Of others' tokens there is nothing to see.
        let wanted = token_id.0.map(TokenId);
        let only = match (who.0.only(), wanted) {
            (Some(own), Some(wanted)) if own != wanted => Some(TokenId(-1)),
            (own, wanted) => own.or(wanted),
        };
        Ok(Json(self.0.used(only, days.0).await?))
    }
}

impl Context {
    async fn used(&self, only: Option<TokenId>, days: u32) -> Result<UsageList> {
        let today = Utc::now().timestamp_millis() / DAY_MS;
        let rows = self.state.access.usage(only, today - i64::from(days) + 1).await?;
        let tokens = self.state.access.list().await?;
        let names: HashMap<TokenId, String> = tokens.into_iter().map(|token| (token.id, token.name)).collect();
        let mut total = Usage::default();
        rows.iter().for_each(|row| total += row.usage);
        let items = rows.into_iter().map(|UsageRow { token, day, usage }| UsageView {
            day: Time(date(day * DAY_MS)),
            token_id: token.map(|id| id.0),
            token_name: token.and_then(|id| names.get(&id).cloned()),
            sums: usage.into(),
        });
        Ok(UsageList { items: items.collect(), total: total.into() })
    }
}

impl From<Usage> for Sums {
    fn from(usage: Usage) -> Self {
        let Usage { requests, tasks, audio_ms, bytes_in, llm_tokens } = usage;
        Self { requests, tasks, audio_seconds: audio_ms as f64 / 1000.0, bytes_in, llm_tokens }
    }
}
