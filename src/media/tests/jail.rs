//! What a child can and cannot do, tried out by children that are not ffmpeg.

use std::{
    net::TcpListener,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::{
    config::Sandbox,
    error::Code,
    media::{
        child,
        group::Group,
        landlocked,
        sandbox::{Confines, Jail, SandboxState, confine},
    },
};

const MEMORY: u64 = 1 << 30;

fn jail(state: SandboxState) -> Jail {
    Jail::new(state, MEMORY, Duration::from_secs(60))
}

/// The real sandbox, or a word about why it cannot be tried.
fn landlock() -> Option<(Jail, i32)> {
    let abi = landlocked::kernel_abi();
    if abi.is_none() {
        eprintln!("SKIPPED: this kernel has no landlock");
    }
    abi.map(|abi| (jail(SandboxState::Landlock { abi }), abi))
}

/// Runs a shell line as ffmpeg would be run; what it printed, if it went well.
fn shell(jail: &Jail, line: &str, input: Option<&Path>) -> Option<String> {
    let mut command = Command::new("/bin/bash");
    command.args(["-c", line]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    jail.lock(&mut command, input).unwrap();
    let (mut said, mut child) = (Vec::new(), command.spawn().unwrap());
    let ended = child::run(&mut child, &Group::new(), &|_| {}, &mut |bytes| {
        said.extend_from_slice(bytes);
        Ok(())
    });
    ended.unwrap().status.success().then(|| String::from_utf8(said).unwrap())
}

#[test]
fn only_the_input_can_be_read() {
    let Some((jail, _)) = landlock() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (input, secret) = (folder.path().join("input"), folder.path().join("secret"));
    std::fs::write(&input, "open").unwrap();
    std::fs::write(&secret, "hidden").unwrap();
    let cat = |path: &Path| shell(&jail, &format!("cat '{}'", path.display()), Some(&input));
    assert_eq!(cat(&input).as_deref(), Some("open"));
    for closed in [secret.as_path(), Path::new("/etc/passwd"), Path::new("/proc/self/environ")] {
        assert_eq!(cat(closed), None, "{}", closed.display());
    }
    assert_eq!(shell(&jail, &format!("ls '{}'", folder.path().display()), Some(&input)), None);
}

#[test]
fn nothing_can_be_written() {
    let Some((jail, _)) = landlock() else { return };
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("input");
    std::fs::write(&input, "open").unwrap();
    for line in ["echo x > FOLDER/new", "echo x >> FOLDER/input", "mkdir FOLDER/new", "rm FOLDER/input"] {
        let line = line.replace("FOLDER", folder.path().to_str().unwrap());
        assert_eq!(shell(&jail, &line, Some(&input)), None, "{line}");
    }
    assert_eq!(std::fs::read_to_string(&input).unwrap(), "open");
}

#[test]
fn nobody_can_be_called_or_signalled() {
    let Some((jail, abi)) = landlock() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let call = format!("exec 3<>/dev/tcp/127.0.0.1/{}", listener.local_addr().unwrap().port());
    let open = self::jail(SandboxState::Off);
    assert!(shell(&open, &call, None).is_some(), "the line works outside");
    if abi >= 4 {
        assert_eq!(shell(&jail, &call, None), None);
    } else {
        eprintln!("SKIPPED: landlock {abi} knows no network rules");
    }
    if abi >= 6 {
        assert_eq!(shell(&jail, &format!("kill -0 {}", std::process::id()), None), None);
    } else {
        eprintln!("SKIPPED: landlock {abi} does not keep signals in");
    }
}

#[test]
fn limits_hold_without_landlock_too() {
    let jail = jail(SandboxState::LimitsOnly);
    let limits = shell(&jail, "ulimit -v; ulimit -t; ulimit -f; ulimit -n; ulimit -c", None).unwrap();
    let limits: Vec<_> = limits.lines().collect();
    assert_eq!(limits, [&(MEMORY / 1_024).to_string(), "121", "0", "64", "0"]);
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(shell(&jail, &format!("echo x > {}/new", folder.path().display()), None), None);
}

#[test]
fn the_environment_stays_outside() {
    let jail = jail(SandboxState::Off);
    let said = shell(&jail, "compgen -e; pwd", None).unwrap();
    let own = ["OLDPWD", "PWD", "SHLVL", "_"]; // bash's
    let left: Vec<_> = said.lines().filter(|line| !own.contains(line)).collect();
    assert_eq!(left, ["LC_ALL", "PATH", "/"]);
}

#[test]
fn a_child_dies_with_the_thread_that_started_it() {
    let start = || {
        let mut command = Command::new("sleep");
        command.arg("99999");
        jail(SandboxState::Off).lock(&mut command, None).unwrap();
        command.spawn().unwrap()
    };
    let mut child = thread::spawn(start).join().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGKILL));
}

#[test]
fn the_configuration_decides() {
    let state = SandboxState::decide;
    assert_eq!(state(Sandbox::Auto, Some(3)).unwrap(), SandboxState::Landlock { abi: 3 });
    assert_eq!(state(Sandbox::Require, Some(3)).unwrap(), SandboxState::Landlock { abi: 3 });
    assert_eq!(state(Sandbox::Auto, None).unwrap(), SandboxState::LimitsOnly);
    assert_eq!(state(Sandbox::Off, Some(3)).unwrap(), SandboxState::Off);
    assert_eq!(state(Sandbox::Require, None).unwrap_err().code, Code::SandboxUnavailable);
}

#[test]
fn a_program_goes_to_no_network_that_cannot_be_narrowed() {
    let folder = tempfile::tempdir().unwrap();
    let confines = |state, port| Confines {
        state,
        read: &[],
        folder: folder.path(),
        port,
        memory_bytes: MEMORY,
        cpu_seconds: 1,
        file_bytes: 1,
    };
    let code = |state, port| confine(&mut Command::new("true"), &confines(state, port)).map_err(|error| error.code);
    for state in [SandboxState::LimitsOnly, SandboxState::Landlock { abi: 3 }] {
        assert_eq!(code(state, Some(80)), Err(Code::SandboxUnavailable), "{state:?}");
    }
    assert_eq!(code(SandboxState::LimitsOnly, None), Ok(()));
    assert_eq!(code(SandboxState::Off, Some(80)), Ok(()));
}
