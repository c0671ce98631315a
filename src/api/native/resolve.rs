//! Links looked at without making a task.

use poem_openapi::{Object, OpenApi, payload::Json};
use serde_json::Value;

use super::{Context, Group};
use crate::api::body::JsonBody;

/// Links.
pub(in crate::api) struct Links(pub(super) Context);

/// A link to look at. / 要解析的链接。
#[derive(Debug, Object)]
struct LinkToResolve {
    /// A link, or a share text with a link in it.
    link: String,
}

#[OpenApi(tag = "Group::Tasks")]
impl Links {
    /// See what a link stands for
    ///
    /// Asks the site and answers with the media: title, author, duration, where its streams are. Nothing is downloaded or
    /// stored.
    ///
    /// 解析链接，返回媒体信息；不下载也不保存任何内容。
    #[oai(path = "/api/resolve", method = "post", operation_id = "resolve_link")]
    async fn resolve(&self, body: JsonBody<LinkToResolve>) -> poem::Result<Json<Value>> {
        Ok(Json(self.0.state.resolver.resolve(&body.value.link).await?))
    }
}
