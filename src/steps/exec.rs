//! `exec:<name>`: a program that the operator has declared, given JSON and asked for JSON.
//!
//! Callers may rely on this: a definition says nothing about the program but its name and what stands on its stdin; it is
//! never a shell; when the step ends the program, its whole process group and its folder are gone; what it says on stderr
//! gets into the daemon's log alone.

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    time::Duration,
};

use serde_json::{Map, Value};

use super::{Job, Outcome};
use crate::{
    config::ExecConfig,
    error::{Code, Error, Result},
    media::{Confines, Patience, belongings, confine, converse, locate, supervise},
    net::Gate,
    secrets::{Revealed, holds_any},
    workflow::Rule,
};

/// Between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_millis(500);
/// The largest file that a program may write into its folder.
const MAX_FILE: u64 = 256 << 20;
/// What a program may fetch in one run.
const MAX_FETCHED: u64 = 256 << 20;
/// How much of a program's own words is told, in characters.
const MAX_MESSAGE: usize = 500;

pub(super) async fn run(job: &Job<'_>) -> Result<Outcome> {
    let rule: Rule = serde_json::from_value(job.work.row.rule.clone()).unwrap_or_default();
    let name = rule.program.unwrap_or_default();
    let program = job.services.exec.get(&name).ok_or_else(|| unknown(job, &name))?;
    let input = input(job, &name).await?;
    let variables = variables(job, &name, program).await?;
    let parent = job.services.files.task_dir(job.task.id);
    tokio::fs::create_dir_all(&parent).await?;
    let folder = tempfile::Builder::new().prefix("exec-").tempdir_in(&parent)?;
    let gate = if program.network { Some(job.services.net.gate(MAX_FETCHED).await?) } else { None };

    let Started { mut command, read } = command(&name, program)?;
    surround(&mut command, folder.path(), gate.as_ref());
    command.envs(variables);
    let confines = Confines {
        state: job.services.ffmpeg.describe().sandbox,
        read: &read,
        folder: folder.path(),
        port: gate.as_ref().map(Gate::port),
        memory_bytes: program.memory_bytes,
        cpu_seconds: program.cpu_seconds,
        file_bytes: MAX_FILE,
    };
    confine(&mut command, &confines)?;
    let patience = Patience { timeout: program.timeout.0, grace: GRACE };
    let max = program.max_output;
    let said =
        supervise(move |group| converse(command, group, input.as_bytes(), max), patience, job.cancel, None).await;
    let said = said.map_err(|error| match error.code {
        Code::MediaTimeout => {
            let limit = program.timeout.0.as_secs_f64();
            Error::new(Code::StepTimeout, format!("The program \"{name}\" did not end within {limit} s"))
                .with_hint(format!("Raise `exec.{name}.timeout`."))
        }
        Code::Io => failed(&name, "cannot be run").with_source(error),
        _ => error,
    })?;

    let stderr = job.services.secrets.revealed().text(said.stderr);
    tracing::debug!(task = %job.task.id, program = name, status = %said.status, said = stderr, "a program ended");
    if said.overlong {
        let detail = format!("The program \"{name}\" prints more than {max} bytes");
        return Err(Error::new(Code::TooLarge, detail).with_hint(format!("Raise `exec.{name}.max_output`.")));
    }
    let answer = serde_json::from_slice::<Value>(&said.stdout).ok();
    if !said.status.success() {
        tracing::warn!(task = %job.task.id, program = name, status = %said.status, said = stderr, "a program failed");
        return Err(failure(&name, said.status, answer.as_ref(), job.services.secrets.revealed()));
    }
    match answer {
        Some(output @ Value::Object(_)) => Ok(output.into()),
        _ => Err(failed(&name, "did not print a JSON object")),
    }
}

/// What stands on its stdin: `with`, its secrets filled in.
async fn input(job: &Job<'_>, name: &str) -> Result<String> {
    let template = Value::Object(job.work.row.with.clone());
    if !holds_any(&template) {
        return Ok(Value::Object(job.input.clone()).to_string());
    }
    Ok(job.services.secrets.reveal(&template, job.scope, &format!("exec:{name}")).await?.to_string())
}

/// The variables that the operator lets it see.
async fn variables(job: &Job<'_>, name: &str, program: &ExecConfig) -> Result<Vec<(String, std::ffi::OsString)>> {
    let named = program.env.iter().filter_map(|name| Some((name.clone(), std::env::var_os(name)?)));
    let mut variables: Vec<_> = named.collect();
    let secrets = &job.services.secrets;
    for (variable, secret) in &program.secrets {
        let value = secrets.value(secret, &format!("exec:{name}")).await?;
        secrets.revealed().add(&value);
        variables.push((variable.clone(), value.into()));
    }
    Ok(variables)
}

/// A command, and what it may read.
struct Started {
    command: Command,
    read: Vec<PathBuf>,
}

/// The program with its arguments. Those that name a file here become whole paths, because it runs elsewhere.
fn command(name: &str, config: &ExecConfig) -> Result<Started> {
    let wanted = config.argv.first().map(Path::new).unwrap_or(Path::new(""));
    let program = locate(wanted).ok_or_else(|| {
        let detail = format!("The program \"{}\" of `exec.{name}.argv` is not installed", wanted.display());
        Error::new(Code::Config, detail)
    })?;
    let mut read = belongings(&program);
    read.extend(config.read.iter().cloned());
    let mut command = Command::new(program);
    for argument in &config.argv[1..] {
        match Path::new(argument).canonicalize().ok().filter(|path| path.is_file()) {
            Some(file) => {
                command.arg(&file);
                read.push(file);
            }
            None => {
                command.arg(argument);
            }
        }
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(Started { command, read })
}

/// What it sees of the machine: a folder of its own, and the gate where it may speak to the network.
fn surround(command: &mut Command, folder: &Path, gate: Option<&Gate>) {
    command.env_clear().current_dir(folder);
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C.UTF-8").env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("HOME", folder).env("TMPDIR", folder);
    if let Some(gate) = gate {
        command.env("http_proxy", gate.url()).env("https_proxy", gate.url());
    }
}

fn unknown(job: &Job<'_>, name: &str) -> Error {
    let known: Vec<&str> = job.services.exec.keys().map(String::as_str).collect();
    let hint = match known.as_slice() {
        [] => "The operator declares programs in the configuration; none is declared.".to_owned(),
        known => format!("Declared are: {}.", known.join(", ")),
    };
    Error::new(Code::InvalidWorkflow, format!("There is no program \"{name}\": the configuration has no `exec.{name}`"))
        .with_hint(hint)
}

fn failed(name: &str, how: &str) -> Error {
    Error::new(Code::ExecFailed, format!("The program \"{name}\" {how}"))
}

/// Why it failed: in its own words, `{"error": {"code", "message"}}`, where it has found some.
fn failure(name: &str, status: ExitStatus, answer: Option<&Value>, revealed: &Revealed) -> Error {
    let own: Option<&Map<String, Value>> = answer.and_then(|answer| answer.get("error")?.as_object());
    let text = |field: &str| own.and_then(|own| own.get(field)?.as_str());
    let message: Option<String> = text("message")
        // Before it is changed: afterwards nobody finds a secret in it.
        .map(|message| {
            revealed.text(message.to_owned()).chars().filter(|c| !c.is_control()).take(MAX_MESSAGE).collect()
        })
        .filter(|message: &String| !message.trim().is_empty());
    match (message, status.code()) {
        (Some(message), _) if text("code") == Some("invalid_input") => {
            Error::new(Code::InvalidValue, format!("The program \"{name}\" refuses its input: {message}"))
                .with_hint("Check what the step gives it as `with`.")
        }
        (Some(message), _) => failed(name, &format!("failed: {message}")),
        // What shells say when they cannot start something.
        (None, Some(code @ (126 | 127))) => failed(name, &format!("ended with status {code}")).with_hint(
            "A wrapper script may not start what it likes: name the program itself in `argv`, or what it reads in `read`.",
        ),
        (None, Some(code)) => failed(name, &format!("ended with status {code}")),
        (None, None) => failed(name, "was killed; perhaps it needs more than its limits allow"),
    }
}
