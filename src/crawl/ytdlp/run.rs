//! One child from its start to its end, on one thread.

use std::{
    io,
    os::{fd::OwnedFd, unix::process::CommandExt},
    path::Path,
    process::Command,
};

use crawlers::Dumped;

use crate::{
    error::{Code, Error, Result},
    media::{Group, converse, gated, restrict},
};

/// The largest answer, in bytes.
const MAX_STDOUT: u64 = 64 * 1024 * 1024;

/// Locks the command in. With a `port` it can write in `folder` alone, where the kernel has landlock, and connect to that
/// port alone, where its landlock knows ports. It dies with the thread that starts it.
pub(super) fn lock(command: &mut Command, folder: &Path, port: Option<u16>) -> io::Result<()> {
    let ruleset = port.map(|port| gated(folder, port)).transpose()?.flatten();
    let parent = i32::try_from(std::process::id()).map_err(io::Error::other)?;
    command.process_group(0);
    // SAFETY: `enter` makes system calls only: it neither allocates nor takes a lock, and what it uses was made above.
    unsafe { command.pre_exec(move || enter(parent, ruleset.as_ref())) };
    Ok(())
}

/// Runs in the child, between fork and exec.
fn enter(parent: libc::pid_t, ruleset: Option<&OwnedFd>) -> io::Result<()> {
    // No limit for its memory: the JavaScript runtimes that it starts reserve more addresses than they use.
    let core = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: plain system calls with values, and pointers to locals of the right type.
    unsafe {
        check(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL))?;
        if libc::getppid() != parent {
            return Err(io::Error::from_raw_os_error(libc::ESRCH)); // the daemon died before the line above
        }
        check(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))?;
        check(libc::setrlimit(libc::RLIMIT_CORE, &raw const core))?;
    }
    ruleset.map_or(Ok(()), restrict)
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Starts it and waits until it and its group are gone.
pub(super) fn to_end(command: Command, group: &Group) -> Result<Dumped> {
    let said = converse(command, group, &[], MAX_STDOUT)
        .map_err(|error| Error::new(Code::Io, "yt-dlp cannot be run just now").with_source(error))?;
    tracing::debug!(status = %said.status, said = said.stderr, "yt-dlp ended");
    if said.overlong {
        return Err(Error::new(Code::TooLarge, "yt-dlp says more about the link than can be read"));
    }
    Ok(Dumped { status: said.status.code(), stdout: said.stdout.into(), stderr: said.stderr })
}
