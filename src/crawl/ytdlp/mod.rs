//! yt-dlp as a supervised child: behind the gate, without our environment, in a folder of its own.
//!
//! Callers may rely on this: it is told to reach the network through [`Net::gate`] only; where the kernel's landlock knows
//! ports it cannot connect elsewhere, and a kernel that lets it is told to the log and by `trawl doctor`; where the kernel
//! has landlock it cannot write outside its folder; when a call returns or is dropped, the whole process group
//! ends; cookies lie in a file that only we may read, for as long as the run.

mod command;
mod cookies;
mod program;
mod run;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use crawlers::{Dump, Dumped, External, TransportError, settings};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::transport::untold;
use crate::{
    config::{Config, Sandbox},
    error::{Code, Error, Result},
    media::{Patience, Ports, supervise},
    net::Net,
};

/// What one run may fetch: pages and lists, no media.
const MAX_BYTES: u64 = 256 * 1024 * 1024;
/// Runs at the same time: each is a Python of its own.
const RUNS: usize = 2;
/// Between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(2);

/// yt-dlp, found and tried.
pub(super) struct YtDlp {
    program: PathBuf,
    settings: settings::YtDlp,
    sandboxed: bool,
    /// Where runs have their folders.
    temp: PathBuf,
    net: Net,
    runs: Semaphore,
}

impl YtDlp {
    /// The program of the settings, when it is there and runs. Blocks until it has said its version.
    ///
    /// # Errors
    /// `config` when the settings' arguments would lead it past the gate.
    pub(super) fn find(config: &Config, net: &Net) -> Result<Option<Self>> {
        let settings = &config.crawlers.ytdlp;
        command::check(&settings.arguments)?;
        let temp = folder(&std::path::absolute(&config.paths.temp)?);
        let Some(program) = program::find(&settings.program) else { return Ok(None) };
        if let Some(problem) = Ports::here(config.media.sandbox).problem() {
            tracing::warn!("yt-dlp is told to use the daemon's network rules, and could leave them. {problem}");
        }
        Ok(Some(Self {
            program,
            settings: settings.clone(),
            sandboxed: config.media.sandbox != Sandbox::Off,
            temp,
            net: net.clone(),
            runs: Semaphore::new(RUNS),
        }))
    }

    async fn run(&self, dump: Dump<'_>) -> Result<Dumped> {
        self.net.check_url(dump.link.as_str())?;
        let _turn = self.runs.acquire().await.map_err(|_| Error::new(Code::Cancelled, "The daemon is stopping"))?;
        let gate = self.net.gate(MAX_BYTES).await?;
        std::fs::create_dir_all(&self.temp)?;
        let folder = tempfile::tempdir_in(&self.temp)?;
        let cookies = dump.identity.map(|identity| cookies::write(folder.path(), dump.link, identity)).transpose()?;
        let mut command = command::of(&self.program, &self.settings.arguments, &dump, cookies.as_deref());
        command::surround(&mut command, folder.path(), &gate.url());
        run::lock(&mut command, folder.path(), self.sandboxed.then(|| gate.port()))?;
        let patience = Patience { timeout: self.settings.timeout, grace: GRACE };
        let never = CancellationToken::new();
        // Whoever does not want it any more drops the call, which kills the group.
        let done = supervise(move |group| run::to_end(command, group), patience, &never, None).await;
        let dumped = done.map_err(|error| match error.code {
            Code::MediaTimeout => Error::new(Code::SourceTimeout, "yt-dlp was not done with the link in time"),
            _ => error,
        })?;
        // What it says about a way that we closed is no news about the site.
        match gate.refusal() {
            Some(refusal) if matches!(dumped.stdout.trim_ascii(), b"" | b"null") => Err(refusal),
            _ => Ok(dumped),
        }
    }
}

/// Where runs have their folders.
fn folder(temp: &Path) -> PathBuf {
    temp.join("ytdlp")
}

/// Removes folders that a crash has left, which may hold cookies. Only for whoever has `paths.temp` to itself: runs of
/// others lie there, too.
pub(in crate::crawl) fn clear(temp: &Path) {
    match std::fs::remove_dir_all(folder(temp)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(%error, "what runs of yt-dlp have left cannot be removed");
        }
        _ => {}
    }
}

#[async_trait]
impl External for YtDlp {
    async fn dump(&self, dump: Dump<'_>) -> Result<Dumped, TransportError> {
        self.run(dump).await.map_err(|error| untold(&error))
    }
}
