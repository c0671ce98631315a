//! The owner of an engine process: who runs next, when to start it, when to end it.
//!
//! Jobs run in the order in which they came. A job for another model waits until the process is idle, and jobs behind
//! it wait too, so nobody starves. Callers may rely on every submitted job getting exactly one end.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::{Facts, Settings, process::Process, shutting_down};
use crate::{
    error::{Code, Error, Result},
    transcribe::{
        engine::{Ask, Heard, Recognised, Window},
        models::ModelRef,
        protocol::{Event, Request},
    },
};

/// How long the process gets to stop a cancelled job. whisper.cpp can be inside a long encoder pass.
const ABORT_PATIENCE: Duration = Duration::from_millis(900);
/// The wait before the first restart after a failure; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// To the supervisor.
pub(super) enum Command {
    /// A new job.
    Submit(Box<Pending>),
    /// Stop this job.
    Cancel(u64),
    /// Stop everything.
    Shutdown(oneshot::Sender<()>),
}

/// To whoever waits for a job.
pub(super) enum Message {
    /// On the way.
    Event(Heard),
    /// The last one.
    End(Box<Result<End>>),
}

/// What came of a window.
pub(super) enum End {
    /// Of a `detect`.
    Languages(Vec<(String, f32)>),
    /// Of a `recognise`.
    Recognised(Recognised),
}

/// A window that waits for its turn.
pub(super) struct Pending {
    pub(super) id: u64,
    pub(super) window: Window,
    /// What to make of it; none asks for its language.
    pub(super) ask: Option<Ask>,
    pub(super) reply: mpsc::UnboundedSender<Message>,
}

/// A job in the process.
struct Active {
    /// None once the end was told, while the process has not let go of its slot yet.
    reply: Option<mpsc::UnboundedSender<Message>>,
    last_sign: Instant,
    cancelled: Option<Instant>,
}

impl Active {
    fn end(&mut self, result: Result<End>) {
        if let Some(reply) = self.reply.take() {
            // Nobody there to hear it is fine.
            let _ = reply.send(Message::End(Box::new(result)));
        }
    }
}

struct Running {
    model: ModelRef,
    process: Process,
    jobs: HashMap<u64, Active>,
    idle_since: Instant,
}

pub(super) struct Supervisor {
    settings: Settings,
    facts: Arc<Mutex<Facts>>,
    waiting: VecDeque<Pending>,
    running: Option<Running>,
    /// Failures in a row, and until when to wait because of them.
    failures: u32,
    not_before: Instant,
}

impl Supervisor {
    pub(super) fn new(settings: Settings, facts: Arc<Mutex<Facts>>) -> Self {
        let (waiting, running) = (VecDeque::new(), None);
        Self { settings, facts, waiting, running, failures: 0, not_before: Instant::now() }
    }

    /// Works until it is told to stop, or until the handle is dropped; the process then dies with this task.
    pub(super) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        loop {
            self.advance().await;
            self.publish();
            let wake = self.next_deadline();
            tokio::select! {
                command = commands.recv() => match command {
                    Some(Command::Submit(pending)) => self.waiting.push_back(*pending),
                    Some(Command::Cancel(id)) => self.cancel(id),
                    Some(Command::Shutdown(done)) => {
                        // From here on submitting fails.
                        commands.close();
                        self.shut_down(commands).await;
                        // Whoever asked may have stopped waiting.
                        let _ = done.send(());
                        return;
                    }
                    None => return,
                },
                line = next_line(&mut self.running) => self.hear(line).await,
                () = sleep_until(wake) => self.on_time().await,
            }
        }
    }

    /// Starts, replaces and feeds the process as far as that goes now.
    async fn advance(&mut self) {
        while let Some(head) = self.waiting.front() {
            if head.reply.is_closed() {
                self.waiting.pop_front();
                continue;
            }
            match &mut self.running {
                None if Instant::now() < self.not_before => return,
                None => match Process::start(&self.settings, &head.window.model) {
                    Ok(process) => {
                        let (model, idle_since) = (head.window.model.clone(), Instant::now());
                        tracing::info!(model = model.name, device = self.settings.device, "An engine starts");
                        if self.failures > 0 {
                            self.facts().status.restarts += 1;
                        }
                        self.running = Some(Running { model, process, jobs: HashMap::new(), idle_since });
                    }
                    Err(error) => {
                        if let Some(head) = self.waiting.pop_front() {
                            let _ = head.reply.send(Message::End(Box::new(Err(error))));
                        }
                    }
                },
                Some(running) if running.model != head.window.model => {
                    if !running.jobs.is_empty() {
                        return;
                    }
                    self.stop().await;
                }
                Some(running) => {
                    if running.jobs.len() >= self.settings.slots {
                        return;
                    }
                    let Some(Pending { id, window, ask, reply }) = self.waiting.pop_front() else { return };
                    let Window { pcm, range, .. } = window;
                    running.process.send(match ask {
                        None => Request::Detect { id, pcm, range },
                        Some(Ask { language, previous, options }) => {
                            Request::Recognise { id, pcm, range, language, previous, options }
                        }
                    });
                    let active = Active { reply: Some(reply), last_sign: Instant::now(), cancelled: None };
                    running.jobs.insert(id, active);
                }
            }
        }
    }

    fn cancel(&mut self, id: u64) {
        if let Some(at) = self.waiting.iter().position(|pending| pending.id == id)
            && let Some(pending) = self.waiting.remove(at)
        {
            let _ = pending.reply.send(Message::End(Box::new(Err(cancelled()))));
        }
        if let Some(running) = &mut self.running
            && let Some(active) = running.jobs.get_mut(&id)
            && active.cancelled.is_none()
        {
            active.cancelled = Some(Instant::now());
            running.process.send(Request::Abort { id });
        }
    }

    /// Takes a line of the process, or its end.
    async fn hear(&mut self, line: std::io::Result<Option<String>>) {
        let event = match line {
            Ok(Some(line)) => serde_json::from_str(&line),
            Ok(None) | Err(_) => return self.lost(None).await,
        };
        let Ok(event) = event else {
            return self.lost(Some("sent something that makes no sense".to_owned())).await;
        };
        let Some(running) = &mut self.running else { return };
        let now = Instant::now();
        let (id, end) = match event {
            Event::Ready { engine, .. } => {
                tracing::info!(model = running.model.name, engine, "An engine is ready");
                running.jobs.values_mut().for_each(|active| active.last_sign = now);
                return;
            }
            Event::Unusable { code, detail } => {
                let error = || Error::new(Code::from_word(&code), detail.clone());
                tracing::warn!(model = running.model.name, detail, "A model cannot be used");
                running.jobs.values_mut().for_each(|active| active.end(Err(error())));
                return self.stop().await;
            }
            Event::Progress { id, value } => return self.pass_on(id, Heard::Alive(value)),
            Event::Segment { id, segment } => return self.pass_on(id, Heard::Segment(segment)),
            Event::Languages { id, probabilities } => (id, Ok(End::Languages(probabilities))),
            Event::Done { id, inference_ms, warnings } => {
                self.failures = 0;
                (id, Ok(End::Recognised(Recognised { inference_ms, warnings })))
            }
            Event::Failed { id, code, detail } => (id, Err(Error::new(Code::from_word(&code), detail))),
        };
        if let Some(mut active) = running.jobs.remove(&id) {
            active.end(if active.cancelled.is_some() { Err(cancelled()) } else { end });
            running.idle_since = now;
        }
    }

    fn pass_on(&mut self, id: u64, event: Heard) {
        let Some(active) = self.running.as_mut().and_then(|running| running.jobs.get_mut(&id)) else { return };
        active.last_sign = Instant::now();
        let abandoned = active.reply.as_ref().is_some_and(|reply| reply.send(Message::Event(event)).is_err());
        if abandoned {
            self.cancel(id);
        }
    }

    /// When [`Self::on_time`] has something to do.
    fn next_deadline(&self) -> Option<Instant> {
        match &self.running {
            None => (!self.waiting.is_empty()).then_some(self.not_before),
            Some(running) if running.jobs.is_empty() => Some(running.idle_since + self.settings.idle_unload),
            Some(running) => running.jobs.values().map(|active| self.patience(active)).min(),
        }
    }

    fn patience(&self, active: &Active) -> Instant {
        let hangs = active.last_sign + self.settings.hang_timeout;
        match active.cancelled {
            Some(since) if active.reply.is_some() => hangs.min(since + ABORT_PATIENCE),
            _ => hangs,
        }
    }

    async fn on_time(&mut self) {
        let now = Instant::now();
        let (hang_timeout, idle_unload) = (self.settings.hang_timeout, self.settings.idle_unload);
        let Some(running) = &mut self.running else { return };
        if running.jobs.is_empty() {
            if now >= running.idle_since + idle_unload {
                tracing::info!(model = running.model.name, "An unused engine gives its memory back");
                self.stop().await;
            }
            return;
        }
        if running.jobs.values().any(|active| now >= active.last_sign + hang_timeout) {
            let detail = format!("said nothing for {} seconds and was ended", hang_timeout.as_secs_f32());
            return self.lost(Some(detail)).await;
        }
        for active in running.jobs.values_mut() {
            if active.cancelled.is_some_and(|since| now >= since + ABORT_PATIENCE) {
                active.end(Err(cancelled()));
            }
        }
        // A process that works for nobody any more is not waited for; with others in it, it finishes its pass.
        if running.jobs.values().all(|active| active.reply.is_none()) {
            running.process.kill().await;
            self.running = None;
        }
    }

    /// The process is gone, or has to go: the jobs in it fail, everything else stays.
    async fn lost(&mut self, reason: Option<String>) {
        let Some(mut running) = self.running.take() else { return };
        let how = match reason {
            Some(reason) => {
                running.process.kill().await;
                reason
            }
            None => running.process.end().await,
        };
        self.failures = self.failures.saturating_add(1);
        let wait = FIRST_WAIT.saturating_mul(1 << (self.failures - 1).min(10)).min(LONGEST_WAIT);
        self.not_before = Instant::now() + wait;
        tracing::error!(
            model = running.model.name,
            jobs = running.jobs.len(),
            stderr = running.process.tail(),
            "An engine process {how}"
        );
        for active in running.jobs.values_mut() {
            let crashed = || Error::new(Code::EngineCrashed, format!("The recognition process {how}"));
            active.end(Err(if active.cancelled.is_some() { cancelled() } else { crashed() }));
        }
    }

    async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.process.stop().await;
        }
    }

    async fn shut_down(&mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        while let Ok(command) = commands.try_recv() {
            if let Command::Submit(pending) = command {
                self.waiting.push_back(*pending);
            }
        }
        for pending in self.waiting.drain(..) {
            let _ = pending.reply.send(Message::End(Box::new(Err(shutting_down()))));
        }
        if let Some(mut running) = self.running.take() {
            running.process.kill().await;
            for active in running.jobs.values_mut() {
                active.end(Err(shutting_down()));
            }
        }
        self.publish();
    }

    fn facts(&self) -> std::sync::MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self) {
        let mut facts = self.facts();
        facts.pid = self.running.as_ref().and_then(|running| running.process.pid());
        facts.status.model = self.running.as_ref().map(|running| running.model.name.clone());
        facts.status.busy = self.running.as_ref().map_or(0, |running| running.jobs.len());
    }
}

fn cancelled() -> Error {
    Error::new(Code::Cancelled, "The transcription was cancelled")
}

/// The next line of the process; never, when there is none.
async fn next_line(running: &mut Option<Running>) -> std::io::Result<Option<String>> {
    match running {
        Some(running) => running.process.lines.next_line().await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
