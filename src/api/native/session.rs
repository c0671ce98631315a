//! A browser's session: a token swapped for a cookie that scripts cannot read.

use poem::Request;
use poem_openapi::{ApiResponse, Object, OpenApi, payload::Json};

use super::{Context, Group, tokens::TokenView};
use crate::api::{
    access::{COOKIE, address, secure},
    body::JsonBody,
    sample::sample,
};

/// Sessions.
pub(in crate::api) struct Sessions(pub(super) Context);

/// A token to log in with. / 用于登录的访问令牌。
#[derive(Debug, Object)]
#[oai(example)]
struct Login {
    /// An access token: `trw_…`.
    token: String,
}

/// Somebody has logged in.
#[derive(ApiResponse)]
enum LoggedIn {
    /// The browser has a session as the cookie `trawl_session`. / 已登录，会话保存在 Cookie 中。
    #[oai(status = 200)]
    Token(
        Json<TokenView>,
        /// The cookie: `HttpOnly`, `SameSite=Strict`.
        #[oai(header = "Set-Cookie")]
        String,
    ),
}

/// Somebody has logged out.
#[derive(ApiResponse)]
enum LoggedOut {
    /// The browser's cookie is gone. / 已退出登录。
    #[oai(status = 204)]
    Done(
        /// The cookie, emptied.
        #[oai(header = "Set-Cookie")]
        String,
    ),
}

#[OpenApi(tag = "Group::Access")]
impl Sessions {
    /// Log a browser in
    ///
    /// Swaps an access token for a cookie that scripts cannot read and other sites' pages cannot send. It lasts for
    /// `auth.session_life`, and no longer than its token.
    ///
    /// 浏览器登录：用访问令牌换取脚本不可读取的 Cookie，有效期为 `auth.session_life`，且不超过令牌本身。
    #[oai(path = "/api/session", method = "post", operation_id = "create_session")]
    async fn create(&self, request: &Request, body: JsonBody<Login>) -> poem::Result<LoggedIn> {
        let access = &self.0.state.access;
        let (session, token) = access.session(body.value.token.trim(), address(request)).await?;
        let cookie = self.cookie(request, &session, access.session_life().as_secs());
        Ok(LoggedIn::Token(Json(token.into()), cookie))
    }

    /// Log a browser out
    ///
    /// Takes the cookie away; the access token stays as it is.
    ///
    /// 浏览器退出登录：清除 Cookie，访问令牌不受影响。
    #[oai(path = "/api/session", method = "delete", operation_id = "delete_session")]
    async fn delete(&self, request: &Request) -> LoggedOut {
        LoggedOut::Done(self.cookie(request, "", 0))
    }
}

impl Sessions {
    fn cookie(&self, request: &Request, session: &str, seconds: u64) -> String {
        let base = self.0.base();
        let path = if base.is_empty() { "/" } else { base };
        let secure = if secure(request.headers()) { "; Secure" } else { "" };
        format!("{COOKIE}={session}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
    }
}

sample!(Login, { "token": "trw_your-access-token" });
