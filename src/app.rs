//! Wiring and shutdown: the only place that sees everything.

mod models;
mod peers;
mod secret;
mod stray;
mod workflows;

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{Mutex, watch},
    task::JoinSet,
    time::interval,
};
use tokio_util::sync::CancellationToken;

pub use self::{
    models::{NetFetch, open_models},
    workflows::{other, shipped},
};
use crate::{
    access::Access,
    api,
    config::{AuthMode, Config},
    crawl::{Ask, Crawl, Identities, without_secrets},
    delivery::Courier,
    domain::Lane,
    error::{Code, Error, Result},
    files::Files,
    follow::Follow,
    intake::Intake,
    llm::Llm,
    media::Ffmpeg,
    net::Net,
    queue::Queue,
    retention::{Gone, Retention},
    runner::Runner,
    schedule::{self, Scheduler},
    secrets::Secrets,
    steps::{self, Services, Tickets},
    store::Store,
    traces::Traces,
    transcribe::models::Pulls,
    watch::Watch,
};

/// How long the end of everything but steps may take: that of the API's connections, and a little more.
const LAST: Duration = Duration::from_secs(6);
/// How long looking a link up may take when somebody waits for the answer; a workflow's step has as much.
const RESOLVE_WITHIN: Duration = Duration::from_secs(120);

/// Everything, put together and not yet running. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The configuration.
    pub config: Arc<Config>,
    /// What steps work with.
    pub services: Services,
    /// The way in.
    pub intake: Intake,
    /// Looks at sources.
    pub follow: Follow,
    /// Looks at schedules and events.
    pub scheduler: Scheduler,
    access: Access,
    courier: Courier,
    runner: Runner,
    pulls: Pulls,
    identities: Identities,
    /// None on a node that takes in no tasks.
    shelf: Option<Arc<Mutex<workflows::Folder>>>,
    retention: Retention,
    draining: Arc<AtomicBool>,
    // Held, not read: the lock lasts as long as the folder is open.
    _data: Arc<std::fs::File>,
}

impl App {
    /// Puts everything together: opens the database and brings its schema up to date, gives back to the queue what a
    /// dead process left behind, loads the shipped workflows. `program` is this binary; engines are started from it. On a
    /// database that nodes share, nothing is taken that another one may be at.
    pub async fn open(config: Config, program: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&config.paths.data).map_err(|error| {
            let folder = config.paths.data.display();
            Error::new(Code::Io, format!("The folder `paths.data` ({folder}) cannot be made")).with_source(error)
        })?;
        let store = Store::open(&config.database_url()).await?;
        Self::open_on(store, config, program).await
    }

    /// As [`App::open`], on a database that is open.
    pub async fn open_on(store: Store, config: Config, program: PathBuf) -> Result<Self> {
        let store = Arc::new(store);
        let media = config.media.clone();
        // Both programs are started once, which takes longer than all that follows.
        let ffmpeg = tokio::task::spawn_blocking(move || Ffmpeg::new(&media));
        let files = Files::open(&config.paths, &config.storage, &config.uploads).await?;
        let data = Arc::new(peers::lock(&config.paths.data)?);
        // The folders are ours now: nobody else's runs are in there, whoever shares the database.
        Crawl::clear_leftovers(&config);
        let net = Net::new(&config.net)?;
        let ffmpeg = ffmpeg
            .await
            .map_err(|error| Error::new(Code::Internal, "ffmpeg cannot be looked for").with_source(error))??;
        let (models, pool) = models::open(&config, net.clone(), program).await?;
        let pool = Arc::new(pool);
        let pulls = Pulls::new(models.clone(), Arc::new(NetFetch::new(&config)?));
        let identities = open_identities(&config, Arc::clone(&store))?;
        let queue = Queue::new(store, config.queue.clone());
        let keys = secret::fingerprint(&config)?;
        peers::check_keys(&queue, &keys).await?;
        let recovered = queue.recover().await?;
        if recovered > 0 {
            tracing::warn!(steps = recovered, "steps of a process that died are back in the queue");
        }
        let mut shelf = None;
        if config.is_asked() {
            let folder =
                workflows::Folder::load(queue.store(), &config.paths.workflows, steps::machine(&config)?).await?;
            shelf = Some(Arc::new(Mutex::new(folder)));
            schedule::sync_all(queue.store()).await?;
        }
        let access = Access::new(queue.shared_store(), &config, &secret::auth(&config)?);
        let intake = Intake::new(queue.clone(), net.clone(), models.clone());
        let secret = secret::callback(&config)?;
        let secrets = open_secrets(&config, queue.shared_store())?;
        let signing = secrets.own_signing(&secret).await?;
        let courier = Courier::new(queue.clone(), net.clone(), secrets.clone(), &config.callbacks, signing);
        let crawl = Crawl::new(&config, net.clone(), Some(identities.clone()))?;
        let follow = Follow::new(Arc::new(crawl.clone()), intake.clone(), queue.clone());
        let scheduler = Scheduler::new(queue.clone(), intake.clone(), follow.clone(), net.clone());
        let exec = Arc::new(config.exec.clone());
        let tickets = Tickets::default();
        let way = intake.clone();
        let llm = Llm::new(&config.llm, &net)?;
        let services =
            Services { queue, net, crawl, tickets, files, ffmpeg, models, pool, intake: way, llm, secrets, exec };
        let runner = Runner::new(services.clone(), &config, keys);
        let retention = Retention::new(&config.retention, services.queue.clone(), services.files.clone());
        let app = Self {
            config: Arc::new(config),
            services,
            intake,
            follow,
            scheduler,
            access,
            courier,
            runner,
            pulls,
            identities,
            shelf,
            retention,
            draining: Arc::new(AtomicBool::new(false)),
            _data: data,
        };
        app.sweep(Duration::ZERO).await;
        Ok(app)
    }

    /// Listens where the configuration says and writes the address to `url` in the data folder.
    pub async fn listen(&self) -> Result<(TcpListener, SocketAddr)> {
        let bind = self.config.server.bind;
        let listener = TcpListener::bind(bind).await.map_err(|error| {
            Error::new(Code::Config, format!("The address {bind} cannot be listened on"))
                .with_hint("Is another program using the port? Choose another one with --bind.")
                .with_source(error)
        })?;
        let address = listener.local_addr()?;
        let url = format!("http://{address}{}", self.config.server.base_path);
        std::fs::write(self.config.paths.data.join("url"), &url)?;
        tracing::info!(url, "listening");
        self.say_who_may_call().await?;
        Ok((listener, address))
    }

    /// Runs the steps and deliveries, and the API when there is a listener, until `shutdown`. `now` cuts the drain short.
    pub async fn run(
        &self,
        listener: Option<TcpListener>,
        shutdown: CancellationToken,
        now: CancellationToken,
    ) -> Result<()> {
        // Nothing is started when a folder or an address makes no sense.
        let watch = self.watch()?;
        let traces = self.traces()?;
        let mut parts = JoinSet::new();
        // From here on no arrival goes unseen.
        let arrivals = self.pulls.arrivals();
        let api_stop = CancellationToken::new();
        if let Some(listener) = listener {
            let (state, stop) = (self.state(), api_stop.clone());
            let failed = shutdown.clone();
            parts.spawn(async move {
                let served = api::serve(state, listener, stop).await;
                failed.cancel();
                served
            });
        }
        if self.config.takes(Lane::Deliver) {
            let (courier, stop, cut) = (self.courier.clone(), shutdown.clone(), now.clone());
            parts.spawn(async move {
                // A callback that is cut off here is sent again after the next start.
                tokio::select! {
                    () = courier.run(stop) => {}
                    () = cut.cancelled() => {}
                }
                Ok(())
            });
        }
        if self.config.has_clock() {
            let (scheduler, stop) = (self.scheduler.clone(), shutdown.clone());
            parts.spawn(async move { scheduler.run(stop).await });
        }
        let (access, stop) = (self.access.clone(), api_stop.clone());
        parts.spawn(async move {
            access.run(stop).await;
            Ok(())
        });
        let stop = shutdown.clone();
        parts.spawn(async move {
            watch.run(stop).await;
            Ok(())
        });
        let stop = shutdown.clone();
        parts.spawn(async move {
            traces.run(stop).await;
            Ok(())
        });
        let upkeep = tokio::spawn(self.clone().upkeep(arrivals, shutdown.clone()));
        let draining = Arc::clone(&self.draining);
        let stop = shutdown.clone();
        let mark = tokio::spawn(async move {
            stop.cancelled().await;
            draining.store(true, Ordering::SeqCst);
            tracing::info!("stopping: running steps may finish, the rest waits for the next start");
        });
        self.runner.run(shutdown.clone(), now).await;
        // The API answers until the work has stopped, so that people see what is going on.
        api_stop.cancel();
        let mut result = Ok(());
        let end = async {
            while let Some(part) = parts.join_next().await {
                let part =
                    part.map_err(|error| Error::new(Code::Internal, "A part of the daemon gave up").with_source(error));
                result = std::mem::replace(&mut result, Ok(())).and(part.and_then(|part| part));
            }
            // The last request has been answered.
            result = std::mem::replace(&mut result, Ok(())).and(self.access.flush().await);
        };
        if tokio::time::timeout(LAST, end).await.is_err() {
            // A database that does not answer would hold up the end for as long as it likes.
            tracing::warn!("not everything stopped in time; the next start makes up for it");
        }
        tokio::join!(self.services.pool.shutdown(), self.pulls.shutdown());
        upkeep.abort();
        mark.abort();
        let _ = std::fs::remove_file(self.config.paths.data.join("url"));
        tracing::info!("stopped");
        result
    }

    /// Says in the log who may call.
    async fn say_who_may_call(&self) -> Result<()> {
        let mode = self.config.auth.mode;
        match mode {
            AuthMode::Off => tracing::warn!(mode = mode.as_str(), "open: whoever reaches the daemon may do everything"),
            AuthMode::Local => tracing::info!(
                mode = mode.as_str(),
                "open: whoever reaches the port may do everything; requests for this machine's own names are answered only"
            ),
            _ if self.access.is_open() => {
                tracing::info!(mode = mode.as_str(), "open: whoever is on this machine may do everything")
            }
            _ => tracing::info!(mode = mode.as_str(), "every request needs an access token"),
        }
        let store = self.services.queue.store();
        if !self.access.is_open() && store.tokens().await?.iter().all(|token| token.revoked_at.is_some()) {
            tracing::warn!(
                "there is no access token yet: make one with `trawl token create --name NAME --scope admin`"
            );
        }
        Ok(())
    }

    fn watch(&self) -> Result<Watch> {
        let services = &self.services;
        let mut config = self.config.watch.clone();
        if !self.config.is_asked() {
            config.folders.clear();
        }
        Watch::new(&config, self.intake.clone(), services.queue.clone(), services.files.clone())
    }

    fn traces(&self) -> Result<Traces> {
        Traces::new(&self.config.traces, self.services.queue.clone(), self.services.net.clone())
    }

    /// What the API works with.
    pub fn state(&self) -> api::State {
        let services = self.services.clone();
        let facts = self.services.clone();
        api::State {
            access: self.access.clone(),
            config: Arc::clone(&self.config),
            queue: services.queue.clone(),
            intake: self.intake.clone(),
            follow: self.follow.clone(),
            scheduler: self.scheduler.clone(),
            files: services.files.clone(),
            resolver: Arc::new(Resolver(services.crawl)),
            identities: self.identities.clone(),
            secrets: services.secrets,
            models: services.models,
            pulls: self.pulls.clone(),
            llm: services.llm,
            ffmpeg: services.ffmpeg,
            pool: services.pool,
            info: Arc::new(move || info(&facts)),
            draining: Arc::clone(&self.draining),
        }
    }

    /// Fetches the default model if it is not here, sees to those that arrive, keeps working folders clean, and
    /// takes in the files of workflows that change.
    async fn upkeep(self, arrivals: watch::Receiver<u64>, shutdown: CancellationToken) {
        let models = async {
            if self.config.takes(Lane::Gpu) {
                tokio::join!(models::fetch_default(&self, shutdown.clone()), models::attend(&self, arrivals));
            }
        };
        let sweeps = async {
            let mut every = interval(self.config.retention.every.0);
            loop {
                every.tick().await;
                self.sweep(self.config.retention.leftovers.0).await;
                self.sweep_kept(self.config.retention.leftovers.0).await;
                self.let_go().await;
            }
        };
        let store = self.services.queue.store();
        let files = async {
            if let Some(shelf) = &self.shelf {
                shelf.lock().await.watch(store).await;
            }
        };
        tokio::join!(models, sweeps, files);
    }

    /// Removes what is old enough to go, and looks after the database while nothing else is to be done.
    async fn let_go(&self) {
        let store = self.services.queue.store();
        match self.retention.sweep().await {
            Ok(gone) if gone == Gone::default() => {}
            Ok(gone) => tracing::info!(
                tasks = gone.tasks,
                files = gone.files,
                bytes = gone.bytes,
                events = gone.events,
                attempts = gone.attempts + gone.alerts,
                "retention has removed what was old"
            ),
            Err(error) => tracing::warn!(error = %error.chain(), "what is old cannot be removed"),
        }
        let tidied = async { if store.is_quiet().await? { store.tidy().await } else { Ok(()) } };
        if let Err(error) = tidied.await {
            tracing::warn!(error = %error.chain(), "the database cannot be tidied");
        }
    }

    /// Removes uploads in pieces that have expired, and files that no row speaks of. What is written to right now stays.
    async fn sweep_partial_uploads(&self, older_than: Duration) -> Result<()> {
        let (store, files) = (self.services.queue.store(), &self.services.files);
        let expired = store.expired_partial_uploads(chrono::Utc::now().timestamp_millis()).await?;
        for id in expired.iter().filter_map(|id| id.parse().ok()) {
            let Some(claim) = files.claim(id) else { continue };
            files.remove_partial(&claim).await?;
            let tx = store.begin().await?;
            tx.delete_partial_upload(&id.to_string()).await?;
            tx.commit().await?;
        }
        for id in files.partials(older_than).await? {
            let Some(claim) = files.claim(id) else { continue };
            if store.partial_upload(&id.to_string()).await?.is_none() {
                files.remove_partial(&claim).await?;
            }
        }
        Ok(())
    }

    async fn sweep(&self, older_than: Duration) {
        let swept = async {
            let live = self.services.queue.store().open_tasks().await?.into_iter().collect();
            self.services.files.sweep(&live, older_than).await?;
            // Taken in by a process that died before they became tasks.
            let tx = self.services.queue.store().begin().await?;
            let leftovers = self.config.retention.leftovers.0;
            let age = i64::try_from(leftovers.as_millis()).unwrap_or(i64::MAX);
            let stale = tx.take_stale_uploads(tx.now() - age).await?;
            tx.delete_stale_media(tx.now() - age).await?;
            tx.forget_nodes(tx.now() - age).await?;
            tx.forget_endpoints().await?;
            tx.commit().await?;
            self.sweep_partial_uploads(older_than).await?;
            for key in stale {
                self.services.queue.drop_file(&self.services.files, &key).await?;
            }
            Ok::<_, Error>(())
        };
        if let Err(error) = swept.await {
            tracing::warn!(error = %error.chain(), "working folders cannot be swept");
        }
    }
}

/// The identities in a store, with the key of the configuration or of the data folder.
pub fn open_identities(config: &Config, store: Arc<Store>) -> Result<Identities> {
    Ok(Identities::new(store, &secret::identities(config)?, config))
}

/// The secrets of workflows in a store, with the key of the configuration or of the data folder.
pub fn open_secrets(config: &Config, store: Arc<Store>) -> Result<Secrets> {
    Ok(Secrets::new(store, &secret::secrets(config)?))
}

/// Whether there is a key for identities: one that is missing is made at the first start.
pub fn has_identities_key(config: &Config) -> bool {
    secret::has_identities(config)
}

struct Resolver(Crawl);

#[async_trait]
impl api::Resolve for Resolver {
    async fn resolve(&self, ask: &Ask) -> Result<Value> {
        let slow = |_| Error::new(Code::SourceTimeout, "The site took longer than two minutes to be looked at");
        let resolved = tokio::time::timeout(RESOLVE_WITHIN, self.0.look_up(ask)).await.map_err(slow)??;
        Ok(json!(without_secrets(resolved)))
    }
}

fn info(services: &Services) -> Value {
    json!({ "media": services.ffmpeg.describe(), "engine": services.pool.status() })
}
