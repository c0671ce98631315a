//! Access tokens: made, listed and taken back.

use poem_openapi::{ApiResponse, Object, OpenApi, param::Path, payload::Json};

use super::{Context, Group};
use crate::{
    access::Wanted,
    api::{
        body::JsonBody,
        sample::sample,
        words::{Time, Word},
    },
    domain::{Quota, Scope, Token, TokenId},
};

/// Access tokens.
pub(in crate::api) struct Tokens(pub(super) Context);

/// Access tokens. / 访问令牌列表。
#[derive(Debug, Object)]
struct TokenList {
    /// The tokens, the newest first.
    items: Vec<TokenView>,
}

/// An access token without what makes it secret. / 一个访问令牌（不含其密文）。
#[derive(Debug, Object)]
#[oai(rename = "Token")]
pub(super) struct TokenView {
    /// Its id.
    id: i64,
    /// The part of it that may be shown: `trw_<key>_…`.
    key: String,
    /// What its owner calls it.
    name: String,
    /// What it may be used for.
    scopes: Vec<Word<Scope>>,
    /// How much may be done with it.
    quota: QuotaView,
    /// When it was made.
    created_at: Time,
    /// When it stops counting; null for never.
    #[oai(nullable)]
    expires_at: Option<Time>,
    /// When it was last used.
    #[oai(nullable)]
    last_used_at: Option<Time>,
    /// When it was taken back.
    #[oai(nullable)]
    revoked_at: Option<Time>,
}

/// How much may be done with a token; null where there is no limit. / 令牌的配额；null 表示不限。
#[derive(Debug, Default, Object)]
#[oai(rename = "Quota", default, deny_unknown_fields)]
struct QuotaView {
    /// Seconds of audio recognised in one day (UTC).
    #[oai(nullable)]
    audio_seconds_per_day: Option<i64>,
    /// Bytes received in one day (UTC).
    #[oai(nullable)]
    bytes_per_day: Option<i64>,
    /// Tasks made in one minute.
    #[oai(nullable)]
    tasks_per_minute: Option<i64>,
}

/// A token to make. / 要创建的访问令牌。
#[derive(Debug, Object)]
#[oai(rename = "NewToken", example)]
struct NewTokenView {
    /// What its owner calls it, 1 to 100 characters.
    name: String,
    /// What it may be used for, at least one: `read` looks at the own tasks and at what everyone may know, `submit` makes
    /// tasks and changes the own, `admin` may do everything.
    scopes: Vec<Word<Scope>>,
    /// When it stops counting; never when nothing is said.
    #[oai(nullable)]
    expires_at: Option<Time>,
    /// How much may be done with it; no limit when nothing is said.
    #[oai(nullable)]
    quota: Option<QuotaView>,
}

/// A token that was made, with the token itself. / 新令牌及其密文。
#[derive(Debug, Object)]
struct MadeToken {
    /// The token: shown this once and never again.
    token: String,
    #[oai(flatten)]
    about: TokenView,
}

/// A token that was made.
#[derive(ApiResponse)]
enum Made {
    /// The token is made; it is shown this once. / 令牌已创建，仅此一次显示。
    #[oai(status = 201)]
    Token(Json<MadeToken>),
}

/// Nothing more to say.
#[derive(ApiResponse)]
enum Revoked {
    /// The token counts no longer. / 令牌已失效。
    #[oai(status = 204)]
    Done,
}

#[OpenApi(tag = "Group::Access")]
impl Tokens {
    /// List access tokens
    ///
    /// Those that were taken back and those that have expired, too: tasks name their owners.
    ///
    /// 列出访问令牌，包括已撤销和已过期的。
    #[oai(path = "/api/tokens", method = "get", operation_id = "list_tokens")]
    async fn list(&self) -> poem::Result<Json<TokenList>> {
        let items = self.0.state.access.list().await?.into_iter().map(Into::into).collect();
        Ok(Json(TokenList { items }))
    }

    /// Make an access token
    ///
    /// The answer holds the token itself, which cannot be shown again: only its hash is stored.
    ///
    /// 创建访问令牌；密文仅在此响应中出现一次，服务器只保存其哈希。
    #[oai(path = "/api/tokens", method = "post", operation_id = "create_token")]
    async fn create(&self, body: JsonBody<NewTokenView>) -> poem::Result<Made> {
        let (token, key) = self.0.state.access.create(body.value.into()).await?;
        Ok(Made::Token(Json(MadeToken { token: key.text().to_owned(), about: token.into() })))
    }

    /// Revoke an access token
    ///
    /// It counts no longer from the next request on, nor do sessions and JWTs that it was swapped for. Its tasks stay.
    ///
    /// 撤销访问令牌：立即失效，由其换取的会话与 JWT 也失效；其任务保留。
    #[oai(path = "/api/tokens/:id", method = "delete", operation_id = "revoke_token")]
    async fn revoke(
        &self,
        /// The token's id.
        id: Path<i64>,
    ) -> poem::Result<Revoked> {
        self.0.state.access.revoke(TokenId(id.0)).await?;
        Ok(Revoked::Done)
    }
}

impl From<NewTokenView> for Wanted {
    fn from(view: NewTokenView) -> Self {
        let NewTokenView { name, scopes, expires_at, quota } = view;
        let QuotaView { audio_seconds_per_day, bytes_per_day, tasks_per_minute } = quota.unwrap_or_default();
        Self {
            name,
            scopes: scopes.into_iter().map(|word| word.0).collect(),
            expires_at: expires_at.map(|at| at.0),
            quota: Quota { audio_seconds: audio_seconds_per_day, bytes: bytes_per_day, tasks: tasks_per_minute },
        }
    }
}

impl From<Token> for TokenView {
    fn from(token: Token) -> Self {
        let Quota { audio_seconds, bytes, tasks } = token.quota;
        Self {
            id: token.id.0,
            key: token.key_id,
            name: token.name,
            scopes: token.scopes.iter().map(Word).collect(),
            quota: QuotaView { audio_seconds_per_day: audio_seconds, bytes_per_day: bytes, tasks_per_minute: tasks },
            created_at: Time(token.created_at),
            expires_at: token.expires_at.map(Time),
            last_used_at: token.last_used_at.map(Time),
            revoked_at: token.revoked_at.map(Time),
        }
    }
}

sample!(NewTokenView, {
    "name": "editor",
    "scopes": ["read", "submit"],
    "expires_at": "2030-01-01T00:00:00Z",
    "quota": { "audio_seconds_per_day": 36000 },
});
