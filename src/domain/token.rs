//! Access tokens as they are known, without what makes them secret.

use chrono::{DateTime, Utc};

use super::{Scopes, TokenId};

/// An access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// The part of it that may be shown.
    pub key_id: String,
    /// What its owner calls it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Scopes,
    /// How much may be done with it.
    pub quota: Quota,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it stops counting.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was taken back.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// How much may be done with a token; no limit where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Seconds of audio recognised in one day.
    pub audio_seconds: Option<i64>,
    /// Bytes received in one day.
    pub bytes: Option<i64>,
    /// Tasks made in one minute.
    pub tasks: Option<i64>,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Requests answered.
    pub requests: i64,
    /// Tasks made, those of workflows' steps included.
    pub tasks: i64,
    /// Milliseconds of audio recognised.
    pub audio_ms: i64,
    /// Bytes of requests' bodies received.
    pub bytes_in: i64,
    /// Tokens that language models read and wrote.
    pub llm_tokens: i64,
}

impl Token {
    /// Whether it counts at a time.
    pub fn counts(&self, at: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| at < end)
    }
}

impl Quota {
    /// Whether anything is limited.
    pub fn is_any(&self) -> bool {
        self.audio_seconds.is_some() || self.bytes.is_some() || self.tasks.is_some()
    }
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, more: Self) {
        let Self { requests, tasks, audio_ms, bytes_in, llm_tokens } = more;
        self.requests = self.requests.saturating_add(requests);
        self.tasks = self.tasks.saturating_add(tasks);
        self.audio_ms = self.audio_ms.saturating_add(audio_ms);
        self.bytes_in = self.bytes_in.saturating_add(bytes_in);
        self.llm_tokens = self.llm_tokens.saturating_add(llm_tokens);
    }
}
