//! Starting, feeding and ending one engine process.

use std::{
    collections::VecDeque,
    os::unix::process::ExitStatusExt,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    sync::mpsc,
};

use super::Settings;
use crate::{
    error::{Code, Error, Result},
    transcribe::{models::ModelRef, protocol::Request},
};

/// How many of the last lines on stderr are logged after a crash.
const TAIL: usize = 20;
/// How long a process gets to exit by itself.
const PATIENCE: Duration = Duration::from_secs(2);

/// A running engine process. Dropping it kills it.
pub(super) struct Process {
    child: Child,
    /// What it says, line by line.
    pub(super) lines: Lines<BufReader<ChildStdout>>,
    requests: mpsc::UnboundedSender<Request>,
    tail: Arc<Mutex<VecDeque<String>>>,
}

impl Process {
    pub(super) fn start(settings: &Settings, model: &ModelRef) -> Result<Self> {
        let mut command = Command::new(&settings.program);
        command
            .arg("engine")
            .arg("--model")
            .arg(&model.path)
            .args(["--model-name", &model.name, "--device", &settings.device])
            .args(["--slots", &settings.slots.to_string(), "--threads", &settings.threads.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let failed = || Error::new(Code::EngineFailed, "The recognition process could not be started");
        let mut child = command.spawn().map_err(|error| failed().with_source(error))?;
        let (Some(mut stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(failed());
        };
        let (requests, mut queue) = mpsc::unbounded_channel::<Request>();
        // Its own task, so that a process which does not read cannot hold up the supervisor. It ends, and closes stdin,
        // when the sender is dropped.
        tokio::spawn(async move {
            while let Some(request) = queue.recv().await {
                let Ok(mut line) = serde_json::to_vec(&request) else { continue };
                line.push(b'\n');
                if stdin.write_all(&line).await.is_err() {
                    return; // The end of stdout tells the supervisor.
                }
            }
        });
        let tail = Arc::new(Mutex::new(VecDeque::new()));
        tokio::spawn(drain(stderr, tail.clone()));
        Ok(Self { child, lines: BufReader::new(stdout).lines(), requests, tail })
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    pub(super) fn send(&self, request: Request) {
        // When the writer is gone, so is the process, and the end of stdout tells.
        let _ = self.requests.send(request);
    }

    /// Ends a process that has nothing to do.
    pub(super) async fn stop(mut self) {
        self.send(Request::Shutdown);
        if tokio::time::timeout(PATIENCE, self.child.wait()).await.is_err() {
            self.kill().await;
        }
    }

    /// Ends a process at once.
    pub(super) async fn kill(&mut self) {
        if let Err(error) = self.child.kill().await {
            tracing::warn!(%error, "An engine process could not be killed");
        }
    }

    /// How a process ended that closed its stdout; it is killed when it goes on without it.
    pub(super) async fn end(&mut self) -> String {
        match tokio::time::timeout(PATIENCE, self.child.wait()).await {
            Ok(Ok(status)) => describe(status),
            _ => {
                self.kill().await;
                "stopped answering".to_owned()
            }
        }
    }

    /// The last lines that it wrote to stderr.
    pub(super) fn tail(&self) -> String {
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
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

fn describe(status: ExitStatus) -> String {
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

/// Bytes of main memory that a process uses.
pub(super) fn memory(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1_024)
}
