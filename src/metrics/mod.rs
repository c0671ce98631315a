//! What is counted for Prometheus, in the process as a whole.
//!
//! Counters grow where things happen; gauges are read when somebody asks ([`Snapshot`]). Callers may rely on this: no
//! function takes an id, a link, a title or anything else that grows with use. Labels are words of the program, names from
//! the configuration, or the patterns of routes.

mod process;
mod snapshot;

use std::{
    sync::{LazyLock, atomic::AtomicU64},
    time::Duration,
};

use prometheus_client::{
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

pub use self::snapshot::{EngineLoad, Snapshot};

/// What every name begins with.
const PREFIX: &str = "trawl";

/// Requests: from what the database answers at once to a wait of a minute.
const REQUEST_SECONDS: [f64; 10] = [0.005, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0];
/// Steps, language models, deliveries: up to an hour.
const WORK_SECONDS: [f64; 10] = [0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1800.0, 3600.0];
/// Time of work for each second of audio: below 1 is faster than it is spoken.
const REAL_TIME: [f64; 9] = [0.01, 0.03, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];

type Labels<const N: usize> = [(&'static str, String); N];
type Counts<const N: usize> = Family<Labels<N>, Counter>;
type Sums<const N: usize> = Family<Labels<N>, Counter<f64, AtomicU64>>;
type Times<const N: usize> = Family<Labels<N>, Histogram>;

struct Metrics {
    registry: Registry,
    requests: Counts<3>,
    request_seconds: Times<2>,
    steps: Counts<2>,
    stale_writes: Counts<1>,
    step_seconds: Times<1>,
    transcriptions: Counts<1>,
    audio_seconds: Counter<f64, AtomicU64>,
    inference_seconds: Counter<f64, AtomicU64>,
    real_time: Histogram,
    downloads: Counts<1>,
    download_bytes: Counter,
    deliveries: Counts<1>,
    delivery_seconds: Histogram,
    endpoints_off: Counts<1>,
    llm_requests: Counts<2>,
    llm_seconds: Times<1>,
    llm_tokens: Counts<2>,
    llm_cost: Sums<1>,
    watched: Counts<1>,
}

static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

impl Metrics {
    fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix(PREFIX),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(|| Histogram::new(REQUEST_SECONDS)),
            steps: Family::default(),
            stale_writes: Family::default(),
            step_seconds: Family::new_with_constructor(|| Histogram::new(WORK_SECONDS)),
            transcriptions: Family::default(),
            audio_seconds: Counter::default(),
            inference_seconds: Counter::default(),
            real_time: Histogram::new(REAL_TIME),
            downloads: Family::default(),
            download_bytes: Counter::default(),
            deliveries: Family::default(),
            delivery_seconds: Histogram::new(WORK_SECONDS),
            endpoints_off: Family::default(),
            llm_requests: Family::default(),
            llm_seconds: Family::new_with_constructor(|| Histogram::new(WORK_SECONDS)),
            llm_tokens: Family::default(),
            llm_cost: Family::default(),
            watched: Family::default(),
        };
        metrics.register();
        metrics
    }

    /// Names and helps. The end `_total` of counters is added when they are written.
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("http_requests", "Requests answered", self.requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "From a request's head to the head of its answer",
            self.request_seconds.clone(),
        );
        registry.register("steps", "Tries of steps by how they ended", self.steps.clone());
        registry.register(
            "stale_writes",
            "Writes of this process that were refused because others had taken the work over",
            self.stale_writes.clone(),
        );
        registry.register("step_duration_seconds", "Tries of steps", self.step_seconds.clone());
        registry.register("transcriptions", "Transcripts by where they came from", self.transcriptions.clone());
        registry.register("audio_seconds", "Audio recognised", self.audio_seconds.clone());
        registry.register("inference_seconds", "Time of slots at work", self.inference_seconds.clone());
        registry.register(
            "realtime_factor",
            "Time of slots at work for each second of audio, by transcription",
            self.real_time.clone(),
        );
        registry.register("downloads", "Downloads of files by how they ended", self.downloads.clone());
        registry.register("download_bytes", "Bytes of files received", self.download_bytes.clone());
        registry.register("deliveries", "Attempts to deliver a callback", self.deliveries.clone());
        registry.register("delivery_duration_seconds", "Attempts to deliver", self.delivery_seconds.clone());
        registry.register(
            "endpoints_off",
            "Receivers of callbacks switched off by themselves",
            self.endpoints_off.clone(),
        );
        registry.register("llm_requests", "Requests to language models", self.llm_requests.clone());
        registry.register("llm_request_duration_seconds", "Their answers", self.llm_seconds.clone());
        registry.register("llm_tokens", "Tokens read and written by language models", self.llm_tokens.clone());
        registry.register("llm_cost", "Cost of language models at the configured prices", self.llm_cost.clone());
        registry.register("watched_files", "Files of watched folders by what became of them", self.watched.clone());
    }
}

/// A request was answered. `route` is the pattern of its route, such as `/api/tasks/{id}`.
pub fn request(method: &'static str, route: &str, status: u16, took: Duration) {
    let class = match status {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    };
    let (method, route) = (("method", method.to_owned()), ("route", route.to_owned()));
    METRICS.request_seconds.get_or_create(&[method.clone(), route.clone()]).observe(took.as_secs_f64());
    METRICS.requests.get_or_create(&[method, route, ("status", class.to_owned())]).inc();
}

/// A try of a step of this kind ended.
pub fn step(kind: &'static str, outcome: &'static str, took: Duration) {
    let kind = ("kind", kind.to_owned());
    METRICS.step_seconds.get_or_create(std::array::from_ref(&kind)).observe(took.as_secs_f64());
    METRICS.steps.get_or_create(&[kind, ("outcome", outcome.to_owned())]).inc();
}

/// Something was not written because the work had been taken away meanwhile: of a `step` or a `delivery`.
pub fn stale_write(of: &'static str) {
    METRICS.stale_writes.get_or_create(&[("of", of.to_owned())]).inc();
}

/// A transcript was made of audio of that length by slots that worked so long.
pub fn recognised(audio: Duration, inference: Duration) {
    METRICS.transcriptions.get_or_create(&[("source", "recognised".to_owned())]).inc();
    METRICS.audio_seconds.inc_by(audio.as_secs_f64());
    METRICS.inference_seconds.inc_by(inference.as_secs_f64());
    if !audio.is_zero() {
        METRICS.real_time.observe(inference.as_secs_f64() / audio.as_secs_f64());
    }
}

/// A transcript was there already: it is an earlier task's (`cached`), or nobody recognised it (`given`).
pub fn transcript(source: &'static str) {
    METRICS.transcriptions.get_or_create(&[("source", source.to_owned())]).inc();
}

/// Bytes of a file came in.
pub fn received(bytes: usize) {
    METRICS.download_bytes.inc_by(bytes as u64);
}

/// A download ended: `ok`, or the word of an error's code.
pub fn download(outcome: &'static str) {
    METRICS.downloads.get_or_create(&[("outcome", outcome.to_owned())]).inc();
}

/// An attempt to deliver a callback ended: `delivered`, `again` or `dead`.
pub fn delivery(outcome: &'static str, took: Duration) {
    METRICS.deliveries.get_or_create(&[("outcome", outcome.to_owned())]).inc();
    METRICS.delivery_seconds.observe(took.as_secs_f64());
}

/// A receiver of callbacks was switched off by itself: `gone` or `failed`.
pub fn endpoint_off(state: &'static str) {
    METRICS.endpoints_off.get_or_create(&[("state", state.to_owned())]).inc();
}

/// A language model was asked. `model` is its name in the configuration; `outcome` is `ok` or the word of an error's code.
pub fn llm_request(model: &str, outcome: &'static str, took: Duration) {
    let model = ("model", model.to_owned());
    METRICS.llm_seconds.get_or_create(std::array::from_ref(&model)).observe(took.as_secs_f64());
    METRICS.llm_requests.get_or_create(&[model, ("outcome", outcome.to_owned())]).inc();
}

/// A language model read and wrote so many tokens, for so much money if prices are configured.
pub fn llm_tokens(model: &str, read: u64, written: u64, cost: Option<f64>) {
    let label = || ("model", model.to_owned());
    METRICS.llm_tokens.get_or_create(&[label(), ("direction", "input".to_owned())]).inc_by(read);
    METRICS.llm_tokens.get_or_create(&[label(), ("direction", "output".to_owned())]).inc_by(written);
    if let Some(cost) = cost {
        METRICS.llm_cost.get_or_create(&[label()]).inc_by(cost);
    }
}

/// A file of a watched folder was taken in (`taken`), was known by its content (`known`), or its result was written
/// (`written`) or could not be (`unwritten`).
pub fn watched(outcome: &'static str) {
    METRICS.watched.get_or_create(&[("outcome", outcome.to_owned())]).inc();
}

#[cfg(test)]
mod tests;
