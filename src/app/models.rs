//! Model files: downloads through the guarded client, the default model at the first start, pinned models in memory.

use std::{
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

use super::App;
use crate::{
    config::Config,
    domain::{Lane, Span},
    error::{Code, Error, Result},
    files::check_room,
    net::{self, Download, Net},
    transcribe::{
        Fetch, Models, Pool,
        models::{Progress, PullState},
    },
};

/// How long to wait before the default model is asked for again, and before pinned ones are looked for again.
const RETRY: Duration = Duration::from_secs(60);
/// For one whole model: gigabytes over a slow line. What stands still is noticed by `net.stall_window` all the same.
const WHOLE: Duration = Duration::from_secs(24 * 60 * 60);
/// How often the disk is looked at, in bytes received.
const LOOK: u64 = 64 << 20;

/// Fetches model files through [`Net`], by way of `models.proxy` when there is one, and leaves `uploads.reserve_bytes`
/// of the disk free.
pub struct NetFetch {
    net: Net,
    reserve: u64,
}

impl NetFetch {
    /// Fails when `models.proxy` is no address.
    pub fn new(config: &Config) -> Result<Self> {
        let settings = crate::config::NetConfig { total_timeout: Span(WHOLE), ..config.net.clone() };
        let net = Net::through(&config.models.proxy, "models.proxy", &settings)?;
        Ok(Self { net, reserve: config.uploads.reserve_bytes })
    }
}

#[async_trait]
impl Fetch for NetFetch {
    async fn fetch(
        &self,
        url: &str,
        part: &Path,
        sizes: RangeInclusive<u64>,
        progress: &Progress<'_>,
        cancel: &CancellationToken,
    ) -> Result<u64> {
        let request = Download {
            url: url.to_owned(),
            headers: Vec::new(),
            path: part.to_owned(),
            range: None,
            min_bytes: *sizes.start(),
            max_bytes: *sizes.end(),
            keep: true,
        };
        let folder = part.parent().unwrap_or(Path::new("."));
        let stop = cancel.child_token();
        let full = Mutex::new(None);
        let looked = Mutex::new(None);
        let watch = |p: net::Progress| {
            let mut looked = looked.lock().unwrap_or_else(PoisonError::into_inner);
            if looked.is_none_or(|at| p.received.saturating_sub(at) >= LOOK) {
                *looked = Some(p.received);
                let rest = p.total.map_or(0, |total| total.saturating_sub(p.received));
                if let Err(error) = check_room(folder, rest, self.reserve) {
                    *full.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    stop.cancel();
                }
            }
            progress(p.received, p.total);
        };
        let downloaded = self.net.download(request, &watch, &stop).await;
        match full.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(downloaded?.size),
        }
    }
}

/// The models and engines of a configuration, for commands that run without a daemon.
pub async fn open_models(config: &Config) -> Result<(Models, Pool)> {
    open(config, Net::new(&config.net)?, std::env::current_exe()?).await
}

/// The models and the engines; none of these where nothing is recognised. Which devices there are decides what
/// `models.default = "auto"` means.
pub(super) async fn open(config: &Config, net: Net, program: PathBuf) -> Result<(Models, Pool)> {
    let models = Models::new(&config.models);
    if !config.takes(Lane::Gpu) {
        return Ok((models, Pool::none()));
    }
    let mut engine = config.engine.clone();
    for name in &mut engine.short_context {
        // A name that nobody knows yet may be that of a file still to come.
        *name = models.name(Some(name)).unwrap_or_else(|_| name.clone());
    }
    let mut pool = Pool::new(&engine, net, program)?;
    pool.look().await;
    models.settle_default(pool.devices().iter().any(|device| device.name != "cpu" && device.problem.is_none()));
    // After the default: `auto` is a name, too.
    pool.settle_names(|name| models.name(Some(name)));
    Ok((models, pool))
}

/// Fetches the default model if it is not here, trying again until it is, somebody cancels it, or the daemon stops. Tasks
/// wait meanwhile.
pub(super) async fn fetch_default(app: &App, shutdown: CancellationToken) {
    let models = &app.services.models;
    if app.config.engine.devices.is_empty() {
        return; // Servers elsewhere have models of their own.
    }
    loop {
        let name = match models.resolve(None) {
            Err(error) if error.code == Code::ModelMissing && !app.config.models.offline => models.name(None),
            Err(error) => {
                tracing::warn!(error = %error.chain(), hint = error.hint, "the default model cannot be used");
                return;
            }
            Ok(_) => return,
        };
        let Ok(name) = name else { return };
        let failed = |error: Error| {
            tracing::warn!(model = name, error = %error.chain(), hint = error.hint, "the model cannot be fetched; trying again");
        };
        match app.pulls.start(&name) {
            // It may be on its way because somebody asked for it.
            Err(error) if error.code != Code::Conflict => failed(error),
            _ => match app.pulls.ended(&name).await {
                Some(pull) if pull.state == PullState::Done => return,
                Some(pull) if pull.state == PullState::Cancelled && !shutdown.is_cancelled() => {
                    tracing::warn!(model = name, "the download of the default model was cancelled; tasks wait for it");
                    return;
                }
                _ => {}
            },
        }
        tokio::select! {
            () = sleep(RETRY) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

/// Wakes the tasks that wait when a model has arrived, and keeps the pinned models in memory: those that are here at
/// once, the others when they come.
pub(super) async fn attend(app: &App, mut arrivals: watch::Receiver<u64>) {
    let (models, pool) = (&app.services.models, &app.services.pool);
    let mut pinned = Pinned::new(&app.config.engine.pinned);
    loop {
        for (name, told) in std::mem::take(&mut pinned.missing) {
            let loaded = match models.resolve(Some(&name)) {
                Ok(model) => pool.pin(&model).await,
                Err(error) => Err(error),
            };
            pinned.tried(name, told, loaded);
        }
        match next(&mut arrivals, (!pinned.missing.is_empty()).then_some(RETRY)).await {
            None => return,
            Some(Next::Look) => {}
            Some(Next::Arrived) => {
                if let Err(error) = app.services.queue.model_arrived().await {
                    tracing::warn!(error = %error.chain(), "tasks that wait for the model look again later");
                }
            }
        }
    }
}

/// Why it is time to look at the models.
#[derive(Debug, PartialEq)]
enum Next {
    /// One has been downloaded.
    Arrived,
    /// Somebody may have put a file into the folder, which nobody tells.
    Look,
}

/// None when nothing arrives any more.
async fn next(arrivals: &mut watch::Receiver<u64>, look: Option<Duration>) -> Option<Next> {
    let looking = async {
        match look {
            Some(after) => sleep(after).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        arrived = arrivals.changed() => arrived.ok().map(|()| Next::Arrived),
        () = looking => Some(Next::Look),
    }
}

/// Pinned models that are not in memory yet.
struct Pinned {
    /// Each with whether that was told.
    missing: Vec<(String, bool)>,
}

impl Pinned {
    fn new(names: &[String]) -> Self {
        Self { missing: names.iter().map(|name| (name.clone(), false)).collect() }
    }

    /// Hears what came of loading one. It stays missing when its file may still come, and is warned of once.
    fn tried(&mut self, name: String, told: bool, loaded: Result<()>) {
        let Err(error) = loaded else {
            return tracing::info!(model = name, "a pinned model is loaded");
        };
        if error.code != Code::ShuttingDown && !told {
            tracing::warn!(model = name, error = %error.chain(), hint = error.hint, "a pinned model is not loaded");
        }
        // A file that is dropped in gives its name to a model that nobody knew before.
        if matches!(error.code, Code::ModelMissing | Code::UnknownModel) {
            self.missing.push((name, true));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(toml: &str) -> (tempfile::TempDir, Config) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("test.toml");
        std::fs::write(&file, format!("models.dir = {:?}\n{toml}", folder.path())).unwrap();
        let config = Config::load(Some(&file), &[]).unwrap();
        (folder, config)
    }

    #[tokio::test]
    async fn the_models_of_servers_elsewhere_have_other_names_too() {
        let (_folder, config) = config(
            "engine.devices = []\nmodels.aliases.mine = \"small\"\n\
             engine.remote.lab = { url = \"http://127.0.0.1:9/v1\", models = [\"LARGE\", \"Mine\", \"auto\", \"whatever\"] }",
        );
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (_, pool) = open_models(&config).await.unwrap();
        for (name, expected) in
            [("large-v3", true), ("small", true), ("base", true), ("whatever", true), ("tiny", false), ("LARGE", false)]
        {
            assert_eq!(pool.is_remote(name), expected, "{name}");
        }
    }

    #[test]
    fn a_pinned_model_that_may_still_come_stays_missing() {
        let (_folder, config) = config("");
        let models = Models::new(&config.models);
        let mut pinned = Pinned::new(&[]);
        for (name, told) in [("dropped-in", false), ("base", true)] {
            pinned.tried(name.to_owned(), told, models.resolve(Some(name)).map(drop));
        }
        for code in [Code::ModelInvalid, Code::Conflict, Code::ShuttingDown] {
            pinned.tried("tiny".to_owned(), false, Err(Error::new(code, "as asked")));
        }
        pinned.tried("small".to_owned(), false, Ok(()));
        assert_eq!(pinned.missing, [("dropped-in".to_owned(), true), ("base".to_owned(), true)]);
    }

    #[tokio::test]
    async fn what_is_missing_is_looked_for_now_and_then() {
        let (sender, mut arrivals) = watch::channel(0);
        assert_eq!(next(&mut arrivals, Some(Duration::ZERO)).await, Some(Next::Look));
        sender.send_modify(|count| *count += 1);
        assert_eq!(next(&mut arrivals, Some(Duration::ZERO)).await, Some(Next::Arrived));
        drop(sender);
        assert_eq!(next(&mut arrivals, None).await, None);
    }
}
