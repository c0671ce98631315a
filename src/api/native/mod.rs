//! The native API: one struct for each resource.

mod batch;
mod counts;
mod current;
mod delete;
mod deliveries;
mod devices;
mod doctor;
mod edits;
mod endpoints;
mod event_fires;
pub(in crate::api) mod events;
mod export;
mod files;
mod identities;
mod language;
mod list;
mod media;
mod metrics;
mod model_views;
mod models;
mod nodes;
mod peaks;
mod rerun;
mod resolve;
pub(in crate::api) mod resumable;
mod revisions;
mod schedule_views;
mod schedule_wishes;
mod schedules;
mod secrets;
mod session;
mod source_views;
mod source_wishes;
mod sources;
mod step_views;
mod steps;
mod submit;
mod system;
mod tasks;
mod tokens;
mod transcript;
pub(in crate::api) mod upload;
mod usage;
mod views;
mod wait;
mod workflow_views;
mod workflows;

use std::collections::HashMap;

use poem::{endpoint::BoxEndpoint, http::Method};
use poem_openapi::{
    OpenApi, Tags,
    registry::{MetaApi, Registry},
};
use tokio_util::sync::CancellationToken;

use super::{
    State, compat,
    openai::{OpenAiModels, Speech},
};
use crate::{
    domain::{Task, TaskId},
    error::{Code, Error, Result},
    store::Store,
};

/// What the handlers work on.
#[derive(Clone)]
pub(super) struct Context {
    /// The parts of the daemon.
    pub state: State,
    /// Ends live views and waits.
    pub stop: CancellationToken,
}

impl Context {
    fn store(&self) -> &Store {
        self.state.queue.store()
    }

    async fn task(&self, id: TaskId) -> Result<Task> {
        self.store().task(id).await?.ok_or_else(|| Error::new(Code::NotFound, format!("There is no task {id}")))
    }

    pub(in crate::api) fn base(&self) -> &str {
        &self.state.config.server.base_path
    }
}

/// The groups of the documentation.
#[derive(Tags)]
pub(super) enum Group {
    /// Links and files on their way to words. / 任务：从链接或文件到文字。
    Tasks,
    /// What happens, as it happens. / 实时事件。
    Events,
    /// What came out. / 结果：文字稿、字幕与媒体。
    Results,
    /// Lists that are followed. / 订阅源：被跟踪的账号、播放列表与订阅。
    Sources,
    /// What starts by itself, again and again. / 定时计划：按时自动启动的工作。
    Schedules,
    /// What is done with a task's input. / 工作流。
    Workflows,
    /// Who the daemon is towards platforms. / 在各平台使用的身份。
    Identities,
    /// What workflows may use and nobody may see. / 工作流使用的密钥。
    Secrets,
    /// Who may call, and what was done. / 访问令牌、会话与用量。
    Access,
    /// The routes of the systems that trawl takes the place of. / 兼容旧系统的接口。
    Compatibility,
    /// The daemon itself. / 守护进程本身。
    System,
}

type All = (
    (tasks::Tasks, counts::Counts, steps::Steps),
    (batch::Batch, upload::Uploads, resumable::Resumable),
    events::Events,
    (transcript::Transcripts, export::Exports),
    files::StepFiles,
    (media::MediaFiles, peaks::Peaks),
    (deliveries::Deliveries, endpoints::Endpoints),
    resolve::Links,
    identities::Identities,
    secrets::Secrets,
    (sources::Sources, schedules::Schedules, event_fires::EventFires),
    (tokens::Tokens, session::Sessions, usage::Used),
    (workflows::Workflows, language::Language, compat::Routes),
    (models::ModelFiles, devices::Devices, nodes::Nodes, metrics::Metrics),
    (Speech, OpenAiModels),
    (doctor::Doctor, system::System),
);

/// Every resource.
pub(super) fn all(context: Context) -> All {
    (
        (tasks::Tasks(context.clone()), counts::Counts(context.clone()), steps::Steps(context.clone())),
        (batch::Batch(context.clone()), upload::Uploads(context.clone()), resumable::Resumable(context.clone())),
        events::Events(context.clone()),
        (transcript::Transcripts(context.clone()), export::Exports(context.clone())),
        files::StepFiles(context.clone()),
        (media::MediaFiles(context.clone()), peaks::Peaks(context.clone())),
        (deliveries::Deliveries(context.clone()), endpoints::Endpoints(context.clone())),
        resolve::Links(context.clone()),
        identities::Identities(context.clone()),
        secrets::Secrets(context.clone()),
        (
            sources::Sources(context.clone()),
            schedules::Schedules(context.clone()),
            event_fires::EventFires(context.clone()),
        ),
        (tokens::Tokens(context.clone()), session::Sessions(context.clone()), usage::Used(context.clone())),
        (workflows::Workflows(context.clone()), language::Language(context.clone()), compat::routes(&context)),
        (
            models::ModelFiles(context.clone()),
            devices::Devices(context.clone()),
            nodes::Nodes(context.clone()),
            metrics::Metrics(context.clone()),
        ),
        (Speech(context.clone()), OpenAiModels(context.clone())),
        (doctor::Doctor(context.clone()), system::System(context)),
    )
}

/// Every resource on paper: for the documentation when nothing runs.
pub(super) struct Described;

impl OpenApi for Described {
    fn meta() -> Vec<MetaApi> {
        All::meta()
    }

    fn register(registry: &mut Registry) {
        All::register(registry);
    }

    fn add_routes(self, _: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {}
}
