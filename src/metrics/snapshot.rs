//! What is so at the moment, and everything together as text.

use prometheus_client::{
    encoding::text::{encode_eof, encode_registry},
    metrics::{counter::Counter, family::Family, gauge::Gauge, info::Info},
    registry::Registry,
};

use super::{Counts, Labels, METRICS, PREFIX, process::Process};

/// How things are when somebody asks.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Tasks by status.
    pub tasks: Vec<(&'static str, u64)>,
    /// Steps that have not ended, by lane and state.
    pub steps: Vec<(&'static str, &'static str, u64)>,
    /// Deliveries that have not ended, by state.
    pub deliveries: Vec<(&'static str, u64)>,
    /// The processes on this database, by state.
    pub nodes: Vec<(&'static str, u64)>,
    /// The engines.
    pub engines: Vec<EngineLoad>,
}

/// How busy a device is, or a server elsewhere.
#[derive(Clone, Debug, Default)]
pub struct EngineLoad {
    /// `cpu`, `cuda:0`, … or `remote:<name>`.
    pub device: String,
    /// Transcriptions at the same time.
    pub slots: usize,
    /// How many are running.
    pub busy: usize,
    /// How often engines were started again after a failure.
    pub restarts: u64,
    /// Bytes of main memory in use by the engines, when they are processes of this machine.
    pub rss: u64,
}

impl Snapshot {
    /// The content type of [`Snapshot::text`].
    pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// Everything that is counted and measured, as OpenMetrics text, which Prometheus reads.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode_registry(&mut text, &METRICS.registry);
        let _ = encode_registry(&mut text, &self.gauges());
        let _ = encode_registry(&mut text, &Process::read().registry());
        let _ = encode_eof(&mut text);
        text
    }

    fn gauges(&self) -> Registry {
        let mut registry = Registry::with_prefix(PREFIX);
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "What runs", version);
        let tasks = self.tasks.iter().map(|(status, count)| ([label("status", status)], *count));
        registry.register("tasks", "Tasks by status", gauges(tasks));
        let steps = self.steps.iter();
        let steps = steps.map(|(lane, state, count)| ([label("lane", lane), label("state", state)], *count));
        registry.register("lane_steps", "Steps that have not ended, by lane", gauges(steps));
        let deliveries = self.deliveries.iter().map(|(state, count)| ([label("state", state)], *count));
        registry.register("deliveries_open", "Deliveries that have not ended", gauges(deliveries));
        let nodes = self.nodes.iter().map(|(state, count)| ([label("state", state)], *count));
        registry.register("nodes", "Processes that share the work, by state", gauges(nodes));
        let engines = |states: &dyn Fn(&EngineLoad) -> Vec<(&'static str, usize)>| {
            let of = |engine: &EngineLoad| {
                let device = label("device", &engine.device);
                let states = states(engine).into_iter();
                states.map(move |(state, count)| ([device.clone(), label("state", state)], count as u64))
            };
            gauges(self.engines.iter().flat_map(of))
        };
        let slots = engines(&|engine| vec![("busy", engine.busy), ("free", engine.slots.saturating_sub(engine.busy))]);
        registry.register("engine_slots", "Room for transcriptions", slots);
        let memory = self.engines.iter().map(|engine| ([label("device", &engine.device)], engine.rss));
        registry.register("engine_memory_bytes", "Main memory of engine processes", gauges(memory));
        let restarts = Counts::<1>::default();
        for engine in &self.engines {
            restarts.get_or_create(&[label("device", &engine.device)]).inc_by(engine.restarts);
        }
        registry.register("engine_restarts", "Engines started again after a failure", restarts);
        registry
    }
}

fn label(name: &'static str, value: &str) -> (&'static str, String) {
    (name, value.to_owned())
}

/// Gauges with these values; those of the same labels are added up.
fn gauges<const N: usize>(values: impl Iterator<Item = (Labels<N>, u64)>) -> Family<Labels<N>, Gauge> {
    let family = Family::default();
    for (labels, value) in values {
        let gauge: Gauge = Family::get_or_create_owned(&family, &labels);
        gauge.inc_by(i64::try_from(value).unwrap_or(i64::MAX));
    }
    family
}

/// A counter that is read, not counted.
pub(super) fn read(value: f64) -> Counter<f64, std::sync::atomic::AtomicU64> {
    let counter = Counter::default();
    counter.inc_by(value);
    counter
}
