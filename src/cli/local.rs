//! A daemon for the length of one command: the same road, with an empty database in a folder that goes away with it.

use std::{path::PathBuf, time::Duration};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    config::Config,
    domain::{Lane, Role},
    error::Result,
};

/// How often, and after how long, is tried to remove the folder.
const TRIES: usize = 20;
const AGAIN: Duration = Duration::from_millis(50);

/// A private daemon without an API.
pub(super) struct Local {
    /// The daemon.
    pub app: App,
    folder: PathBuf,
    shutdown: CancellationToken,
    running: JoinHandle<Result<()>>,
}

impl Local {
    /// Starts it.
    pub(super) async fn start(mut config: Config) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("trawl-{}", uuid::Uuid::now_v7().simple()));
        config.paths.data = folder.join("data");
        config.paths.temp = folder.join("temp");
        config.database.url = String::new();
        // There is nobody to share the work with.
        config.server.role = Role::All;
        config.queue.lanes = Lane::ALL.to_vec();
        config.storage.url = String::new();
        // What is put there is the daemon's.
        config.watch.folders.clear();
        // The command has fetched its model itself, with a progress bar, and wants no other.
        config.models.offline = true;
        let program = std::env::current_exe()?;
        let app = App::open(config, program).await.inspect_err(|_| {
            let _ = std::fs::remove_dir_all(&folder);
        })?;
        let shutdown = CancellationToken::new();
        let (runner, stop) = (app.clone(), shutdown.clone());
        let running = tokio::spawn(async move { runner.run(None, stop.clone(), stop).await });
        Ok(Self { app, folder, shutdown, running })
    }

    /// Stops it and removes its folder.
    pub(super) async fn stop(self) {
        self.shutdown.cancel();
        let _ = self.running.await;
        let folder = self.folder;
        drop(self.app);
        // The database's threads close their files in their own time, and may put one there while the folder goes.
        for _ in 0..TRIES {
            let _ = tokio::fs::remove_dir_all(&folder).await;
            if !tokio::fs::try_exists(&folder).await.unwrap_or(false) {
                return;
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}
