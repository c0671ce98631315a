//! The daemon itself: whether it lives, whether it can work, what it is.

use std::{collections::BTreeMap, sync::atomic::Ordering, time::Duration};

use poem_openapi::{Object, OpenApi, payload::Json};
use serde_json::Value;

use super::{Context, Group};
use crate::{
    api::{who::Who, words::Word},
    domain::Scope,
    error::{Code, Error, Result},
};

/// How long the database may take to answer.
const PING: Duration = Duration::from_secs(2);

/// What no other part of the daemon says about itself.
const OWN: [&str; 3] = ["name", "version", "access"];

/// The daemon itself.
pub(in crate::api) struct System(pub(super) Context);

/// How the daemon is. / 守护进程的状态。
#[derive(Debug, Object)]
struct Health {
    /// `live` or `ready`.
    status: String,
}

/// What the daemon is, with facts about its engines and ffmpeg. / 守护进程、引擎与 ffmpeg 的信息。
#[derive(Debug, Object)]
struct Info {
    /// `trawl`.
    name: String,
    /// Its version.
    version: String,
    /// Who may call, and what the caller may do.
    access: AccessView,
    #[oai(flatten)]
    facts: BTreeMap<String, Value>,
}

/// Who may call. / 访问控制。
#[derive(Debug, Object)]
struct AccessView {
    /// `auth.mode`: `auto`, `on`, `local` or `off`.
    mode: String,
    /// Whether requests need an access token.
    token_required: bool,
    /// What the caller may do.
    scopes: Vec<Word<Scope>>,
}

#[OpenApi(tag = "Group::System")]
impl System {
    /// Is the process alive?
    ///
    /// Touches nothing: an answer is the answer.
    ///
    /// 进程是否存活；不访问数据库。
    #[oai(path = "/live", method = "get", operation_id = "live")]
    async fn live(&self) -> Json<Health> {
        Json(Health { status: "live".to_owned() })
    }

    /// Can it work?
    ///
    /// The database answers, the disk has room, and the process is not stopping.
    ///
    /// 能否工作：数据库可用、磁盘有空间、未在停止。
    #[oai(path = "/ready", method = "get", operation_id = "ready")]
    async fn ready(&self) -> poem::Result<Json<Health>> {
        self.0.ready().await?;
        Ok(Json(Health { status: "ready".to_owned() }))
    }

    /// What is it?
    ///
    /// Name, version, who may call, engines, ffmpeg.
    ///
    /// 名称、版本、访问控制、引擎与 ffmpeg。
    #[oai(path = "/api/info", method = "get", operation_id = "info")]
    async fn info(&self, who: Who) -> Json<Info> {
        let facts = match (self.0.state.info)() {
            Value::Object(facts) => facts.into_iter().filter(|(name, _)| !OWN.contains(&name.as_str())).collect(),
            _ => BTreeMap::new(),
        };
        let access = AccessView {
            mode: self.0.state.config.auth.mode.as_str().to_owned(),
            token_required: !self.0.state.access.is_open(),
            scopes: who.0.scopes.iter().map(Word).collect(),
        };
        Json(Info { name: "trawl".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned(), access, facts })
    }
}

impl Context {
    async fn ready(&self) -> Result<()> {
        if self.state.draining.load(Ordering::Relaxed) || self.stop.is_cancelled() {
            return Err(Error::new(Code::ShuttingDown, "The daemon is stopping"));
        }
        let ping = tokio::time::timeout(PING, self.store().ping()).await;
        ping.map_err(|_| Error::new(Code::Database, "The database does not answer"))??;
        self.state.files.check_free(0)
    }
}
