//! The devices of this machine: which are asked for, which are there.

use std::{path::Path, process::Stdio, time::Duration};

use tokio::process::Command;

use super::memory;
use crate::{
    config::EngineConfig,
    error::{Code, Error, Result},
    transcribe::{engine::DeviceStatus, protocol},
};

/// How long the list of GPUs may take. A driver can hang.
const PATIENCE: Duration = Duration::from_secs(10);
/// The kinds of GPU that have numbers.
const KINDS: [&str; 3] = ["cuda", "vulkan", "hip"];

/// A word of `engine.devices`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Every GPU, else the CPU.
    Auto,
    /// The CPU.
    Cpu,
    /// A GPU by its name.
    Gpu(String),
}

/// A device that is used, or would be if it could.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Device {
    pub(super) name: String,
    pub(super) description: String,
    /// Bytes.
    pub(super) total: u64,
    /// Bytes that engines may use together.
    pub(super) budget: u64,
    pub(super) cpu: bool,
    /// Whether it is only there for when the others cannot be used.
    pub(super) fallback: bool,
    /// Why it cannot be used.
    pub(super) problem: Option<String>,
}

impl Device {
    /// Whether engines are started there without need.
    pub(super) fn is_usable(&self) -> bool {
        self.problem.is_none() && !self.fallback
    }

    /// For display.
    pub(super) fn status(&self, used: u64) -> DeviceStatus {
        DeviceStatus {
            name: self.name.clone(),
            description: self.description.clone(),
            memory_total: self.total,
            memory_budget: self.budget,
            memory_used: used,
            problem: self.problem.clone(),
        }
    }

    fn unusable(name: &str, problem: String) -> Self {
        let (description, name) = (String::new(), name.to_owned());
        Self { name, description, total: 0, budget: 0, cpu: false, fallback: false, problem: Some(problem) }
    }
}

/// Reads `engine.devices`.
pub(super) fn words(config: &EngineConfig) -> Result<Vec<Word>> {
    let mut words = Vec::new();
    for given in &config.devices {
        let word = match given.as_str() {
            "auto" => Word::Auto,
            "cpu" => Word::Cpu,
            name if is_gpu(name) => Word::Gpu(name.to_owned()),
            other => {
                let detail = format!("engine.devices has \"{other}\", which is no device");
                let hint = "Use \"auto\", \"cpu\", \"metal\", or a kind with a number such as \"cuda:0\", \"vulkan:0\", \"hip:0\".";
                return Err(Error::new(Code::Config, detail).with_hint(hint).with_field("engine.devices"));
            }
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    Ok(words)
}

fn is_gpu(name: &str) -> bool {
    let is_number = |number: &str| number.len() <= 3 && number.parse::<u16>().is_ok_and(|n| n.to_string() == number);
    name == "metal" || name.split_once(':').is_some_and(|(kind, number)| KINDS.contains(&kind) && is_number(number))
}

/// Asks the program which GPUs it can use. It is another process, because a driver may crash.
pub(super) async fn list(program: &Path) -> Result<Vec<protocol::Device>, String> {
    let mut command = Command::new(program);
    command.args(["engine", "--list-devices"]).stdin(Stdio::null()).kill_on_drop(true);
    let output = match tokio::time::timeout(PATIENCE, command.output()).await {
        Err(_) => return Err(format!("the list of GPUs took more than {} seconds", PATIENCE.as_secs())),
        Ok(Err(error)) => return Err(format!("the list of GPUs could not be asked for: {error}")),
        Ok(Ok(output)) => output,
    };
    if !output.status.success() {
        tracing::warn!(stderr = %String::from_utf8_lossy(&output.stderr), "The list of GPUs failed");
        return Err(format!("the list of GPUs failed: the process {}", super::process::describe(output.status)));
    }
    serde_json::from_slice(&output.stdout).map_err(|_| "the list of GPUs makes no sense".to_owned())
}

/// The devices behind the words, in the order of the words, given the GPUs that are there.
pub(super) fn resolve(
    words: &[Word],
    listed: &Result<Vec<protocol::Device>, String>,
    config: &EngineConfig,
) -> Vec<Device> {
    let mut devices: Vec<Device> = Vec::new();
    let mut add = |device: Device| {
        if devices.iter().all(|known| known.name != device.name) {
            devices.push(device);
        }
    };
    for word in words {
        match (word, listed) {
            (Word::Cpu, _) => add(cpu(config)),
            (Word::Auto, Ok(gpus)) if gpus.is_empty() => add(cpu(config)),
            (Word::Auto, Ok(gpus)) => gpus.iter().for_each(|listed| add(gpu(listed))),
            (Word::Auto, Err(problem)) => {
                add(cpu(config));
                add(Device::unusable("auto", format!("No GPU can be used: {problem}")));
            }
            (Word::Gpu(name), Ok(gpus)) => add(match gpus.iter().find(|listed| listed.name == *name) {
                Some(listed) => gpu(listed),
                None => Device::unusable(name, missing(name, gpus)),
            }),
            (Word::Gpu(name), Err(problem)) => add(Device::unusable(name, format!("{name} cannot be used: {problem}"))),
        }
    }
    if config.cpu_fallback && !devices.is_empty() && !devices.iter().any(|device| device.cpu) {
        devices.push(Device { fallback: true, ..cpu(config) });
    }
    devices
}

fn missing(name: &str, gpus: &[protocol::Device]) -> String {
    let there: Vec<&str> = gpus.iter().map(|gpu| gpu.name.as_str()).collect();
    match there.as_slice() {
        [] => format!("{name} is not there: this build sees no GPU"),
        there => format!("{name} is not there, only {}", there.join(", ")),
    }
}

fn cpu(config: &EngineConfig) -> Device {
    Device {
        name: "cpu".to_owned(),
        description: "CPU".to_owned(),
        total: memory::main_memory().unwrap_or(0),
        budget: memory::cpu_budget(config.memory_bytes),
        cpu: true,
        fallback: false,
        problem: None,
    }
}

fn gpu(listed: &protocol::Device) -> Device {
    Device {
        name: listed.name.clone(),
        description: listed.description.clone(),
        total: listed.memory_total,
        budget: memory::gpu_budget(listed.memory_total),
        cpu: false,
        fallback: false,
        problem: None,
    }
}
