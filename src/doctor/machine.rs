//! Programs, CPU, folders, disk and the model.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tokio::process::Command;

use super::{Check, Found};
use crate::{
    config::Config,
    error::{Code, Error, Result},
    files::{check_room, check_storage, free_bytes},
    media::{Ffmpeg, Ports, SandboxState},
    transcribe::{Models, cpu_check, cpu_features},
};

/// The longest that a program may take to tell its version.
const WITHIN: Duration = Duration::from_secs(20);

/// All of them. The models are looked up where it is their turn: that may take a moment, too.
pub async fn checks(config: &Config, models: impl Future<Output = Result<Models>>) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    let begun = Instant::now();
    let cpu = cpu_check().map(|()| Found::Here(format!("It has what this build uses: {}.", cpu_features().join(", "))));
    checks.push(Check::of("cpu", true, begun, cpu));
    checks.extend(ffmpeg(config).await?);
    let begun = Instant::now();
    let ytdlp = ytdlp(&config.crawlers.ytdlp.program).await;
    let gate = match &ytdlp {
        Ok(Found::Here(_)) => gate(Ports::here(config.media.sandbox)),
        _ => Ok(Found::Nothing("yt-dlp has to run first.".to_owned())),
    };
    checks.push(Check::of("yt-dlp", false, begun, ytdlp));
    checks.push(Check::of("yt-dlp.network", false, Instant::now(), gate));
    for (name, folder) in [("paths.data", &config.paths.data), ("paths.temp", &config.paths.temp)] {
        let begun = Instant::now();
        let found = writable(folder).and_then(|place| space(&place, config.uploads.reserve_bytes));
        checks.push(Check::of(name, true, begun, found));
    }
    let begun = Instant::now();
    let storage = check_storage(&config.storage).await.map(Found::Here);
    checks.push(Check::of("storage", true, begun, storage));
    let begun = Instant::now();
    checks.push(Check::of("model", true, begun, model(config, models).await));
    Ok(checks)
}

async fn ffmpeg(config: &Config) -> Result<[Check; 2]> {
    let begun = Instant::now();
    let media = config.media.clone();
    let ffmpeg = tokio::task::spawn_blocking(move || Ffmpeg::new(&media))
        .await
        .map_err(|error| Error::new(Code::Internal, "ffmpeg cannot be looked for").with_source(error))?;
    let about = ffmpeg.map(|ffmpeg| ffmpeg.describe());
    let sandbox = match about.as_ref().map(|about| about.sandbox) {
        Ok(SandboxState::Landlock { abi }) => Ok(Found::Here(format!("landlock {abi} and limits"))),
        Ok(SandboxState::LimitsOnly) => {
            Err(Error::new(Code::SandboxUnavailable, "The kernel has no landlock: ffmpeg runs with limits only")
                .with_hint("Use a kernel from 5.13 on with landlock switched on."))
        }
        Ok(SandboxState::Off) => Ok(Found::Nothing("`media.sandbox` is off.".to_owned())),
        Err(_) => Ok(Found::Nothing("ffmpeg has to run first.".to_owned())),
    };
    let found = about.map(|about| Found::Here(format!("ffmpeg {}, ffprobe {}", about.ffmpeg, about.ffprobe)));
    Ok([Check::of("ffmpeg", true, begun, found), Check::of("sandbox", false, begun, sandbox)])
}

async fn ytdlp(program: &str) -> Result<Found> {
    if program.is_empty() {
        return Ok(Found::Nothing("It is switched off.".to_owned()));
    }
    let mut command = Command::new(program);
    let asked = command.arg("--version").stdin(std::process::Stdio::null()).kill_on_drop(true).output();
    let broken = || Error::new(Code::Io, format!("{program} does not tell its version")).with_hint("Install it again.");
    match tokio::time::timeout(WITHIN, asked).await {
        Ok(Ok(said)) if said.status.success() => {
            Ok(Found::Here(String::from_utf8_lossy(&said.stdout).trim().chars().take(60).collect()))
        }
        Ok(Err(error)) if error.kind() == ErrorKind::NotFound => {
            Ok(Found::Nothing("It is not installed: links that need it are not resolved.".to_owned()))
        }
        Ok(Err(error)) => Err(broken().with_source(error)),
        _ => Err(broken()),
    }
}

/// Whether yt-dlp can reach the network in the daemon's way only.
fn gate(ports: Ports) -> Result<Found> {
    match (ports, ports.problem()) {
        (_, Some(problem)) => Err(problem),
        (Ports::Off, None) => Ok(Found::Nothing("`media.sandbox` is off.".to_owned())),
        (_, None) => Ok(Found::Here("landlock keeps it to the daemon's network rules.".to_owned())),
    }
}

/// The place where a folder is, or would be made; something was written there.
fn writable(folder: &Path) -> Result<PathBuf> {
    let folder = std::path::absolute(folder)?;
    let place = folder.ancestors().find(|place| place.is_dir()).unwrap_or(Path::new("/"));
    let trace = place.join(format!(".trawl-doctor-{}", std::process::id()));
    let written = std::fs::write(&trace, "").and_then(|()| std::fs::remove_file(&trace));
    written.map_err(|error| {
        Error::new(Code::Io, format!("{} cannot be written to", place.display()))
            .with_hint("Give it to the user that trawl runs as, or choose another folder.")
            .with_source(error)
    })?;
    Ok(place.to_owned())
}

fn space(place: &Path, reserve: u64) -> Result<Found> {
    check_room(place, 0, reserve)?;
    let gib = free_bytes(place)? as f64 / f64::from(1 << 30);
    Ok(Found::Here(format!("{}: {gib:.1} GiB are free.", place.display())))
}

async fn model(config: &Config, models: impl Future<Output = Result<Models>>) -> Result<Found> {
    let model = models.await?.look(None)?;
    match (model.present, model.problem) {
        (true, None) => Ok(Found::Here(format!("{} is here.", model.name))),
        (true, Some(problem)) => Err(Error::new(Code::ModelInvalid, format!("{}: {problem}", model.name))),
        (false, _) if config.models.offline => {
            Err(Error::new(Code::ModelMissing, format!("{} is not here, and `models.offline` is on", model.name)))
        }
        (false, _) => Ok(Found::Nothing(format!("{} is not here yet; the daemon fetches it.", model.name))),
    }
}
