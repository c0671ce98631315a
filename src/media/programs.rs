//! Finds ffmpeg and ffprobe, and sees that they run as they will be run later.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use super::{child, group::Group, sandbox::Jail};
use crate::error::{Code, Error, Result};

/// How long a program may take to say its version.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where both programs are, and what they call themselves.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) ffmpeg: PathBuf,
    pub(super) ffprobe: PathBuf,
    pub(super) ffmpeg_version: String,
    pub(super) ffprobe_version: String,
}

impl Programs {
    /// Finds both and runs both; `jail` learns where they are.
    pub(super) fn find(ffmpeg: &Path, ffprobe: &Path, jail: &mut Jail) -> Result<Self> {
        let ffmpeg = locate(ffmpeg).ok_or_else(|| missing("ffmpeg"))?;
        let ffprobe = locate(ffprobe).ok_or_else(|| missing("ffprobe"))?;
        jail.trust(&ffmpeg);
        jail.trust(&ffprobe);
        let jail: &Jail = jail;
        let (ffmpeg_version, ffprobe_version) = thread::scope(|scope| {
            let beside = scope.spawn(|| version(&ffprobe, "ffprobe", jail));
            let ffmpeg_version = version(&ffmpeg, "ffmpeg", jail)?;
            let gone = |_| Err(Error::new(Code::Internal, "The thread that starts ffprobe failed"));
            Ok::<_, Error>((ffmpeg_version, beside.join().unwrap_or_else(gone)?))
        })?;
        Ok(Self { ffmpeg, ffprobe, ffmpeg_version, ffprobe_version })
    }
}

/// Where a program is: a bare name is looked for in the daemon's PATH. Children get another one, so it is done once and
/// here.
pub(crate) fn locate(wanted: &Path) -> Option<PathBuf> {
    if wanted.components().count() > 1 || wanted.is_absolute() {
        return std::path::absolute(wanted).ok().filter(|path| path.is_file());
    }
    let folders = env::var_os("PATH").unwrap_or_default();
    let mut paths = env::split_paths(&folders).filter(|folder| folder.is_absolute()).map(|folder| folder.join(wanted));
    paths.find(|path| path.is_file())
}

fn missing(name: &str) -> Error {
    Error::new(Code::FfmpegMissing, format!("{name} is not installed where `media.{name}` says"))
}

fn version(program: &Path, name: &str, jail: &Jail) -> Result<String> {
    let fails = || {
        let detail = format!("{name} is there but does not run, or not inside the sandbox");
        Error::new(Code::FfmpegMissing, detail)
    };
    let mut command = Command::new(program);
    command.arg("-version").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    jail.lock(&mut command, None).map_err(|error| child::start_error(name, error))?;
    let mut child = command.spawn().map_err(|error| fails().with_source(error))?;
    let (group, mut said) = (Group::new(), Vec::new());
    let ended = thread::scope(|scope| {
        let (done, watch) = mpsc::channel::<()>();
        let hand = group.clone();
        scope.spawn(move || {
            if watch.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                hand.signal(libc::SIGKILL);
            }
        });
        let ended = child::run(&mut child, &group, &|_| {}, &mut |bytes| {
            said.extend(bytes.iter().take(4_096_usize.saturating_sub(said.len())));
            Ok(())
        });
        drop(done);
        ended
    })?;
    let said = String::from_utf8_lossy(&said);
    let mut words = said.split_whitespace();
    match (ended.status.success(), words.next(), words.next(), words.next()) {
        (true, Some(first), Some("version"), Some(version)) if first == name => Ok(version.to_owned()),
        _ => {
            tracing::error!(status = %ended.status, said = ended.log.tail(), "{name} -version failed");
            Err(fails())
        }
    }
}
