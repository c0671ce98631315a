//! `trawl transcribe`: the whole road for a few inputs, in this process.

mod model;
mod shape;

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value, json};
use tokio::signal::unix::{SignalKind, signal};

pub(super) use self::shape::Shape;
use super::{TranscribeArgs, complain, local::Local, print};
use crate::{
    config::Config,
    domain::{Task, TaskId, TaskStatus, Transcript},
    error::{Code, Error, Report, Result},
    files::Files,
    intake::Submission,
    store::NewUpload,
    subtitle::{Format, render},
    zh,
};

/// Transcribes every input in turn. Inputs that fail are told; the others are done all the same.
pub(super) async fn transcribe(mut config: Config, args: TranscribeArgs, mut shape: Shape) -> Result<()> {
    let given = shape.options.get("model").and_then(Value::as_str);
    let model = model::name(&mut config, given)?;
    if let Some(model) = &model {
        shape.options.insert("model".to_owned(), json!(model));
    }
    model::fetch(&config, model.as_deref()).await?;
    // From here on there is a folder to remove, whoever ends the command.
    let (mut term, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let local = Local::start(config).await?;
    let mut failed: Option<Error> = None;
    let mut written = HashSet::new();
    for input in &args.inputs {
        let one = tokio::select! {
            one = one(&local, input, &shape.options) => Some(one),
            _ = term.recv() => None,
            _ = interrupt.recv() => None,
        };
        let interrupted = one.is_none();
        let one = one.unwrap_or_else(|| Err(Error::new(Code::Cancelled, "Interrupted").with_hint("Start it again.")));
        if let Err(error) = one.and_then(|transcript| deliver(transcript, input, &args, &shape, &mut written)) {
            let error = if args.inputs.len() > 1 && !interrupted { about(input, error) } else { error };
            if let Some(earlier) = failed.replace(error) {
                complain(&earlier);
            }
        }
        if interrupted {
            break;
        }
    }
    local.stop().await;
    failed.map_or(Ok(()), Err)
}

/// Downloads the default model if it is not here.
pub(super) async fn fetch_model(config: &Config) -> Result<()> {
    model::fetch(config, None).await
}

/// The error with the input that it is about.
fn about(input: &str, mut error: Error) -> Error {
    let shown: String = input.chars().take(200).collect();
    error.detail = format!("{}: {}", shown.escape_debug(), error.detail);
    error
}

async fn one(local: &Local, input: &str, options: &Map<String, Value>) -> Result<Transcript> {
    let path = Path::new(input);
    let link = if path.exists() { upload(local, path).await? } else { input.to_owned() };
    let submission = Submission { link, options: options.clone(), ..Submission::default() };
    let task = local.app.intake.submit(submission).await.map_err(|error| match error.code {
        Code::InvalidLink => error.with_hint("Give a link, or the path of a file that exists."),
        _ => error,
    })?;
    let task = follow(local, task.id, input).await?;
    match task.status {
        TaskStatus::Completed => {
            let transcript = local.app.services.queue.store().transcript_of(task.id).await?;
            let transcript = transcript.map(|(_, transcript)| transcript);
            transcript.ok_or_else(|| Error::new(Code::Internal, "The workflow has left no transcript"))
        }
        _ => Err(task.error.map_or_else(|| Error::new(Code::Cancelled, "The task was cancelled"), from_report)),
    }
}

fn from_report(report: Report) -> Error {
    Error::new(Code::from_word(&report.code), report.detail).with_hint(report.hint)
}

/// Brings a file of the person's into the road without touching it: a hard link where that works, else a copy.
pub(super) async fn upload(local: &Local, path: &Path) -> Result<String> {
    let cannot = |error: std::io::Error| {
        Error::new(Code::Io, format!("{} cannot be read", path.display()))
            .with_hint("Check the path and its permissions.")
            .with_source(error)
    };
    if !path.is_file() {
        return Err(Error::new(Code::InvalidLink, format!("{} is not a file", path.display())));
    }
    if path.metadata().map_err(cannot)?.len() == 0 {
        return Err(Error::new(Code::EmptyMedia, format!("{} has zero bytes", path.display())));
    }
    let files: &Files = &local.app.services.files;
    let id = uuid::Uuid::now_v7().to_string();
    let staged = files.task_dir(TaskId(0)).with_file_name(format!("{id}.part"));
    // A hard link to a symbolic one would be another symbolic one.
    let file = path.canonicalize().map_err(cannot)?;
    if tokio::fs::hard_link(&file, &staged).await.is_err() {
        tokio::fs::copy(&file, &staged).await.map_err(cannot)?;
    }
    let kept = files.keep(&staged).await?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let upload = NewUpload {
        id: id.clone(),
        file_name: name,
        file: kept.key,
        size: i64::try_from(kept.size).unwrap_or(i64::MAX),
        sha256: kept.sha256,
        content_type: Some(kept.content_type),
        owner: None,
    };
    let tx = local.app.services.queue.store().begin().await?;
    tx.insert_upload(upload).await?;
    tx.commit().await?;
    Ok(format!("upload:{id}"))
}

/// Waits for the task's end, with a bar on stderr when that is a terminal.
pub(super) async fn follow(local: &Local, id: TaskId, input: &str) -> Result<Task> {
    let queue = &local.app.services.queue;
    let mut events = queue.wake().events();
    let bar = ProgressBar::new(1000).with_message(input.chars().take(40).collect::<String>());
    bar.set_style(
        ProgressStyle::with_template("{msg} {bar:30} {percent}% {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    loop {
        let gone = || Error::new(Code::Internal, "The task is gone");
        let task = queue.store().task(id).await?.ok_or_else(gone)?;
        bar.set_position((task.progress * 1000.0) as u64);
        if task.status.is_final() {
            bar.finish_and_clear();
            return Ok(task);
        }
        if let Some(waiting) = task.waiting {
            bar.finish_and_clear();
            return Err(from_report(waiting));
        }
        let _ = tokio::time::timeout(std::time::Duration::from_secs(1), events.changed()).await;
    }
}

/// Prints a transcript, or writes it to the file or folder that was named.
fn deliver(
    mut transcript: Transcript,
    input: &str,
    args: &TranscribeArgs,
    shape: &Shape,
    written: &mut HashSet<PathBuf>,
) -> Result<()> {
    for warning in &transcript.warnings {
        super::write(&mut std::io::stderr(), &format!("{input}: {warning}\n"));
    }
    zh::convert(&mut transcript, shape.script);
    let text = render(&transcript, shape.format, &shape.layout);
    let Some(output) = &args.output else {
        if !text.is_empty() {
            print(text.trim_end_matches('\n'));
        }
        return Ok(());
    };
    let file = if args.inputs.len() > 1 || output.is_dir() {
        named(output, input, shape.format, written)?
    } else {
        output.clone()
    };
    std::fs::write(&file, text).map_err(|error| {
        Error::new(Code::Io, format!("{} cannot be written", file.display()))
            .with_hint("Check the path and its permissions.")
            .with_source(error)
    })
}

/// `folder/<the input's name>.srt`; inputs of the same name are numbered.
fn named(folder: &Path, input: &str, format: Format, written: &mut HashSet<PathBuf>) -> Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    // A link's query can be longer than any file name may be.
    let is_link = input.contains("://");
    let plain = if is_link { input.split(['?', '#']).next().unwrap_or_default() } else { input };
    let stem = Path::new(plain).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let clean = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let safe: String = stem.chars().take(60).map(clean).collect();
    let (stem, extension) = (safe.trim_start_matches('.'), format.extension());
    let stem = if stem.is_empty() { "transcript" } else { stem };
    let mut file = folder.join(format!("{stem}.{extension}"));
    for number in 2.. {
        if written.insert(file.clone()) {
            break;
        }
        file = folder.join(format!("{stem}-{number}.{extension}"));
    }
    Ok(file)
}
