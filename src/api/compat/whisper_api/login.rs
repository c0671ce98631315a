//! `POST /auth/token`: an access token is swapped for a JWT.

use poem::Request;
use poem_openapi::{Object, OpenApi, payload::Json};

use serde_json::Value;

use crate::{
    api::{
        access::address,
        body::Document,
        json,
        native::{Context, Group},
        sample::Sample,
    },
    error::{Code, Error, Result},
};

/// Logging in.
pub(in crate::api) struct Login(pub(super) Context);

/// What later requests show as `Authorization: Bearer`. / 后续请求使用的令牌。
#[derive(Debug, Object)]
#[oai(rename = "WhisperApiToken")]
struct Swapped {
    /// A JWT that counts for `auth.jwt_life`.
    token: String,
}

/// A key to be swapped.
struct Swap;

impl Sample for Swap {
    fn sample() -> Value {
        serde_json::json!({ "api_key": "your-api-key" })
    }
}

#[OpenApi(tag = "Group::Compatibility")]
impl Login {
    /// Swap a key for a token
    ///
    /// The body is `{"api_key": "trw_…"}`: an access token of this daemon. Where the daemon is open, any key will do.
    ///
    /// 用 API 密钥（`trw_…`）换取短期令牌（JWT）；若服务开放访问，任意密钥均可。
    #[oai(path = "/auth/token", method = "post", operation_id = "whisper_api_login")]
    async fn token(&self, request: &Request, body: Document<Swap>) -> poem::Result<Json<Swapped>> {
        let key = key(&body.0)?;
        let token = self.0.state.access.exchange(&key, address(request)).await.map_err(|error| match error.code {
            Code::Unauthorized => Error::new(Code::Unauthorized, "Invalid API key").with_hint(error.hint),
            _ => error,
        })?;
        Ok(Json(Swapped { token }))
    }
}

fn key(body: &str) -> Result<String> {
    let given = json::parse(body.as_bytes()).ok();
    let key = given.as_ref().and_then(|given| given.get("api_key")?.as_str()).map(str::trim).unwrap_or_default();
    if key.is_empty() {
        return Err(Error::new(Code::InvalidRequest, "Invalid request body")
            .with_hint("Send {\"api_key\": \"…\"}.")
            .with_field("api_key"));
    }
    Ok(key.to_owned())
}
