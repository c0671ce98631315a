//! Links looked at without making a task.

use poem_openapi::{Object, OpenApi, payload::Json};
use serde_json::Value;

use super::{Context, Group};
use crate::{
    api::{body::JsonBody, sample::sample},
    crawl::{Ask, Who},
    error::{Code, Error, Result},
};

/// Links.
pub(in crate::api) struct Links(pub(super) Context);

/// A link to look at. / 要解析的链接。
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
struct LinkToResolve {
    /// A link, or a share text with a link in it.
    link: String,
    /// The identity to use, by name or id, whatever its health; `none` for nobody. Without it: the one whose turn it is.
    #[oai(nullable)]
    identity: Option<String>,
    /// A cookie to use for this request alone, as a `Cookie` header or a Netscape cookie file. It is not stored.
    #[oai(nullable)]
    cookie: Option<String>,
    /// The user agent of the browser that `cookie` comes from.
    #[oai(nullable)]
    user_agent: Option<String>,
    /// The only strategy to try, by its name in `attempts`, although it rests or is switched off.
    #[oai(nullable)]
    strategy: Option<String>,
}

#[OpenApi(tag = "Group::Tasks")]
impl Links {
    /// See what a link stands for
    ///
    /// Asks the site and answers with the media: title, author, duration, where its streams are, and in `attempts` which
    /// ways were tried. A problem has them, too. Nothing is downloaded or stored.
    ///
    /// 解析链接，返回媒体信息；`attempts` 列出尝试过的途径，失败时亦然。不下载也不保存任何内容。
    #[oai(path = "/api/resolve", method = "post", operation_id = "resolve_link")]
    async fn resolve(&self, body: JsonBody<LinkToResolve>) -> poem::Result<Json<Value>> {
        Ok(Json(self.0.state.resolver.resolve(&body.value.ask()?).await?))
    }
}

impl LinkToResolve {
    fn ask(self) -> Result<Ask> {
        let cookie = self.cookie.filter(|cookie| !cookie.trim().is_empty());
        let who = match (self.identity, cookie) {
            (Some(_), Some(_)) => {
                return Err(Error::new(Code::InvalidValue, "Both `identity` and `cookie` are given")
                    .with_hint("Give one of them.")
                    .with_field("cookie"));
            }
            (_, None) if self.user_agent.as_deref().is_some_and(|agent| !agent.trim().is_empty()) => {
                return Err(Error::new(Code::InvalidValue, "A `user_agent` is given without a `cookie`")
                    .with_hint("Give the cookie of that browser with it; an identity has its own user agent.")
                    .with_field("user_agent"));
            }
            (Some(name), None) => Who::named(name.trim()),
            (None, Some(cookie)) => Who::Visitor { cookie, user_agent: self.user_agent.unwrap_or_default() },
            (None, None) => Who::Anyone,
        };
        let only = self.strategy.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        Ok(Ask { link: self.link, who, only })
    }
}

sample!(LinkToResolve, { "link": "https://www.tiktok.com/@name/video/7301234567890123456" });
