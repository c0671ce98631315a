//! Finds yt-dlp and asks how old it is.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use chrono::NaiveDate;

use super::run;
use crate::media::{Group, locate};

/// How long it may take to say its version.
const PATIENCE: Duration = Duration::from_secs(20);
/// Sites change; a version that is older than this many days often fails.
const OLD: i64 = 90;

/// Where the program is, if it is there and runs.
pub(super) fn find(wanted: &str) -> Option<PathBuf> {
    let program = locate(Path::new(wanted)).filter(|_| !wanted.is_empty())?;
    let Some(version) = version(&program) else {
        tracing::warn!(program = %program.display(), "yt-dlp is there but does not run; it is not used");
        return None;
    };
    match released(&version).map(|day| (chrono::Utc::now().date_naive() - day).num_days()) {
        Some(days) if days > OLD => tracing::warn!(version, days, "yt-dlp is old; sites change faster, update it"),
        _ => tracing::info!(version, "yt-dlp is used for what it knows"),
    }
    Some(program)
}

fn version(program: &Path) -> Option<String> {
    let folder = tempfile::tempdir().ok()?;
    let mut command = Command::new(program);
    command.args(["--ignore-config", "--version"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    super::command::surround(&mut command, folder.path(), "");
    run::lock(&mut command, folder.path(), None).ok()?;
    let group = Group::new();
    let said = thread::scope(|scope| {
        let (done, watch) = mpsc::channel::<()>();
        let hand = group.clone();
        scope.spawn(move || {
            if watch.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                hand.signal(libc::SIGKILL);
            }
        });
        let said = run::to_end(command, &group);
        drop(done);
        said
    });
    let said = said.ok().filter(|said| said.status == Some(0))?;
    let version = String::from_utf8_lossy(&said.stdout).trim().to_owned();
    (!version.is_empty() && version.len() < 40).then_some(version)
}

/// Versions begin with the day of their release.
fn released(version: &str) -> Option<NaiveDate> {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_days() {
        let day = NaiveDate::from_ymd_opt(2026, 8, 20);
        assert_eq!((released("2026.08.20"), released("2026.08.20.232918")), (day, day));
        assert_eq!((released("stable"), released("2026.13.1")), (None, None));
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        assert_eq!((find(""), find("no-such-program"), find("/no/such/program")), (None, None, None));
    }
}
