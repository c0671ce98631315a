//! `GET /health`, as two older systems have it.

use poem_openapi::{Object, OpenApi, payload::Json};

use crate::api::native::Group;

/// The old route.
pub(in crate::api) struct Health;

/// The daemon is well. / 服务正常。
#[derive(Debug, Object)]
#[oai(rename = "OlderHealth")]
struct View {
    /// `OK`.
    status: String,
    /// The daemon's version.
    version: String,
}

#[OpenApi(tag = "Group::Compatibility")]
impl Health {
    /// Whether the daemon answers
    ///
    /// As older systems have it. `/live` and `/ready` say more. Example: `curl URL/health`.
    ///
    /// 兼容旧系统的健康检查；`/live` 与 `/ready` 提供更多信息。
    #[oai(path = "/health", method = "get", operation_id = "health")]
    async fn get(&self) -> Json<View> {
        Json(View { status: "OK".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() })
    }
}
