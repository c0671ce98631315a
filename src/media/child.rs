//! One child from its start to its end, on one thread.
//!
//! The thread that calls [`run`] blocks until the child is reaped; both pipes are emptied meanwhile.

use std::{
    io::{self, Read},
    process::{Child, ExitStatus},
    thread,
};

use super::{group::Group, log::Log};
use crate::{
    error::{Code, Error, Result},
    fault,
};

/// How a child ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) log: Log,
}

/// Hands everything from stdout to `sink`, reads stderr beside it, and reaps. An error of `sink` kills the child.
/// `announced` is told, on another thread, as soon as ffmpeg has said how long its input is.
pub(super) fn run(
    child: &mut Child,
    group: &Group,
    announced: &(dyn Fn(&Log) + Sync),
    sink: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<Ended> {
    group.started(child);
    drop(child.stdin.take());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (read, log) = thread::scope(|scope| {
        let listener = thread::Builder::new()
            .name("ffmpeg-log".to_owned())
            .spawn_scoped(scope, move || stderr.map(|stderr| Log::read(stderr, announced)).unwrap_or_default());
        let read = match (&listener, stdout) {
            (Ok(_), Some(mut stdout)) => pump(&mut stdout, sink),
            (Ok(_), None) => Ok(()),
            (Err(error), _) => Err(io::Error::from(error.kind()).into()),
        };
        if read.is_err() {
            group.signal(libc::SIGKILL);
        }
        (read, listener.ok().and_then(|thread| thread.join().ok()).unwrap_or_default())
    });
    let status = group.reap(child)?;
    fault::point("ffmpeg::ended");
    read?;
    tracing::debug!(%status, errors = log.errors, said = log.tail(), "ffmpeg ended");
    Ok(Ended { status, log })
}

/// What to say when a program that ran at start-up does not start now.
pub(super) fn start_error(program: &str, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => {
            Error::new(Code::FfmpegMissing, format!("{program} cannot be started")).with_source(error)
        }
        _ => Error::new(Code::Io, format!("{program} cannot be started just now")).with_source(error),
    }
}

fn pump(stdout: &mut impl Read, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match stdout.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => sink(&buffer[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}
