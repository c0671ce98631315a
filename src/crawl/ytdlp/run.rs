//! One child from its start to its end, on one thread.

use std::{
    io::{self, Read},
    os::{fd::OwnedFd, unix::process::CommandExt},
    path::Path,
    process::Command,
    thread,
};

use crawlers::Dumped;

use crate::{
    error::{Code, Error, Result},
    media::{Group, gated, restrict},
};

/// The largest answer, in bytes.
const MAX_STDOUT: u64 = 64 * 1024 * 1024;
/// What is kept of its complaints: the last of them decide.
const MAX_STDERR: usize = 16 * 1024;

/// Locks the command in. With a `port` it can write in `folder` alone and connect to that port alone, where the kernel
/// has landlock. It dies with the thread that starts it.
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
pub(super) fn to_end(mut command: Command, group: &Group) -> Result<Dumped> {
    let mut child = command
        .spawn()
        .map_err(|error| Error::new(Code::Io, "yt-dlp cannot be started just now").with_source(error))?;
    group.started(&child);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (answer, complaints) = thread::scope(|scope| {
        let complaints = scope.spawn(move || stderr.map(tail).unwrap_or_default());
        let mut answer = Vec::new();
        let read = stdout.map_or(Ok(0), |stdout| stdout.take(MAX_STDOUT + 1).read_to_end(&mut answer));
        let read = match read {
            Ok(_) if answer.len() as u64 > MAX_STDOUT => {
                Err(Error::new(Code::TooLarge, "yt-dlp says more about the link than can be read"))
            }
            Ok(_) => Ok(answer),
            Err(error) => Err(error.into()),
        };
        if read.is_err() {
            group.signal(libc::SIGKILL);
        }
        (read, complaints.join().unwrap_or_default())
    });
    let status = group.reap(&mut child)?;
    tracing::debug!(%status, said = complaints, "yt-dlp ended");
    Ok(Dumped { status: status.code(), stdout: answer?.into(), stderr: complaints })
}

/// The end of what is said.
fn tail(mut from: impl Read) -> String {
    let (mut kept, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        kept.extend_from_slice(&buffer[..count]);
        let surplus = kept.len().saturating_sub(MAX_STDERR);
        kept.drain(..surplus);
    }
    String::from_utf8_lossy(&kept).into_owned()
}
