//! Downloads in the background, one for each model, for whoever wants to look or to stop them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Fetch, ModelRef, Models,
    pull::{Pullable, running},
};
use crate::error::{Code, Error, Report, Result};

/// The speed shown is that of the last second or so.
const SPAN: Duration = Duration::from_secs(1);

/// How a download is, or how the last one of its model ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pull {
    /// The model's name.
    pub name: String,
    /// Where it stands.
    pub state: PullState,
    /// Bytes here, those of earlier downloads included.
    pub received: u64,
    /// Bytes in all, once the server has said.
    pub total: Option<u64>,
    /// How fast it is now; 0 when it has ended.
    pub bytes_per_second: u64,
    /// When it was started.
    pub started_at: DateTime<Utc>,
    /// Why it failed.
    pub error: Option<Report>,
}

/// Where a download stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PullState {
    /// On its way.
    Running,
    /// The model is here.
    Done,
    /// It broke off; what is here of it is kept.
    Failed,
    /// Somebody stopped it; what is here of it is kept.
    Cancelled,
}

impl PullState {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What came of [`Pulls::start`].
#[derive(Debug)]
pub enum Started {
    /// Nothing is to be done: the model is here.
    Here(ModelRef),
    /// The download runs now.
    Running(Pull),
}

/// The downloads of this process. Clones share them.
#[derive(Clone)]
pub struct Pulls {
    models: Models,
    fetch: Arc<dyn Fetch>,
    pulls: Arc<Mutex<BTreeMap<&'static str, Entry>>>,
    arrived: watch::Sender<u64>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

struct Entry {
    pull: watch::Sender<Pull>,
    cancel: CancellationToken,
}

impl Pulls {
    /// No downloads yet.
    pub fn new(models: Models, fetch: Arc<dyn Fetch>) -> Self {
        let (arrived, stop, tasks) = (watch::Sender::new(0), CancellationToken::new(), TaskTracker::new());
        Self { models, fetch, pulls: Arc::default(), arrived, stop, tasks }
    }

    /// Starts to download a model, by its name or an alias. `conflict` when that runs already.
    pub fn start(&self, name: &str) -> Result<Started> {
        let official = match self.models.pullable(name)? {
            Pullable::Here(model) => return Ok(Started::Here(model)),
            Pullable::Absent(official) => official,
        };
        let name = official.name;
        let mut pulls = self.pulls.lock().unwrap_or_else(PoisonError::into_inner);
        if self.stop.is_cancelled() {
            return Err(Error::new(Code::ShuttingDown, "The daemon is stopping"));
        }
        // Somebody else in this process may hold the file, too.
        let runs = pulls.get(name).is_some_and(|entry| entry.pull.borrow().state == PullState::Running);
        if runs || self.models.is_pulling(name) {
            return Err(running(name));
        }
        let pull = Pull {
            name: name.to_owned(),
            state: PullState::Running,
            received: self.models.started(name),
            total: official.bytes(),
            bytes_per_second: 0,
            started_at: Utc::now(),
            error: None,
        };
        let entry = Entry { pull: watch::Sender::new(pull.clone()), cancel: self.stop.child_token() };
        self.tasks.spawn(self.clone().run(name, entry.pull.clone(), entry.cancel.clone()));
        pulls.insert(name, entry);
        Ok(Started::Running(pull))
    }

    /// The download of a model, by its own name: the one that runs, or how the last one ended.
    pub fn of(&self, name: &str) -> Option<Pull> {
        self.pulls.lock().unwrap_or_else(PoisonError::into_inner).get(name).map(|entry| entry.pull.borrow().clone())
    }

    /// Waits until the download of a model has ended; none when there was none.
    pub async fn ended(&self, name: &str) -> Option<Pull> {
        let mut pull = {
            let pulls = self.pulls.lock().unwrap_or_else(PoisonError::into_inner);
            pulls.get(name)?.pull.subscribe()
        };
        pull.wait_for(|pull| pull.state != PullState::Running).await.ok().map(|pull| pull.clone())
    }

    /// Stops the download of a model, by its own name, and waits until it has let go of its file. What is here is kept.
    pub async fn cancel(&self, name: &str) -> Result<Pull> {
        let none = || {
            Error::new(Code::NotFound, format!("No download of the model {name} runs"))
                .with_hint("Look at the model: its download may have ended.")
        };
        {
            let pulls = self.pulls.lock().unwrap_or_else(PoisonError::into_inner);
            let entry = pulls.get(name).filter(|entry| entry.pull.borrow().state == PullState::Running);
            entry.ok_or_else(none)?.cancel.cancel();
        }
        self.ended(name).await.ok_or_else(none)
    }

    /// Changes whenever a model has arrived.
    pub fn arrivals(&self) -> watch::Receiver<u64> {
        self.arrived.subscribe()
    }

    /// Stops every download and starts no more.
    pub async fn shutdown(&self) {
        {
            // Nobody is between the look at `stop` and the start.
            let _pulls = self.pulls.lock().unwrap_or_else(PoisonError::into_inner);
            self.stop.cancel();
        }
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn run(self, name: &'static str, pull: watch::Sender<Pull>, cancel: CancellationToken) {
        tracing::info!(model = name, "fetching a model");
        let speed = Mutex::new(Speed::default());
        let progress = |received: u64, total: Option<u64>| {
            let now = speed.lock().unwrap_or_else(PoisonError::into_inner).heard(Instant::now(), received);
            pull.send_modify(|pull| {
                (pull.received, pull.bytes_per_second) = (received, now);
                pull.total = total.or(pull.total);
            });
        };
        let result = self.models.pull(name, &*self.fetch, &progress, &cancel).await;
        let state = match &result {
            Ok(_) => PullState::Done,
            Err(error) if error.code == Code::Cancelled => PullState::Cancelled,
            Err(error) => {
                tracing::warn!(model = name, error = %error.chain(), hint = error.hint, "a model cannot be fetched");
                PullState::Failed
            }
        };
        if state == PullState::Done {
            tracing::info!(model = name, "a model is here");
        }
        pull.send_modify(|pull| {
            (pull.state, pull.bytes_per_second) = (state, 0);
            pull.error = result.as_ref().err().filter(|_| state == PullState::Failed).map(Error::report);
        });
        if result.is_ok() {
            self.arrived.send_modify(|count| *count += 1);
        }
    }
}

/// How fast something grows.
#[derive(Debug, Default)]
struct Speed {
    since: Option<(Instant, u64)>,
    rate: u64,
}

impl Speed {
    /// So many bytes are here now; gives the bytes per second.
    fn heard(&mut self, now: Instant, bytes: u64) -> u64 {
        // What was here before the start, or begins anew, is no speed.
        let (since, before) = *self.since.get_or_insert((now, bytes));
        let took = now.saturating_duration_since(since);
        if bytes < before {
            *self = Self { since: Some((now, bytes)), rate: 0 };
        } else if took >= SPAN {
            self.rate = rate(bytes - before, took);
            self.since = Some((now, bytes));
        } else if self.rate == 0 {
            return rate(bytes - before, took);
        }
        self.rate
    }
}

fn rate(bytes: u64, took: Duration) -> u64 {
    match took.as_millis() {
        0 => 0,
        millis => u64::try_from(u128::from(bytes) * 1_000 / millis).unwrap_or(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_speed_is_that_of_the_last_second() {
        let (start, mut speed) = (Instant::now(), Speed::default());
        let at = |millis: u64| start + Duration::from_millis(millis);
        assert_eq!(speed.heard(at(0), 5_000_000), 0, "what was here is no speed");
        assert_eq!(speed.heard(at(500), 5_001_000), 2_000);
        assert_eq!(speed.heard(at(1_000), 5_003_000), 3_000);
        assert_eq!(speed.heard(at(1_500), 5_903_000), 3_000);
        assert_eq!(speed.heard(at(2_000), 5_903_500), 900_500);
        assert_eq!(speed.heard(at(2_001), 0), 0, "begun anew");
        assert_eq!(speed.heard(at(4_001), 10), 5);
    }
}
