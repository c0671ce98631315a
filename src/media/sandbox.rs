//! What a child is allowed: environment, resource limits, process group, landlock.
//!
//! Every child is started through [`Jail::lock`], also with `media.sandbox = "off"`: that takes away landlock alone.

use std::{
    io,
    os::{fd::OwnedFd, unix::process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde::Serialize;

use super::landlocked;
use crate::{
    config::Sandbox,
    error::{Code, Error, Result},
};

#[cfg(target_env = "gnu")]
type Resource = libc::__rlimit_resource_t;
#[cfg(not(target_env = "gnu"))]
type Resource = libc::c_int;

/// How ffmpeg is locked in on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum SandboxState {
    /// Landlock and resource limits.
    Landlock {
        /// The version of landlock that the kernel offers.
        abi: i32,
    },
    /// Resource limits only: the kernel has no landlock.
    LimitsOnly,
    /// Resource limits only: the operator wants it so.
    Off,
}

impl SandboxState {
    /// What the configuration wants and the kernel can; anything less than landlock is said loudly.
    pub(super) fn decide(wanted: Sandbox, abi: Option<i32>) -> Result<Self> {
        match (wanted, abi) {
            (Sandbox::Auto | Sandbox::Require, Some(abi)) => Ok(Self::Landlock { abi }),
            (Sandbox::Require, None) => Err(Error::new(
                Code::SandboxUnavailable,
                "`media.sandbox` is \"require\", and the kernel has no landlock",
            )),
            (Sandbox::Auto, None) => {
                tracing::warn!(
                    "THE KERNEL HAS NO LANDLOCK: a flaw in ffmpeg could let a hostile file read this machine"
                );
                Ok(Self::LimitsOnly)
            }
            (Sandbox::Off, _) => {
                tracing::warn!("`media.sandbox` IS OFF: a flaw in ffmpeg could let a hostile file read this machine");
                Ok(Self::Off)
            }
        }
    }
}

/// The rules for every child of this module.
#[derive(Debug)]
pub(super) struct Jail {
    state: SandboxState,
    memory_bytes: u64,
    cpu: Duration,
    programs: Vec<PathBuf>,
}

impl Jail {
    pub(super) fn new(state: SandboxState, memory_bytes: u64, cpu: Duration) -> Self {
        Self { state, memory_bytes, cpu, programs: Vec::new() }
    }

    pub(super) fn state(&self) -> SandboxState {
        self.state
    }

    /// Lets children run a program that the operator chose, and read the libraries that belong to it.
    pub(super) fn trust(&mut self, program: &Path) {
        let real = program.canonicalize().unwrap_or_else(|_| program.to_owned());
        // A build of its own lies in `PREFIX/bin`, its libraries in `PREFIX/lib`.
        let folder = real.parent().filter(|folder| folder.ends_with("bin"));
        self.programs.extend(folder.and_then(Path::parent).map(|prefix| prefix.join("lib")));
        self.programs.push(real);
    }

    /// Locks the command in: it will see no environment, and under landlock no file of this machine but `input`.
    ///
    /// The child dies with the *thread* that starts it, so that thread must wait for it.
    pub(super) fn lock(&self, command: &mut Command, input: Option<&Path>) -> io::Result<()> {
        let ruleset = match self.state {
            SandboxState::Landlock { .. } => Some(landlocked::ruleset(&self.programs, input)?),
            SandboxState::LimitsOnly | SandboxState::Off => None,
        };
        let limits = self.limits()?;
        let parent = i32::try_from(std::process::id()).map_err(io::Error::other)?;
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C");
        command.current_dir("/").process_group(0);
        // SAFETY: `enter` makes system calls only: it neither allocates nor takes a lock, and what it uses was made above.
        unsafe { command.pre_exec(move || enter(parent, &limits, ruleset.as_ref())) };
        Ok(())
    }

    /// The limits, none above what the daemon itself may raise.
    fn limits(&self) -> io::Result<[(Resource, libc::rlimit); 5]> {
        // A backstop behind the time limit: newer versions of ffmpeg use several threads.
        let cpu = self.cpu.as_secs().saturating_mul(2).saturating_add(1);
        let mut processor = limit(libc::RLIMIT_CPU, cpu.saturating_add(5))?;
        processor.1.rlim_cur = processor.1.rlim_max.min(cpu); // SIGXCPU first, SIGKILL later
        Ok([
            limit(libc::RLIMIT_AS, self.memory_bytes)?,
            processor,
            limit(libc::RLIMIT_FSIZE, 0)?, // pipes are not counted, and there is no file to write
            limit(libc::RLIMIT_NOFILE, 64)?,
            limit(libc::RLIMIT_CORE, 0)?,
        ])
    }
}

fn limit(resource: Resource, value: u64) -> io::Result<(Resource, libc::rlimit)> {
    let mut now = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a local of the right type.
    if unsafe { libc::getrlimit(resource, &raw mut now) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let value = value.min(now.rlim_max);
    Ok((resource, libc::rlimit { rlim_cur: value, rlim_max: value }))
}

/// Runs in the child, between fork and exec.
fn enter(parent: libc::pid_t, limits: &[(Resource, libc::rlimit); 5], ruleset: Option<&OwnedFd>) -> io::Result<()> {
    // SAFETY: plain system calls with values, and pointers to what lives in the closure.
    unsafe {
        check(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL))?;
        if libc::getppid() != parent {
            return Err(io::Error::from_raw_os_error(libc::ESRCH)); // the daemon died before the line above
        }
        check(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))?;
        for (resource, limit) in limits {
            check(libc::setrlimit(*resource, limit))?;
        }
    }
    ruleset.map_or(Ok(()), landlocked::restrict)
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
