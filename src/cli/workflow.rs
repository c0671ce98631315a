//! `trawl workflow`: definitions checked, tried out with mocks, and run without a daemon.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Map, Value, json};
use tokio::signal::unix::{SignalKind, signal};

use super::{WorkflowCommand, local::Local, print, transcribe, write};
use crate::{
    app,
    config::Config,
    domain::TaskStatus,
    error::{Code, Error, Result},
    intake::{self, Submission},
    llm, steps,
    workflow::{
        Definition,
        definition::ParamType,
        simulate::simulate,
        validate::{self, Machine, Problem, World},
    },
};

/// How long what a workflow tells others may take to arrive when its task has ended.
const TELLING: Duration = Duration::from_secs(60);
/// The largest file that is read, in bytes: definitions have a limit of their own, mocks hold whole transcripts.
const LARGEST: u64 = 16 << 20;

/// What needs no daemon. `config` is the file that was named. None when it needs one.
pub(super) fn offline(command: &WorkflowCommand, config: Option<&Path>) -> Option<Result<()>> {
    match command {
        WorkflowCommand::Validate { files } => Some(check(files, config)),
        WorkflowCommand::Test { file, params, mocks } => Some(test(file, params.as_deref(), mocks.as_deref())),
        WorkflowCommand::Run { .. } => None,
    }
}

/// Prints everything that is wrong as `file:pointer: CODE message`.
fn check(files: &[PathBuf], config: Option<&Path>) -> Result<()> {
    let mut texts = Vec::new();
    for file in files {
        let text = read(file)?;
        if is_schema(&text) {
            write(&mut std::io::stderr(), &format!("{}: a JSON Schema, not a workflow: passed over\n", file.display()));
        } else {
            texts.push((file, text));
        }
    }
    let mut workflows: BTreeMap<_, _> = app::shipped().collect();
    workflows.extend(texts.iter().filter_map(|(_, text)| app::other(text)));
    let world = World { workflows, machine: machine(config)? };
    let mut wrong = 0;
    for (file, text) in &texts {
        let problems = validate::check(text, &world).problems;
        for Problem { code, pointer, message, caret, .. } in &problems {
            // The pointer of the whole is empty.
            let colon = if pointer.is_empty() { "" } else { ":" };
            print(&format!("{}{colon}{pointer}: {code} {message}", file.display()));
            for line in caret.iter().flat_map(|caret| caret.lines()) {
                print(&format!("    {line}"));
            }
        }
        wrong += usize::from(problems.iter().any(Problem::is_error));
    }
    match wrong {
        0 => Ok(()),
        wrong => {
            let detail = format!("{wrong} of {} definitions cannot be taken", texts.len());
            Err(Error::new(Code::InvalidWorkflow, detail))
        }
    }
}

/// Whether a text is a JSON Schema, such as the one that lies beside the definitions that ship.
fn is_schema(text: &str) -> bool {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let is_of = |name: &str| value.get(name).is_some();
    value["$schema"].is_string() && !is_of("steps") && !is_of("dsl")
}

/// What a definition would find: on the machine of that configuration, or else the prompts that are built in.
fn machine(config: Option<&Path>) -> Result<Machine> {
    match config {
        Some(_) => steps::machine(&Config::load(config, &[])?),
        None => Ok(Machine { prompts: Some(llm::prompts(&Config::defaults().llm)?), ..Machine::default() }),
    }
}

fn test(file: &Path, params: Option<&str>, mocks: Option<&Path>) -> Result<()> {
    let definition = Definition::parse(&read(file)?)?;
    let mocks = mocks.map(read).transpose()?;
    let went = simulate(&definition, &object("--params", params)?, &object("--mocks", mocks.as_deref())?)?;
    print(&serde_json::to_string_pretty(&went).unwrap_or_default());
    match went.error {
        None => Ok(()),
        Some(report) => Err(Error::new(Code::from_word(&report.code), report.detail).with_hint(report.hint)),
    }
}

/// Runs a definition as a task of a private daemon; its result goes to stdout.
pub(super) async fn run(config: Config, file: &Path, given: &[String]) -> Result<()> {
    let text = read(file)?;
    let definition = Definition::parse(&text)?;
    let params = params(&definition, given)?;
    // Before anything is fetched.
    intake::check_params(&definition, params.clone())?;
    if definition.steps.values().any(|step| step.kind == "transcribe") {
        transcribe::fetch_model(&config).await?;
    }
    let (mut term, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let local = Local::start(config).await?;
    let ended = tokio::select! {
        ended = one(&local, &definition, &text, params) => ended,
        _ = term.recv() => Err(interrupted()),
        _ = interrupt.recv() => Err(interrupted()),
    };
    local.stop().await;
    print(&serde_json::to_string_pretty(&ended?).unwrap_or_default());
    Ok(())
}

fn interrupted() -> Error {
    Error::new(Code::Cancelled, "Interrupted").with_hint("Start it again.")
}

async fn one(local: &Local, definition: &Definition, text: &str, mut params: Map<String, Value>) -> Result<Value> {
    let store = local.app.services.queue.store();
    let tx = store.begin().await?;
    tx.put_workflow(&definition.name, serde_json::from_str(text).unwrap_or_default(), "of the command").await?;
    tx.commit().await?;
    for (name, value) in &mut params {
        let is_link = definition.params.get(name).is_some_and(|param| param.kind == ParamType::Url);
        let path = value.as_str().filter(|path| is_link && Path::new(path).is_file());
        if let Some(path) = path {
            *value = json!(transcribe::upload(local, Path::new(path)).await?);
        }
    }
    let link = params.remove("link").and_then(|link| link.as_str().map(str::to_owned)).unwrap_or_default();
    let workflow = definition.name.clone();
    let submission = Submission { link, workflow: workflow.clone(), params, ..Submission::default() };
    let task = local.app.intake.submit(submission).await.map_err(|error| match error.code {
        Code::InvalidLink => error.with_hint("Give a link, or the path of a file that exists."),
        _ => error,
    })?;
    let task = transcribe::follow(local, task.id, &workflow).await?;
    told(local, task.id).await?;
    match task.status {
        TaskStatus::Completed => Ok(task.result.unwrap_or_default()),
        _ => Err(task.error.map_or_else(interrupted, |report| {
            Error::new(Code::from_word(&report.code), report.detail).with_hint(report.hint)
        })),
    }
}

/// Waits until what the task tells others has arrived, as far as that is soon.
async fn told(local: &Local, task: crate::domain::TaskId) -> Result<()> {
    let queue = &local.app.services.queue;
    let mut events = queue.wake().events();
    let waiting = async {
        while queue
            .store()
            .deliveries_of(task)
            .await?
            .iter()
            .any(|one| ["pending", "sending"].contains(&one.state.as_str()))
        {
            let _ = tokio::time::timeout(Duration::from_secs(1), events.changed()).await;
        }
        Ok(())
    };
    tokio::time::timeout(TELLING, waiting).await.unwrap_or(Ok(()))
}

/// `name=value` pairs: the value is JSON of the parameter's type, or else text.
fn params(definition: &Definition, given: &[String]) -> Result<Map<String, Value>> {
    let mut params = Map::new();
    for pair in given {
        let (name, text) = pair.split_once('=').ok_or_else(|| {
            Error::new(Code::InvalidValue, format!("\"{pair}\" is not NAME=VALUE")).with_field("param")
        })?;
        let kind = definition.params.get(name).map(|param| param.kind);
        let read = serde_json::from_str::<Value>(text).ok();
        let value = read.filter(|value| kind.is_some_and(|kind| kind.fits(value))).unwrap_or_else(|| json!(text));
        params.insert(name.to_owned(), value);
    }
    Ok(params)
}

fn object(what: &str, text: Option<&str>) -> Result<Map<String, Value>> {
    let Some(text) = text else { return Ok(Map::new()) };
    serde_json::from_str(text)
        .map_err(|error| Error::new(Code::InvalidValue, format!("{what} is no JSON object: {error}")))
}

/// The text of a file; of stdin for `-`.
fn read(file: &Path) -> Result<String> {
    let mut text = String::new();
    let read = match file == Path::new("-") {
        true => io::stdin().lock().take(LARGEST + 1).read_to_string(&mut text),
        false => File::open(file).and_then(|open| open.take(LARGEST + 1).read_to_string(&mut text)),
    };
    match read {
        Ok(size) if size as u64 <= LARGEST => Ok(text),
        Ok(_) => Err(Error::new(Code::InvalidValue, format!("{} is larger than 16 MiB", file.display()))
            .with_hint("Check the path.")),
        Err(error) => Err(Error::new(Code::InvalidValue, format!("{} cannot be read", file.display()))
            .with_hint("Check the path and its permissions.")
            .with_source(error)),
    }
}
