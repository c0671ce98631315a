//! How yt-dlp is called.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crawlers::Dump;

use crate::error::{Code, Error, Result};

/// Options that would lead it past the gate, or make it run something else.
const FORBIDDEN: [&str; 6] =
    ["--proxy", "--geo-verification-proxy", "--exec", "--config-location", "--enable-file-urls", "--downloader"];

/// Refuses arguments of the operator's that would break what the daemon promises.
pub(super) fn check(arguments: &[String]) -> Result<()> {
    let bad = arguments.iter().find(|one| FORBIDDEN.iter().any(|option| one.starts_with(option)) || *one == "--");
    bad.map_or(Ok(()), |bad| {
        Err(Error::new(Code::Config, format!("`crawlers.ytdlp.arguments` holds \"{}\"", bad.escape_debug()))
            .with_hint("yt-dlp runs behind the daemon's own rules for the network; leave this argument out."))
    })
}

/// The program with its arguments: never a shell, never its own configuration, and behind `--` only the link.
pub(super) fn of(program: &Path, more: &[String], dump: &Dump<'_>, cookies: Option<&Path>) -> Command {
    let mut command = Command::new(program);
    command.args(["--ignore-config", "--no-warnings", "--no-progress", "--no-cache-dir"]);
    command.args(["--socket-timeout", "20", "--retries", "3"]);
    match dump.entries {
        None => command.args(["--no-playlist", "--playlist-items", "1:1"]),
        Some(count) => command.args(["--flat-playlist", "--yes-playlist", "--playlist-items", &format!("1:{count}")]),
    };
    if let Some(cookies) = cookies {
        command.arg("--cookies").arg(cookies);
    }
    if let Some(agent) = dump.identity.map(|identity| &identity.user_agent).filter(|agent| !agent.is_empty()) {
        command.args(["--user-agent", agent]);
    }
    command.args(more).args(["-J", "--", dump.link.as_str()]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What it sees of the machine: a folder, and the gate, whose password stands where other users cannot read it.
pub(super) fn surround(command: &mut Command, folder: &Path, gate: &str) {
    let beside = Path::new(command.get_program()).parent().map(Path::to_path_buf).unwrap_or_default();
    command.env_clear().current_dir(folder);
    command.env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", beside.display()));
    command.env("HOME", folder).env("TMPDIR", folder).env("LC_ALL", "C.UTF-8").env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("http_proxy", gate).env("https_proxy", gate);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crawlers::Identity;

    fn arguments(dump: &Dump<'_>, cookies: Option<&Path>) -> String {
        let command = of(Path::new("/bin/yt-dlp"), &["--force-ipv4".to_owned()], dump, cookies);
        command.get_args().map(|one| one.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_link_is_never_an_option() {
        let link = "https://a.example/--exec".parse().unwrap();
        let dump = Dump { link: &link, entries: None, identity: None };
        assert_eq!(
            arguments(&dump, None),
            "--ignore-config --no-warnings --no-progress --no-cache-dir --socket-timeout 20 --retries 3 --no-playlist \
             --playlist-items 1:1 --force-ipv4 -J -- https://a.example/--exec"
        );
        let identity = Identity { id: "1".into(), platform: "x".into(), cookie: "a=b".into(), user_agent: "UA".into() };
        let list = arguments(&Dump { entries: Some(50), identity: Some(&identity), ..dump }, Some(Path::new("/c")));
        assert!(list.contains("--flat-playlist --yes-playlist --playlist-items 1:50 --cookies /c --user-agent UA "));
        assert!(!list.contains("a=b"), "cookies are not for everybody to see");
    }

    #[test]
    fn arguments_that_lead_past_the_gate_are_refused() {
        let refused = |one: &str| check(&[one.to_owned()]).is_err_and(|error| error.code == Code::Config);
        for bad in ["--proxy", "--proxy=http://x", "--exec", "--config-locations", "--", "--downloader=x"] {
            assert!(refused(bad), "{bad}");
        }
        assert!(!refused("--js-runtimes") && !refused("node"));
    }
}
