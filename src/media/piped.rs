//! A child that is given something and answers, from its start to its end, on one thread.

use std::{
    io::{Read, Write},
    process::{Command, ExitStatus},
    thread,
};

use super::group::Group;
use crate::error::Result;

/// What is kept of its complaints: the last of them decide.
const MAX_STDERR: usize = 16 * 1024;

/// What a child has said.
#[derive(Debug)]
pub(crate) struct Said {
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// Its answer, as far as it may be long.
    pub(crate) stdout: Vec<u8>,
    /// Whether there was more, for which it was killed.
    pub(crate) overlong: bool,
    /// The end of its complaints.
    pub(crate) stderr: String,
}

/// Starts a command whose stdout and stderr are pipes (and stdin, where there is `input`), and waits until it and its
/// group are gone. An answer of more than `max` bytes ends it.
pub(crate) fn converse(mut command: Command, group: &Group, input: &[u8], max: u64) -> Result<Said> {
    let mut child = command.spawn()?;
    group.started(&child);
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (answer, complaints) = thread::scope(|scope| {
        // Who does not want to hear it all may hang up.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
        let complaints = scope.spawn(move || stderr.map(tail).unwrap_or_default());
        let mut answer = Vec::new();
        let read = stdout.map_or(Ok(0), |stdout| stdout.take(max.saturating_add(1)).read_to_end(&mut answer));
        if read.is_err() || answer.len() as u64 > max {
            group.signal(libc::SIGKILL);
        }
        (read.map(|_| answer), complaints.join().unwrap_or_default())
    });
    let status = group.reap(&mut child)?;
    let mut stdout = answer?;
    let overlong = stdout.len() as u64 > max;
    stdout.truncate(usize::try_from(max).unwrap_or(usize::MAX));
    Ok(Said { status, stdout, overlong, stderr: complaints })
}

/// The end of what is said, in whole lines: half a line may be half a secret, which nobody would find.
fn tail(mut from: impl Read) -> String {
    let (mut kept, mut buffer, mut is_cut) = (Vec::new(), [0; 4096], false);
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        kept.extend_from_slice(&buffer[..count]);
        let surplus = kept.len().saturating_sub(MAX_STDERR);
        kept.drain(..surplus);
        is_cut |= surplus > 0;
    }
    if is_cut {
        let begin = kept.iter().position(|byte| *byte == b'\n').map_or(kept.len(), |at| at + 1);
        kept.drain(..begin);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_begins_with_a_whole_line() {
        assert_eq!(tail(&b"one\ntwo"[..]), "one\ntwo");
        let long = format!("{}secret\nthe last\nwords", "x".repeat(MAX_STDERR));
        assert_eq!(tail(long.as_bytes()), "the last\nwords");
    }
}
