//! Starting, feeding and ending one engine process.
//!
//! A task owns the process and reports what it says, so that nothing which it does, or fails to do, holds up whoever
//! decides. Callers may rely on [`Said::Ended`] being reported once, last, whatever happens.

use std::{
    collections::VecDeque,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::mpsc,
    time::timeout,
};

use super::placement::EngineId;
use crate::{
    error::{Code, Error, Result},
    transcribe::{
        models::ModelRef,
        protocol::{Event, Request},
    },
};

/// How many of the last lines on stderr are logged after a crash.
const TAIL: usize = 20;
/// How often a waiting OpenMP thread looks before it sleeps: some tens of microseconds, longer than the usual wait for the
/// other threads, far shorter than the time slice that somebody else may have. Measured: docs/benchmarks.md.
const SPINS: &str = "1000";
/// How long a process gets to exit by itself.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a killed process may take to vanish; a driver can hold it longer, and nothing helps then.
const LAST_PATIENCE: Duration = Duration::from_secs(10);

/// What a process reports.
pub(super) enum Said {
    /// A line.
    Event(Event),
    /// It is gone; how, as the end of a sentence that begins with the process.
    Ended(String),
}

/// Where processes report to.
pub(super) type Ear = mpsc::Sender<(EngineId, Said)>;

/// What a process is started with.
pub(super) struct Launch<'a> {
    pub(super) program: &'a Path,
    pub(super) model: &'a ModelRef,
    pub(super) device: &'a str,
    pub(super) slots: usize,
    pub(super) threads: usize,
    pub(super) short_context: bool,
}

/// The handle to a running process. Dropping it kills the process.
pub(super) struct Process {
    pub(super) pid: Option<u32>,
    requests: mpsc::UnboundedSender<Request>,
    stops: mpsc::UnboundedSender<Stop>,
    tail: Arc<Mutex<VecDeque<String>>>,
}

enum Stop {
    Gently,
    AtOnce,
}

impl Process {
    pub(super) fn start(launch: &Launch<'_>, id: EngineId, ear: Ear) -> Result<Self> {
        let mut command = Command::new(launch.program);
        command
            .arg("engine")
            .arg("--model")
            .arg(&launch.model.path)
            .args(["--model-name", &launch.model.name, "--device", launch.device])
            .args(["--slots", &launch.slots.to_string(), "--threads", &launch.threads.to_string()])
            .args(launch.short_context.then_some("--short-context"))
            .envs(std::env::var_os("GOMP_SPINCOUNT").is_none().then_some(("GOMP_SPINCOUNT", SPINS)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let failed = || Error::new(Code::EngineFailed, "The recognition process could not be started");
        let mut child = command.spawn().map_err(|error| failed().with_source(error))?;
        let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(failed());
        };
        let (requests, queue) = mpsc::unbounded_channel();
        let (stops, orders) = mpsc::unbounded_channel();
        let tail = Arc::default();
        let pid = child.id();
        tokio::spawn(write(stdin, queue));
        tokio::spawn(drain(stderr, Arc::clone(&tail)));
        tokio::spawn(watch(child, stdout, orders, id, ear));
        Ok(Self { pid, requests, stops, tail })
    }

    pub(super) fn send(&self, request: Request) {
        // When the writer is gone, so is the process, and its end is reported.
        let _ = self.requests.send(request);
    }

    /// Ends a process that has nothing to do.
    pub(super) fn stop(&self) {
        self.send(Request::Shutdown);
        let _ = self.stops.send(Stop::Gently);
    }

    /// Ends a process at once.
    pub(super) fn kill(&self) {
        let _ = self.stops.send(Stop::AtOnce);
    }

    /// The last lines that it wrote to stderr.
    pub(super) fn tail(&self) -> String {
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

/// Its own task, so that a process which does not read holds up nobody. It ends, and closes stdin, with the handle.
async fn write(mut stdin: ChildStdin, mut queue: mpsc::UnboundedReceiver<Request>) {
    while let Some(request) = queue.recv().await {
        let Ok(mut line) = serde_json::to_vec(&request) else { continue };
        line.push(b'\n');
        if stdin.write_all(&line).await.is_err() {
            return;
        }
    }
}

async fn watch(
    mut child: Child,
    stdout: ChildStdout,
    mut orders: mpsc::UnboundedReceiver<Stop>,
    id: EngineId,
    ear: Ear,
) {
    let mut lines = BufReader::new(stdout).lines();
    let how = loop {
        tokio::select! {
            line = lines.next_line() => match line {
                Ok(Some(line)) => match serde_json::from_str(&line) {
                    Ok(event) => {
                        if ear.send((id, Said::Event(event))).await.is_err() {
                            break kill(&mut child).await;
                        }
                    }
                    Err(_) => {
                        kill(&mut child).await;
                        break "sent something that makes no sense".to_owned();
                    }
                },
                Ok(None) | Err(_) => break end(&mut child, &mut orders, "stopped answering").await,
            },
            stop = orders.recv() => break match stop {
                Some(Stop::Gently) => end(&mut child, &mut orders, "did not stop and was ended").await,
                Some(Stop::AtOnce) | None => kill(&mut child).await,
            },
        }
    };
    // Nobody there to hear it is fine.
    let _ = ear.send((id, Said::Ended(how))).await;
}

/// How a process ends that has reason to; it is killed when it goes on nevertheless.
async fn end(child: &mut Child, orders: &mut mpsc::UnboundedReceiver<Stop>, otherwise: &str) -> String {
    let told = async { while let Some(Stop::Gently) = orders.recv().await {} };
    let ended = tokio::select! {
        ended = timeout(PATIENCE, child.wait()) => ended.ok().and_then(Result::ok),
        () = told => None,
    };
    match ended {
        Some(status) => describe(status),
        None => {
            kill(child).await;
            otherwise.to_owned()
        }
    }
}

async fn kill(child: &mut Child) -> String {
    match timeout(LAST_PATIENCE, child.kill()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "An engine process could not be killed"),
        Err(_) => tracing::error!(pid = child.id(), "An engine process does not die, and keeps its memory"),
    }
    "was ended".to_owned()
}

async fn drain(stderr: impl AsyncRead + Unpin, tail: Arc<Mutex<VecDeque<String>>>) {
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    while matches!(reader.read_until(b'\n', &mut line).await, Ok(1..)) {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        line.clear();
        tracing::debug!(target: "trawl::engine", "{text}");
        let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        if tail.len() == TAIL {
            tail.pop_front();
        }
        tail.push_back(text);
    }
}

/// How a process ended, as the end of a sentence.
pub(super) fn describe(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => match name(signal) {
            Some(name) => format!("was ended by signal {signal} ({name})"),
            None => format!("was ended by signal {signal}"),
        },
        (None, Some(code)) => format!("exited with status {code}"),
        (None, None) => "ended".to_owned(),
    }
}

fn name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGILL => "SIGILL: this CPU lacks an instruction that the program was built for",
        libc::SIGKILL => "SIGKILL, perhaps for want of memory",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGTERM => "SIGTERM",
        _ => return None,
    })
}
