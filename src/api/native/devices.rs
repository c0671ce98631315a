//! What recognises: the devices of this machine, and the engines on them and elsewhere.

use poem_openapi::{Object, OpenApi, payload::Json, types::Example};

use super::{Context, Group};
use crate::transcribe::{DeviceStatus, EngineStatus};

/// Devices.
pub(in crate::api) struct Devices(pub(super) Context);

/// What recognises. / 识别用的设备与引擎。
#[derive(Debug, Object)]
#[oai(rename = "Devices", example)]
struct DevicesView {
    /// The devices of this machine that are used.
    devices: Vec<DeviceView>,
    /// The engines: a model on a device, or a server elsewhere.
    engines: Vec<EngineView>,
}

/// A device of this machine. / 本机的一个设备。
#[derive(Debug, Object)]
#[oai(rename = "Device")]
pub(super) struct DeviceView {
    /// `cpu`, `cuda:0`, …
    name: String,
    /// What its driver calls it.
    description: String,
    /// Bytes of memory that it has.
    memory_total: u64,
    /// Bytes of it that engines may use together.
    memory_budget: u64,
    /// Bytes of it that engines are thought to use.
    memory_used: u64,
    /// Why it cannot be used.
    #[oai(nullable)]
    problem: Option<String>,
}

/// A model on a device, or a server elsewhere. / 设备上的一个模型，或远程服务器。
#[derive(Debug, Object)]
#[oai(rename = "Engine")]
pub(super) struct EngineView {
    /// Where it computes: a device's name, or `remote:` and a server's.
    device: String,
    /// The model in memory.
    #[oai(nullable)]
    model: Option<String>,
    /// `idle`, `loading`, `ready`, `busy`, `waiting` (before a restart) or `failed`.
    state: String,
    /// Transcriptions at the same time.
    slots: usize,
    /// How many are running.
    busy: usize,
    /// How often it was started again after a failure.
    restarts: u64,
    /// Whether it is never unloaded.
    pinned: bool,
    /// Bytes of main memory in use.
    #[oai(nullable)]
    rss: Option<u64>,
    /// Why it cannot be used, or why something else is used in its place.
    #[oai(nullable)]
    problem: Option<String>,
}

#[OpenApi(tag = "Group::System")]
impl Devices {
    /// What runs where
    ///
    /// The devices of this machine with their memory, and every engine with its model, slots and restarts.
    ///
    /// 本机设备及其内存，以及每个引擎的模型、槽位与重启次数。
    #[oai(path = "/api/devices", method = "get", operation_id = "list_devices")]
    async fn list(&self) -> Json<DevicesView> {
        let pool = &self.0.state.pool;
        Json(DevicesView {
            devices: pool.devices().into_iter().map(Into::into).collect(),
            engines: pool.status().into_iter().map(Into::into).collect(),
        })
    }
}

impl From<DeviceStatus> for DeviceView {
    fn from(device: DeviceStatus) -> Self {
        Self {
            name: device.name,
            description: device.description,
            memory_total: device.memory_total,
            memory_budget: device.memory_budget,
            memory_used: device.memory_used,
            problem: device.problem,
        }
    }
}

impl From<EngineStatus> for EngineView {
    fn from(engine: EngineStatus) -> Self {
        Self {
            device: engine.device,
            model: engine.model,
            state: engine.state,
            slots: engine.slots,
            busy: engine.busy,
            restarts: engine.restarts,
            pinned: engine.pinned,
            rss: engine.rss,
            problem: engine.problem,
        }
    }
}

impl Example for DevicesView {
    fn example() -> Self {
        Self {
            devices: vec![DeviceView {
                name: "cuda:0".to_owned(),
                description: "NVIDIA H200".to_owned(),
                memory_total: 150_323_855_360,
                memory_budget: 142_807_662_592,
                memory_used: 3_758_096_384,
                problem: None,
            }],
            engines: vec![EngineView {
                device: "cuda:0".to_owned(),
                model: Some("large-v3-turbo".to_owned()),
                state: "busy".to_owned(),
                slots: 4,
                busy: 3,
                restarts: 0,
                pinned: true,
                rss: Some(912_261_120),
                problem: None,
            }],
        }
    }
}
