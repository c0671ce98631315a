//! Media files through ffmpeg and ffprobe: what is in a file, and its sound as samples.
//!
//! Callers may rely on this, whatever the file holds:
//! * Sound that is 16 kHz samples already is read in this process, by safe Rust, while it is short; see `ready.rs`.
//! * ffmpeg sees one local file and nothing else: whitelists of protocols and of formats, resource limits, and landlock
//!   where the kernel has it. It cannot write at all; samples come through a pipe, and we write them.
//! * Nothing here blocks the async runtime, except [`Ffmpeg::new`], which starts each program once.
//! * When a call returns, its child process and the whole process group are gone. A dropped call kills them as well.
//! * The output file is there whole, or not at all.
//! * Errors say what is wrong with the file in words of ours; what ffmpeg printed goes to the log only.

mod child;
mod command;
mod extract;
mod filter;
mod gauge;
mod group;
mod landlocked;
mod levels;
mod log;
mod magic;
mod pcm;
mod piped;
mod ports;
mod probe;
mod programs;
mod ready;
mod sandbox;
mod sound;
mod supervise;
#[cfg(test)]
mod tests;
mod verdict;

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use tokio::sync::Semaphore;

pub use self::{
    extract::Audio,
    levels::points,
    probe::{AudioStream, Probe},
    sandbox::SandboxState,
    sound::{Sound, SoundFormat},
};
/// For other children of the daemon's.
pub(crate) use self::{
    group::Group,
    landlocked::{gated, restrict},
    piped::converse,
    ports::Ports,
    programs::locate,
    sandbox::{Confines, belongings, confine},
    supervise::{Patience, supervise},
};
use self::{programs::Programs, sandbox::Jail};
use crate::{config::MediaConfig, error::Result};

/// Samples per second of everything that [`Ffmpeg::extract`] writes.
pub const SAMPLE_RATE: u32 = 16_000;

/// How long ffmpeg may go on after SIGTERM.
const GRACE: Duration = Duration::from_secs(5);

/// ffmpeg and ffprobe, found and checked. Clones are cheap and share everything.
#[derive(Clone, Debug)]
pub struct Ffmpeg {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    programs: Programs,
    jail: Jail,
    max_duration: Duration,
    timeout: Duration,
    grace: Duration,
    /// Taken by whoever looks at a file without a task.
    looks: Semaphore,
}

/// What is used on this machine, for `doctor` and `/api/info`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Description {
    /// The version of ffmpeg, as it names itself.
    pub ffmpeg: String,
    /// The version of ffprobe.
    pub ffprobe: String,
    /// How they are locked in.
    pub sandbox: SandboxState,
}

impl Ffmpeg {
    /// Finds both programs, decides how they are locked in, and starts each once. It blocks for as long as that takes.
    ///
    /// # Errors
    /// `ffmpeg_missing` when a program is not there or does not run inside the sandbox; `sandbox_unavailable` when
    /// `media.sandbox` requires what the kernel does not have.
    pub fn new(config: &MediaConfig) -> Result<Self> {
        Self::with_grace(config, GRACE)
    }

    /// As [`Ffmpeg::new`], with another time between SIGTERM and SIGKILL.
    fn with_grace(config: &MediaConfig, grace: Duration) -> Result<Self> {
        let state = SandboxState::decide(config.sandbox, landlocked::kernel_abi())?;
        let mut jail = Jail::new(state, config.memory_bytes, config.timeout.0);
        let programs = Programs::find(&config.ffmpeg, &config.ffprobe, &mut jail)?;
        let (max_duration, timeout) = (config.max_duration.0, config.timeout.0);
        Ok(Self { inner: Arc::new(Inner { programs, jail, max_duration, timeout, grace, looks: Semaphore::new(1) }) })
    }

    /// The versions and the state of the sandbox.
    pub fn describe(&self) -> Description {
        let programs = &self.inner.programs;
        Description {
            ffmpeg: programs.ffmpeg_version.clone(),
            ffprobe: programs.ffprobe_version.clone(),
            sandbox: self.inner.jail.state(),
        }
    }
}
