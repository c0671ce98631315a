//! What trawl needs, as `trawl doctor` looks for it.

use std::time::Instant;

use poem_openapi::{Object, OpenApi, param::Query, payload::Json};

use super::{Context, Group};
use crate::{
    api::words::Word,
    crawl::Crawl,
    doctor::{self, Check, Ending},
    domain::CheckState,
    error::Result,
    net::Net,
};

/// The doctor.
pub(in crate::api) struct Doctor(pub(super) Context);

/// What was found. / 检查结果。
#[derive(Debug, Object)]
pub(super) struct Findings {
    /// Whether everything that is needed works.
    ok: bool,
    /// The checks, in the order in which they were made.
    checks: Vec<CheckView>,
}

/// One check. / 一项检查。
#[derive(Debug, Object)]
#[oai(rename = "Check")]
struct CheckView {
    /// What was looked at.
    name: String,
    /// `failed` where trawl does not work without it, `warning` where it does; `skipped` where there is nothing to check.
    state: Word<CheckState>,
    /// How long it took, in milliseconds.
    ms: u64,
    /// What is here, or what is wrong.
    detail: String,
    /// What kind of failure it is.
    #[oai(skip_serializing_if_is_none)]
    code: Option<String>,
    /// What to do about it.
    #[oai(skip_serializing_if_is_none)]
    hint: Option<String>,
}

#[OpenApi(tag = "Group::System")]
impl Doctor {
    /// Check what trawl needs
    ///
    /// The checks of `trawl doctor`: CPU, ffmpeg, sandbox, folders, storage, model, language models, programs, database,
    /// identities. With `links`, each way to each platform is tried, too: that asks the platforms and may take minutes.
    ///
    /// 运行 `trawl doctor` 的各项检查：CPU、ffmpeg、沙箱、目录、存储、模型、语言模型、程序、数据库与身份；
    /// 带 `links` 时还会逐一尝试各平台的解析方式，可能需要数分钟。
    #[oai(path = "/api/doctor", method = "get", operation_id = "doctor")]
    async fn get(
        &self,
        /// Whether the ways to the platforms are tried, too. / 是否同时尝试各平台的解析方式。
        #[oai(default)]
        links: Query<bool>,
    ) -> poem::Result<Json<Findings>> {
        let checks = self.0.findings(links.0).await?;
        let ok = !checks.iter().any(Check::is_fatal);
        Ok(Json(Findings { ok, checks: checks.into_iter().map(Into::into).collect() }))
    }
}

impl Context {
    async fn findings(&self, links: bool) -> Result<Vec<Check>> {
        let state = &self.state;
        let net = Net::new(&state.config.net)?;
        let mut checks = doctor::machine(&state.config, async { Ok(state.models.clone()) }).await?;
        checks.extend(doctor::outside(&state.config, &net));
        let begun = Instant::now();
        checks.push(Check::of("database", true, begun, doctor::database(self.store()).await));
        let begun = Instant::now();
        checks.push(Check::of("identities", false, begun, doctor::identities(&state.identities).await));
        if links {
            let crawl = Crawl::new(&state.config, net, Some(state.identities.clone()))?;
            doctor::links(&crawl, |check| checks.push(check)).await;
        }
        Ok(checks)
    }
}

impl From<Check> for CheckView {
    fn from(check: Check) -> Self {
        let state = match check.ending {
            Ending::Ok => CheckState::Ok,
            Ending::Failed if check.needed => CheckState::Failed,
            Ending::Failed => CheckState::Warning,
            Ending::Skipped => CheckState::Skipped,
        };
        Self {
            name: check.name,
            state: Word(state),
            ms: check.ms,
            detail: check.detail,
            code: check.class,
            hint: check.hint,
        }
    }
}
