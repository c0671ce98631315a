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

use seccompiler::BpfProgram;
use serde::Serialize;

use super::{Ports, filter, landlocked};
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
        self.programs.extend(belongings(program));
    }

    /// Locks the command in: it will see no environment, and under landlock no file of this machine but `input`.
    ///
    /// The child dies with the *thread* that starts it, so that thread must wait for it.
    pub(super) fn lock(&self, command: &mut Command, input: Option<&Path>) -> io::Result<()> {
        let ruleset = match self.state {
            SandboxState::Landlock { .. } => Some(landlocked::ruleset(&self.programs, input)?),
            SandboxState::LimitsOnly | SandboxState::Off => None,
        };
        // A backstop behind the time limit: newer versions of ffmpeg use several threads.
        let cpu = self.cpu.as_secs().saturating_mul(2).saturating_add(1);
        // Pipes are not counted as files, and there is no file to write.
        let limits = limits(self.memory_bytes, cpu, 0, 64)?;
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C");
        command.current_dir("/");
        lock_in(command, limits, ruleset, None)
    }
}

/// What another program of the operator's is allowed.
pub(crate) struct Confines<'a> {
    /// How programs are locked in on this machine.
    pub(crate) state: SandboxState,
    /// What it may read besides the system's programs and libraries.
    pub(crate) read: &'a [PathBuf],
    /// The only folder where it may write.
    pub(crate) folder: &'a Path,
    /// The only port of this machine that it may connect to.
    pub(crate) port: Option<u16>,
    /// Its address space in bytes.
    pub(crate) memory_bytes: u64,
    /// Seconds of the processor.
    pub(crate) cpu_seconds: u64,
    /// The largest file that it may write, in bytes.
    pub(crate) file_bytes: u64,
}

/// Locks a command in, in a process group of its own which it cannot leave. Its environment and its folder are the caller's
/// business. The child dies with the *thread* that starts it, so that thread must wait for it.
///
/// # Errors
/// `sandbox_unavailable` for a program with a port on a kernel whose landlock knows none.
pub(crate) fn confine(command: &mut Command, confines: &Confines<'_>) -> Result<()> {
    let Confines { state, read, folder, port, memory_bytes, cpu_seconds, file_bytes } = *confines;
    // Where the operator wants no sandbox there is nothing to keep.
    if let Some(problem) = port.and_then(|_| Ports::of(state).problem()) {
        return Err(problem);
    }
    let ruleset = match state {
        SandboxState::Landlock { .. } => Some(landlocked::confined(read, folder, port)?),
        SandboxState::LimitsOnly | SandboxState::Off => None,
    };
    let filter = (state != SandboxState::Off).then(|| filter::filter(port.is_some())).transpose()?;
    Ok(lock_in(command, limits(memory_bytes, cpu_seconds, file_bytes, 256)?, ruleset, filter)?)
}

/// A program, and the libraries that belong to it.
pub(crate) fn belongings(program: &Path) -> Vec<PathBuf> {
    let real = program.canonicalize().unwrap_or_else(|_| program.to_owned());
    // A build of its own lies in `PREFIX/bin`, its libraries in `PREFIX/lib`; so do environments of Python, whose
    // program is a link.
    let prefixes = [program, &real]
        .into_iter()
        .filter_map(|path| path.parent().filter(|folder| folder.ends_with("bin"))?.parent());
    let beside = |prefix: &Path| ["lib", "pyvenv.cfg"].map(|name| prefix.join(name));
    prefixes.flat_map(beside).chain([real.clone()]).collect()
}

fn lock_in(
    command: &mut Command,
    limits: [(Resource, libc::rlimit); 5],
    ruleset: Option<OwnedFd>,
    filter: Option<BpfProgram>,
) -> io::Result<()> {
    let parent = i32::try_from(std::process::id()).map_err(io::Error::other)?;
    command.process_group(0);
    // SAFETY: `enter` makes system calls only: it neither allocates nor takes a lock, and what it uses was made above.
    unsafe { command.pre_exec(move || enter(parent, &limits, ruleset.as_ref(), filter.as_ref())) };
    Ok(())
}

/// The limits, none above what the daemon itself may raise: bytes of memory, seconds of the processor, bytes of a file,
/// open files.
fn limits(memory: u64, cpu: u64, file: u64, files: u64) -> io::Result<[(Resource, libc::rlimit); 5]> {
    let mut processor = limit(libc::RLIMIT_CPU, cpu.saturating_add(5))?;
    processor.1.rlim_cur = processor.1.rlim_max.min(cpu); // SIGXCPU first, SIGKILL later
    Ok([
        limit(libc::RLIMIT_AS, memory)?,
        processor,
        limit(libc::RLIMIT_FSIZE, file)?,
        limit(libc::RLIMIT_NOFILE, files)?,
        limit(libc::RLIMIT_CORE, 0)?,
    ])
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
fn enter(
    parent: libc::pid_t,
    limits: &[(Resource, libc::rlimit); 5],
    ruleset: Option<&OwnedFd>,
    filter: Option<&BpfProgram>,
) -> io::Result<()> {
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
    ruleset.map_or(Ok(()), landlocked::restrict)?;
    // Its errors hold a number of the system's, if anything.
    filter
        .map_or(Ok(()), |filter| seccompiler::apply_filter(filter).map_err(|_| io::ErrorKind::PermissionDenied.into()))
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
