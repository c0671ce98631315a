//! `GET /usage`: what was done with the caller's key.

use chrono::Utc;
use poem_openapi::{Object, OpenApi, payload::Json};

use crate::{
    api::{
        native::{Context, Group},
        who::Who,
        words::Time,
    },
    domain::{Caller, TokenId, Usage},
    error::Result,
};

/// Usage.
pub(in crate::api) struct JobUsage(pub(super) Context);

/// What was done with a key. / 密钥用量。
#[derive(Debug, Object)]
#[oai(rename = "WhisperApiUsage")]
struct View {
    /// The access token's id; empty where none was needed.
    user_id: String,
    /// Requests.
    request_count: i64,
    /// Seconds of audio.
    total_duration: i64,
    /// Bytes that were sent.
    total_data_size: i64,
    /// When the key was last used.
    last_used_at: Time,
}

#[OpenApi(tag = "Group::Compatibility")]
impl JobUsage {
    /// See what was done
    ///
    /// All counters of the caller's key since it was made; without a key, of everything that was done without one.
    ///
    /// 查看当前密钥的累计用量；未使用密钥时为所有匿名请求的用量。
    #[oai(path = "/usage", method = "get", operation_id = "whisper_api_usage")]
    async fn usage(&self, who: Who) -> poem::Result<Json<View>> {
        Ok(Json(self.0.used_by(who.0).await?))
    }
}

impl Context {
    async fn used_by(&self, who: Caller) -> Result<View> {
        // This very request is counted, too.
        self.state.access.flush().await?;
        let store = self.state.queue.store();
        // What was done without a token stands under the number 0.
        let rows = store.usage(Some(who.token.unwrap_or(TokenId(0))), 0).await?;
        let mut sum = Usage::default();
        for row in rows {
            sum += row.usage;
        }
        let token = match who.token {
            Some(id) => store.token(id).await?,
            None => None,
        };
        Ok(View {
            user_id: who.token.map_or_else(String::new, |id| id.to_string()),
            request_count: sum.requests,
            total_duration: sum.audio_ms / 1000,
            total_data_size: sum.bytes_in,
            last_used_at: Time(token.and_then(|token| token.last_used_at).unwrap_or_else(Utc::now)),
        })
    }
}
