//! The processes that share the work.

use std::collections::HashMap;

use poem_openapi::{Object, OpenApi, payload::Json, types::Example};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Context, Group,
    devices::{DeviceView, EngineView},
};
use crate::{
    api::{
        who::Who,
        words::{Time, Word},
    },
    domain::{Lane, NodeState, Role, StepKind},
    error::Result,
    store::{LaneLoad, Node, RunningStep, date},
    transcribe::{DeviceStatus, EngineStatus},
};

/// How many steps are told of at most, over all nodes.
const MOST_RUNNING: u64 = 1_000;

/// Nodes.
pub(in crate::api) struct Nodes(pub(super) Context);

/// The nodes. / 节点列表。
#[derive(Debug, Object)]
#[oai(rename = "NodeList", example)]
struct NodeList {
    /// In the order of their starts.
    items: Vec<NodeView>,
}

/// A process that shares the work. / 一个参与工作的进程。
#[derive(Debug, Object)]
#[oai(rename = "Node")]
struct NodeView {
    /// Another one at each start of the process.
    id: String,
    /// `server.name`, or the machine's name.
    name: String,
    /// What it does.
    role: Word<Role>,
    /// How it is. One that was not heard of for `queue.lease` is `lost`; it is forgotten after a day.
    state: Word<NodeState>,
    /// Whether it is the one that answers this.
    here: bool,
    /// Its program's version.
    version: String,
    /// When it started.
    started_at: Time,
    /// When it was last heard of.
    seen_at: Time,
    /// The lanes that it takes steps of.
    lanes: Vec<LaneView>,
    /// What it works on of the caller's own; for admins, everything.
    running: Vec<RunningView>,
    /// Its devices.
    devices: Vec<DeviceView>,
    /// Its engines, and the servers that it uses.
    engines: Vec<EngineView>,
    /// The models that it recognises with; `*` when a server takes any.
    models: Vec<String>,
}

/// A lane of a node. / 节点的一条通道。
#[derive(Debug, Object)]
#[oai(rename = "NodeLane")]
struct LaneView {
    /// The lane.
    lane: Word<Lane>,
    /// Its steps at the same time.
    width: usize,
    /// How many ran when the node was last heard of. In lane `gpu` there may be more: one more that is urgent, and those
    /// whose last window is at work.
    busy: usize,
}

/// A step that runs. / 正在执行的步骤。
#[derive(Debug, Object)]
#[oai(rename = "RunningStep")]
struct RunningView {
    /// The task.
    task_id: i64,
    /// The step.
    step: String,
    /// What it does.
    kind: Word<StepKind>,
    /// The lane that it takes a place of.
    lane: Word<Lane>,
    /// 0 to 1.
    progress: f64,
    /// When it was begun.
    #[oai(nullable)]
    started_at: Option<Time>,
}

#[OpenApi(tag = "Group::System")]
impl Nodes {
    /// Who shares the work
    ///
    /// Every process on this database: what it does, how it is, its lanes, devices and models, and which steps it works on.
    /// A daemon that has its database for itself stands there alone.
    ///
    /// 共用同一数据库的所有进程：角色、状态、通道、设备、模型以及正在执行的步骤；单机运行时只有一个。
    #[oai(path = "/api/nodes", method = "get", operation_id = "list_nodes")]
    async fn list(&self, who: Who) -> poem::Result<Json<NodeList>> {
        let (store, own) = (self.0.store(), self.0.state.queue.owner());
        let nodes = store.nodes(self.0.state.queue.lease_ms()).await?;
        let mut running: HashMap<String, Vec<RunningView>> = HashMap::new();
        for step in store.running(who.0.only(), MOST_RUNNING).await? {
            running.entry(step.node.clone()).or_default().push(step.into());
        }
        let items = nodes.into_iter().map(|node| {
            let running = running.remove(&node.said.id).unwrap_or_default();
            NodeView { here: node.said.id == own, running, ..node.into() }
        });
        Ok(Json(NodeList { items: items.collect() }))
    }
}

impl Context {
    /// How many nodes there are, by state.
    pub(super) async fn node_counts(&self) -> Result<Vec<(&'static str, u64)>> {
        let nodes = self.store().nodes(self.state.queue.lease_ms()).await?;
        let count = |state: &NodeState| nodes.iter().filter(|node| node.state == *state).count() as u64;
        Ok(NodeState::ALL.iter().map(|state| (state.as_str(), count(state))).collect())
    }
}

impl From<Node> for NodeView {
    fn from(node: Node) -> Self {
        let Node { said, state, started_at, seen_at } = node;
        Self {
            id: said.id,
            name: said.name,
            role: Word(said.role),
            state: Word(state),
            here: false,
            version: said.version,
            started_at: Time(started_at),
            seen_at: Time(seen_at),
            lanes: said.lanes.into_iter().map(Into::into).collect(),
            running: Vec::new(),
            devices: each::<DeviceStatus>(said.devices).map(Into::into).collect(),
            engines: each::<EngineStatus>(said.engines).map(Into::into).collect(),
            models: said.models,
        }
    }
}

impl From<LaneLoad> for LaneView {
    fn from(load: LaneLoad) -> Self {
        Self { lane: Word(load.lane), width: load.width, busy: load.busy }
    }
}

impl From<RunningStep> for RunningView {
    fn from(step: RunningStep) -> Self {
        Self {
            task_id: step.task_id.0,
            step: step.key,
            kind: Word(step.kind),
            lane: Word(step.lane),
            progress: step.progress,
            started_at: step.started_at.map(Time),
        }
    }
}

/// What a node of perhaps another version has said; what is not understood is left out.
fn each<T: DeserializeOwned>(said: Value) -> impl Iterator<Item = T> {
    let items = match said {
        Value::Array(items) => items,
        _ => Vec::new(),
    };
    items.into_iter().filter_map(|item| serde_json::from_value(item).ok())
}

impl Example for NodeList {
    fn example() -> Self {
        let node = |id: &str, name: &str, role, lanes, running| NodeView {
            id: id.to_owned(),
            name: name.to_owned(),
            role: Word(role),
            state: Word(NodeState::Ready),
            here: role == Role::Api,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: Time(date(1_795_132_800_000)),
            seen_at: Time(date(1_795_136_400_000)),
            lanes,
            running,
            devices: Vec::new(),
            engines: Vec::new(),
            models: if role == Role::Api { Vec::new() } else { vec!["large-v3-turbo".to_owned()] },
        };
        let running = RunningView {
            task_id: 42,
            step: "text".to_owned(),
            kind: Word(StepKind::Transcribe),
            lane: Word(Lane::Gpu),
            progress: 0.4,
            started_at: Some(Time(date(1_795_136_380_000))),
        };
        let lane = LaneView { lane: Word(Lane::Gpu), width: 4, busy: 1 };
        Self {
            items: vec![
                node("0199aa00-5f3c-7c10-8f0e-2b9b6f1c0a01", "web", Role::Api, Vec::new(), Vec::new()),
                node("0199aa00-61d2-7e43-9d11-4e0c57ab1c02", "gpu-1", Role::Worker, vec![lane], vec![running]),
            ],
        }
    }
}
