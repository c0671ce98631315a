//! Cookie identities: added, looked at, changed and removed. Their cookies go in and never come out.

use poem_openapi::{ApiResponse, Object, OpenApi, param::Path, payload::Json};

use super::{Context, Group};
use crate::{
    api::{
        body::JsonBody,
        sample::sample,
        words::{Time, Word},
    },
    crawl,
    domain::IdentityState,
};

/// Identities.
pub(in crate::api) struct Identities(pub(super) Context);

/// Who the daemon is towards platforms. / 守护进程在各平台使用的身份。
#[derive(Debug, Object)]
struct IdentityList {
    /// The identities, by platform and name.
    items: Vec<IdentityView>,
}

/// An identity: a cookie with the user agent and the proxy that belong to it. The cookie is not shown. / 一个身份：Cookie 及与之配套的 User-Agent 和代理；不会显示 Cookie。
#[derive(Debug, Object)]
#[oai(rename = "Identity")]
struct IdentityView {
    /// Its id.
    id: String,
    /// The platform's name.
    platform: String,
    /// What it is called; unique within the platform.
    name: String,
    /// The names of its cookies.
    cookies: Vec<String>,
    /// The user agent that is sent with them; empty: the platform's usual one.
    user_agent: String,
    /// Whether it goes through a proxy of its own.
    proxied: bool,
    /// Whether it may be used: `resting` after the platform was wary of it, `refused` until it has another cookie.
    state: Word<IdentityState>,
    /// Until when it rests.
    #[oai(nullable)]
    resting_until: Option<Time>,
    /// Failures in a row.
    failures: u32,
    /// What kind the last failure was, such as `captcha`; null after a success.
    #[oai(nullable)]
    last_error: Option<String>,
    /// When it was last used.
    #[oai(nullable)]
    last_used_at: Option<Time>,
    /// When it was added.
    created_at: Time,
    /// Why its cookie cannot be read: the daemon has another key than the one that it was encrypted with.
    #[oai(nullable)]
    problem: Option<String>,
}

/// An identity to add. / 要添加的身份。
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
struct NewIdentity {
    /// The platform: `douyin` or `tiktok`.
    platform: String,
    /// What to call it, up to 64 characters; unique within the platform.
    name: String,
    /// The value of a `Cookie` header, or the text of a Netscape cookie file, of which the platform's cookies are taken.
    cookie: String,
    /// The user agent of the browser that the cookie comes from; the platform's usual one when there is none.
    #[oai(nullable)]
    user_agent: Option<String>,
    /// An HTTP proxy that only this identity goes through: http://host:port, or http://user:password@host:port.
    #[oai(nullable)]
    proxy: Option<String>,
}

/// What to change about an identity; what is left out stays. / 要修改的内容；未给出的保持不变。
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
struct IdentityChange {
    /// Another name.
    #[oai(nullable)]
    name: Option<String>,
    /// Another cookie; its health begins anew.
    #[oai(nullable)]
    cookie: Option<String>,
    /// Another user agent; empty: the platform's usual one.
    #[oai(nullable)]
    user_agent: Option<String>,
    /// Another proxy; empty: none.
    #[oai(nullable)]
    proxy: Option<String>,
    /// Whether its health begins anew, although the cookie stays.
    #[oai(nullable)]
    reset: Option<bool>,
}

/// An identity that was added.
#[derive(ApiResponse)]
enum Added {
    /// The identity is stored, its cookie encrypted. / 身份已保存，Cookie 已加密。
    #[oai(status = 201)]
    Identity(
        Json<IdentityView>,
        /// The identity's path.
        #[oai(header = "Location")]
        String,
    ),
}

/// Nothing more to say.
#[derive(ApiResponse)]
enum Removed {
    /// The identity is gone. / 身份已删除。
    #[oai(status = 204)]
    Gone,
}

#[OpenApi(tag = "Group::Identities")]
impl Identities {
    /// List identities
    ///
    /// With their health and the names of their cookies.
    ///
    /// 列出身份、健康状况与 Cookie 名称。
    #[oai(path = "/api/identities", method = "get", operation_id = "list_identities")]
    async fn list(&self) -> poem::Result<Json<IdentityList>> {
        let items = self.0.state.identities.list().await?.into_iter().map(Into::into).collect();
        Ok(Json(IdentityList { items }))
    }

    /// Add an identity
    ///
    /// Links of its platform are resolved with it when its turn comes. Its cookie and proxy are stored encrypted and never
    /// shown again.
    ///
    /// 添加身份；解析该平台的链接时轮流使用。Cookie 与代理加密保存，不再显示。
    #[oai(path = "/api/identities", method = "post", operation_id = "create_identity")]
    async fn create(&self, body: JsonBody<NewIdentity>) -> poem::Result<Added> {
        let NewIdentity { platform, name, cookie, user_agent, proxy } = body.value;
        let (user_agent, proxy) = (user_agent.unwrap_or_default(), proxy.unwrap_or_default());
        let new = crawl::NewIdentity { platform, name, cookie, user_agent, proxy };
        let added = self.0.state.identities.add(new).await?;
        let path = format!("{}/api/identities/{}", self.0.base(), added.identity.id);
        Ok(Added::Identity(Json(added.into()), path))
    }

    /// Look at an identity
    ///
    /// Its health and the names of its cookies.
    ///
    /// 查看身份的健康状况与 Cookie 名称。
    #[oai(path = "/api/identities/:id", method = "get", operation_id = "get_identity")]
    async fn get(
        &self,
        /// The identity.
        id: Path<String>,
    ) -> poem::Result<Json<IdentityView>> {
        Ok(Json(self.0.state.identities.get(&id.0).await?.into()))
    }

    /// Change an identity
    ///
    /// A new cookie lets its health begin anew; so does `reset`.
    ///
    /// 修改身份；更换 Cookie 或 `reset` 会重置健康状况。
    #[oai(path = "/api/identities/:id", method = "patch", operation_id = "change_identity")]
    async fn change(
        &self,
        /// The identity.
        id: Path<String>,
        body: JsonBody<IdentityChange>,
    ) -> poem::Result<Json<IdentityView>> {
        let IdentityChange { name, cookie, user_agent, proxy, reset } = body.value;
        let change = crawl::Change { name, cookie, user_agent, proxy, reset: reset.unwrap_or_default() };
        Ok(Json(self.0.state.identities.change(&id.0, change).await?.into()))
    }

    /// Remove an identity
    ///
    /// With its cookie.
    ///
    /// 删除身份及其 Cookie。
    #[oai(path = "/api/identities/:id", method = "delete", operation_id = "delete_identity")]
    async fn delete(
        &self,
        /// The identity.
        id: Path<String>,
    ) -> poem::Result<Removed> {
        self.0.state.identities.remove(&id.0).await?;
        Ok(Removed::Gone)
    }
}

impl From<crawl::Listed> for IdentityView {
    fn from(listed: crawl::Listed) -> Self {
        let crawl::Listed { identity, cookies, proxied, problem } = listed;
        let state = identity.health.state_at(chrono::Utc::now());
        let is_resting = state == IdentityState::Resting;
        Self {
            id: identity.id,
            platform: identity.platform,
            name: identity.name,
            cookies,
            user_agent: identity.user_agent,
            proxied,
            state: Word(state),
            resting_until: identity.health.cool_until.filter(|_| is_resting).map(Time),
            failures: identity.health.failures,
            last_error: identity.health.last_error,
            last_used_at: identity.last_used_at.map(Time),
            created_at: Time(identity.created_at),
            problem,
        }
    }
}

sample!(NewIdentity, { "platform": "douyin", "name": "reader 1", "cookie": "ttwid=1%7Cabc; sessionid=def" });

sample!(IdentityChange, { "name": "reader 2", "reset": true });
