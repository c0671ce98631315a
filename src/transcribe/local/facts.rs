//! What the scheduler knows, for whoever looks from outside.

use super::{devices::Device, memory, placement::World};
use crate::transcribe::engine::{DeviceStatus, EngineStatus};

/// An engine, or a device without one.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) status: EngineStatus,
    pub(super) pid: Option<u32>,
}

/// The scheduler's last word.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) rows: Vec<Row>,
    /// None until they are known.
    pub(super) devices: Option<Vec<Device>>,
    pub(super) world: World,
}

impl Facts {
    pub(super) fn status(&self) -> Vec<EngineStatus> {
        let with_memory = |row: &Row| EngineStatus { rss: row.pid.and_then(memory::resident), ..row.status.clone() };
        self.rows.iter().map(with_memory).collect()
    }

    pub(super) fn devices(&self) -> Option<Vec<DeviceStatus>> {
        let used = |number: usize| if number < self.world.devices.len() { self.world.used(number) } else { 0 };
        let devices = self.devices.as_ref()?;
        Some(devices.iter().enumerate().map(|(number, device)| device.status(used(number))).collect())
    }

    /// How many devices are in use; the CPU when it stands in for all of them.
    pub(super) fn usable(&self) -> Option<usize> {
        let devices = self.devices.as_ref()?;
        let usable = devices.iter().filter(|device| device.is_usable()).count();
        Some(usable.max(usize::from(devices.iter().any(|device| device.fallback))))
    }
}
