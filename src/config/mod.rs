//! The configuration: one struct per concern, layered and checked.
//!
//! Layers, later ones win: the embedded `config/default.toml`, a file, `TRAWL__SECTION__KEY` variables, flags.
//! Callers may rely on every value being in range once [`Config::load`] has returned it.

mod auth;
mod engine;
mod exec;
mod llm;
mod load;
mod models;
mod remote;
mod retention;
mod roles;
mod storage;
mod watch;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use serde::Deserialize;

pub use self::{
    auth::{AuthConfig, AuthMode},
    engine::EngineConfig,
    exec::ExecConfig,
    llm::{LlmConfig, LlmModel},
    models::ModelsConfig,
    remote::{RemoteConfig, RemoteUse},
    retention::RetentionConfig,
    storage::{Provider, StorageConfig, StoragePlace},
    watch::{WatchConfig, WatchFolder},
};
use crate::domain::{Lane, Role, Span};

/// The whole configuration.
#[derive(Clone, Debug, Deserialize)]
pub struct Config {
    /// Where it listens.
    pub server: ServerConfig,
    /// Where tasks are kept.
    pub database: DatabaseConfig,
    /// Where media are kept.
    pub storage: StorageConfig,
    /// Folders.
    pub paths: PathsConfig,
    /// Who may call.
    pub auth: AuthConfig,
    /// What people send.
    pub uploads: UploadsConfig,
    /// What lies here for us.
    pub ingest: IngestConfig,
    /// How the network is used.
    pub net: NetConfig,
    /// How platforms are asked.
    pub crawlers: crawlers::Settings,
    /// Who we are towards them.
    pub identities: IdentitiesConfig,
    /// What steps may use and nobody may see.
    pub secrets: SecretsConfig,
    /// Programs that workflows may run, by name.
    #[serde(default)]
    pub exec: BTreeMap<String, ExecConfig>,
    /// How ffmpeg is run.
    pub media: MediaConfig,
    /// Model files.
    pub models: ModelsConfig,
    /// Recognition processes.
    pub engine: EngineConfig,
    /// Language models.
    pub llm: LlmConfig,
    /// Leases and lanes.
    pub queue: QueueConfig,
    /// Deliveries.
    pub callbacks: CallbacksConfig,
    /// How long what is done stays.
    pub retention: RetentionConfig,
    /// Folders whose files are taken in by themselves.
    pub watch: WatchConfig,
    /// The log.
    pub log: LogConfig,
    /// Traces.
    pub traces: TracesConfig,
}

/// Where traces of tasks go.
#[derive(Clone, Debug, Deserialize)]
pub struct TracesConfig {
    /// The collector's address for OTLP over HTTP, with its path; empty for none.
    pub endpoint: String,
}

/// Where the daemon listens.
#[derive(Clone, Debug, Deserialize)]
pub struct ServerConfig {
    /// Address and port; port 0 takes a free one.
    pub bind: SocketAddr,
    /// What this process does.
    pub role: Role,
    /// What the node is called in the list of nodes; empty: as the machine.
    pub name: String,
    /// The path below which everything is served: empty, or `/word`.
    pub base_path: String,
    /// Connections at the same time.
    pub max_connections: usize,
    /// Connections of one address at the same time; 0 for any number.
    pub max_connections_per_address: usize,
    /// How long a request's head may take.
    pub head_timeout: Span,
    /// How long a connection may be silent while nothing is worked on for it.
    pub idle_timeout: Span,
    /// Origins of other sites' pages that may call; `*` for all.
    pub cors_origins: Vec<String>,
}

/// Where tasks are kept.
#[derive(Clone, Deserialize)]
pub struct DatabaseConfig {
    /// An address of SQLite, PostgreSQL or MySQL, with its password; empty for SQLite in the data folder.
    pub url: String,
}

impl std::fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DatabaseConfig")
    }
}

/// Folders.
#[derive(Clone, Debug, Deserialize)]
pub struct PathsConfig {
    /// Database, kept media, secrets made by trawl.
    pub data: PathBuf,
    /// Working folders.
    pub temp: PathBuf,
    /// Definitions of workflows; need not be there.
    pub workflows: PathBuf,
}

/// What people send.
#[derive(Clone, Debug, Deserialize)]
pub struct UploadsConfig {
    /// The largest upload in bytes.
    pub max_bytes: u64,
    /// Disk space in bytes that uploads and downloads leave free.
    pub reserve_bytes: u64,
    /// How long an upload in pieces waits for its next one.
    pub expires_after: Span,
    /// Uploads in pieces that are not complete, at the same time.
    pub max_unfinished: usize,
}

/// What lies here for us.
#[derive(Clone, Debug, Deserialize)]
pub struct IngestConfig {
    /// The folder whose folders may be taken in; empty: none.
    pub root: PathBuf,
}

/// How the network is used.
#[derive(Clone, Debug, Deserialize)]
pub struct NetConfig {
    /// Hosts, `host:port`s or CIDRs which are exempt from the address and port rules.
    pub allow_hosts: Vec<String>,
    /// A host's name → the base URL that stands in for it, exempt from the address and port rules.
    pub host_map: BTreeMap<String, String>,
    /// Ports that links may name.
    pub ports: Vec<u16>,
    /// The User-Agent of requests for pages and media.
    pub user_agent: String,
    /// Until a connection stands.
    pub connect_timeout: Span,
    /// Until the head of an answer is here.
    pub first_byte_timeout: Span,
    /// How long a transfer may be slower than `stall_bytes_per_second`.
    pub stall_window: Span,
    /// The slowest transfer, in bytes per second.
    pub stall_bytes_per_second: u64,
    /// For one whole transfer.
    pub total_timeout: Span,
    /// Redirects followed at most.
    pub max_redirects: usize,
    /// The largest page, in bytes after decompression.
    pub max_page_bytes: u64,
    /// The largest media file, in bytes received.
    pub max_media_bytes: u64,
    /// Connections to one host at the same time.
    pub per_host: usize,
}

/// Cookie identities.
#[derive(Clone, Deserialize)]
pub struct IdentitiesConfig {
    /// 32 bytes in base64 that encrypt the cookies; empty to have them made.
    pub key: String,
}

impl std::fmt::Debug for IdentitiesConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdentitiesConfig")
    }
}

/// Secrets of workflows.
#[derive(Clone, Deserialize)]
pub struct SecretsConfig {
    /// 32 bytes in base64 that encrypt them; empty to have them made.
    pub key: String,
}

impl std::fmt::Debug for SecretsConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretsConfig")
    }
}

/// How ffmpeg is run.
#[derive(Clone, Debug, Deserialize)]
pub struct MediaConfig {
    /// The program.
    pub ffmpeg: PathBuf,
    /// The program.
    pub ffprobe: PathBuf,
    /// Whether ffmpeg is locked in.
    pub sandbox: Sandbox,
    /// The longest audio.
    pub max_duration: Span,
    /// For one run of ffmpeg.
    pub timeout: Span,
    /// Address space of one ffmpeg, in bytes.
    pub memory_bytes: u64,
}

/// Whether ffmpeg is locked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sandbox {
    /// When the kernel can.
    Auto,
    /// Or not at all.
    Require,
    /// Never.
    Off,
}

/// Leases and lanes.
#[derive(Clone, Debug, Deserialize)]
pub struct QueueConfig {
    /// How long a claim holds without a heartbeat.
    pub lease: Span,
    /// How often claims are renewed.
    pub heartbeat: Span,
    /// How often the queue is looked at when nothing wakes it.
    pub poll: Span,
    /// The lanes that this process takes steps of.
    pub lanes: Vec<Lane>,
    /// Steps at the same time in lane `net`.
    pub net: usize,
    /// Steps at the same time in lane `cpu`; 0 for half of the cores.
    pub cpu: usize,
    /// Deliveries at the same time.
    pub deliver: usize,
    /// Decisions of workflows at the same time.
    pub flow: usize,
    /// Requests to language models at the same time.
    pub llm: usize,
    /// Clips decoded ahead of the engine, for each slot.
    pub prefetch: usize,
    /// Worker deaths after which a step is failed.
    pub max_crashes: i64,
    /// How long running steps may go on after SIGTERM.
    pub drain: Span,
}

/// Deliveries.
#[derive(Clone, Debug, Deserialize)]
pub struct CallbacksConfig {
    /// `whsec_` and base64; empty to have one made.
    pub secret: String,
    /// How long a secret that was replaced signs beside the new one.
    pub rotation: Span,
    /// For one attempt.
    pub timeout: Span,
    /// The wait before each attempt.
    pub schedule: Vec<Span>,
    /// The shortest wait after an answer that says that the receiver is busy, or none.
    pub busy_wait: Span,
    /// On their way to one endpoint at the same time.
    pub per_endpoint: usize,
    /// After so long with nothing but failures an endpoint is switched off.
    pub off_after: Span,
}

/// The log.
#[derive(Clone, Debug, Deserialize)]
pub struct LogConfig {
    /// A level or a filter.
    pub level: String,
    /// How lines look.
    pub format: LogFormat,
    /// The file that lines go to; empty: stderr.
    pub file: PathBuf,
    /// When another file is begun.
    pub rotate: LogRotation,
    /// The size in bytes at which another file is begun.
    pub max_bytes: u64,
    /// How many full files are kept.
    pub keep: u64,
}

/// When another log file is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogRotation {
    /// At midnight, UTC.
    Daily,
    /// When the file has `log.max_bytes`.
    Size,
    /// Never: something else does it.
    Never,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl Config {
    /// The database's address, with the default filled in.
    pub fn database_url(&self) -> String {
        if self.database.url.is_empty() {
            format!("sqlite:{}", self.paths.data.join("trawl.db").display())
        } else {
            self.database.url.clone()
        }
    }

    /// Steps at the same time in lane `cpu`.
    pub fn cpu_lane(&self) -> usize {
        match self.queue.cpu {
            0 => (cores() / 2).max(1),
            lane => lane,
        }
    }
}

impl CallbacksConfig {
    /// The wait before attempt `n`, counted from 1; none after the last.
    pub fn wait_before(&self, attempt: usize) -> Option<Duration> {
        attempt.checked_sub(1).and_then(|index| self.schedule.get(index)).map(|span| span.0)
    }
}

/// Whether an address is that of a web server and holds nothing else: no user name, no password, no query.
fn is_plain_address(url: &url::Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.host().is_some()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
