//! `GET /api/health/check`.

use poem_openapi::{Object, OpenApi, payload::Json};

use crate::api::native::Group;

/// Health.
pub(in crate::api) struct ServiceHealth;

/// The daemon answers. / 服务正常。
#[derive(Debug, Object)]
#[oai(rename = "ServicesHealth")]
struct Check {
    /// `ok`.
    status: String,
}

#[OpenApi(tag = "Group::Compatibility")]
impl ServiceHealth {
    /// Does it answer?
    ///
    /// Always `ok` while the process runs; `GET /ready` says whether it takes work.
    ///
    /// 服务是否存活；是否可接受任务请看 `GET /ready`。
    #[oai(path = "/api/health/check", method = "get", operation_id = "services_health")]
    async fn check(&self) -> Json<Check> {
        Json(Check { status: "ok".to_owned() })
    }
}
