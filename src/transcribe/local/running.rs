//! One engine at work: its windows, and how long it may be silent.

use std::{collections::HashMap, time::Duration};

use tokio::{sync::mpsc, time::Instant};

use super::{memory::Need, placement::WindowId, process::Process};
use crate::{
    error::{Code, Error, Result},
    transcribe::{
        engine::{Ask, Detected, Heard, Recognised, Window},
        models::{ModelInfo, ModelRef},
        protocol::Request,
    },
};

/// How long the process gets to stop a cancelled window. whisper.cpp can be inside a long encoder pass.
const ABORT_PATIENCE: Duration = Duration::from_millis(900);
/// How long an engine that has become idle is spared when its memory is wanted.
const REST: Duration = Duration::from_millis(250);

/// To whoever waits for a window.
pub(super) enum Message {
    /// On the way.
    Event(Heard),
    /// The last one.
    End(Box<Result<End>>),
}

/// What came of a window.
pub(super) enum End {
    /// Of a `detect`.
    Languages(Detected),
    /// Of a `recognise`.
    Recognised(Recognised),
}

/// Where the messages about a window go.
pub(super) type Reply = mpsc::UnboundedSender<Message>;

/// A window that waits for its turn.
pub(super) struct Pending {
    pub(super) window: Window,
    /// What to make of it; none asks for its language.
    pub(super) ask: Option<Ask>,
    /// What its model's file says; none when it could not be read, of which the engine will say more.
    pub(super) info: Option<ModelInfo>,
    pub(super) reply: Reply,
}

impl Pending {
    pub(super) fn end(self, result: Result<End>) {
        // Nobody there to hear it is fine.
        let _ = self.reply.send(Message::End(Box::new(result)));
    }
}

/// A window in the process.
struct Active {
    /// None once the end was told, while the process has not let go of its slot yet.
    reply: Option<Reply>,
    /// Why it is on this device and no other.
    warning: Option<String>,
    last_sign: Instant,
    cancelled: Option<Instant>,
}

impl Active {
    fn end(&mut self, result: Result<End>) {
        if let Some(reply) = self.reply.take() {
            let result = if self.cancelled.is_some() { Err(cancelled()) } else { result };
            let _ = reply.send(Message::End(Box::new(result)));
        }
    }
}

/// What an engine's clock says.
pub(super) enum Alarm {
    /// It has been silent for too long.
    Hangs,
    /// Nobody waits for what it does any more.
    Abandoned,
    /// It was idle for a moment, or for as long as it may.
    Idle { unload: bool },
}

/// An engine process and the windows in it.
pub(super) struct Running {
    pub(super) model: ModelRef,
    pub(super) process: Process,
    /// An estimate.
    pub(super) need: Need,
    /// Why it should not be there.
    pub(super) problem: Option<String>,
    jobs: HashMap<WindowId, Active>,
    /// The most windows that it had at the same time.
    most: usize,
    /// When it was started, became idle or gave a sign of life.
    since: Instant,
}

impl Running {
    pub(super) fn new(model: ModelRef, process: Process, need: Need) -> Self {
        Self { model, process, need, problem: None, jobs: HashMap::new(), most: 0, since: Instant::now() }
    }

    /// Hands a window over.
    pub(super) fn take(&mut self, id: WindowId, pending: Pending, warning: Option<String>) {
        let Window { pcm, range, .. } = pending.window;
        self.process.send(match pending.ask {
            None => Request::Detect { id, pcm, range },
            Some(Ask { language, previous, options }) => {
                Request::Recognise { id, pcm, range, language, previous, options }
            }
        });
        let active = Active { reply: Some(pending.reply), warning, last_sign: Instant::now(), cancelled: None };
        self.jobs.insert(id, active);
        self.most = self.most.max(self.jobs.len());
    }

    /// Passes on what is heard of a window.
    pub(super) fn pass_on(&mut self, id: WindowId, event: Heard) {
        let Some(active) = self.jobs.get_mut(&id) else { return };
        active.last_sign = Instant::now();
        if active.reply.as_ref().is_some_and(|reply| reply.send(Message::Event(event)).is_err()) {
            self.abort(id);
        }
    }

    /// Asks for the end of a window.
    pub(super) fn abort(&mut self, id: WindowId) {
        if let Some(active) = self.jobs.get_mut(&id)
            && active.cancelled.is_none()
        {
            active.cancelled = Some(Instant::now());
            self.process.send(Request::Abort { id });
        }
    }

    /// The end of a window. Says whether it was here.
    pub(super) fn finish(&mut self, id: WindowId, mut result: Result<End>) -> bool {
        let Some(mut active) = self.jobs.remove(&id) else { return false };
        if let Ok(End::Recognised(recognised)) = &mut result {
            recognised.is_makeshift |= active.warning.is_some();
            recognised.warnings.extend(active.warning.take());
        }
        active.end(result);
        self.since = Instant::now();
        true
    }

    /// Ends every window with an error, since the process is gone or has to go.
    pub(super) fn fail(&mut self, error: impl Fn() -> Error) -> usize {
        let failed = self.jobs.drain().map(|(_, mut active)| active.end(Err(error())));
        failed.count()
    }

    /// Bytes of main memory that it has taken so far, with what slots that never worked will take.
    pub(super) fn measured(&self, slots: usize) -> Option<u64> {
        let peak = self.process.pid.and_then(super::memory::peak)?;
        Some(peak.saturating_add(Need { fixed: 0, ..self.need }.total(slots.saturating_sub(self.most))))
    }

    /// The model is loaded.
    pub(super) fn is_ready(&mut self) {
        self.since = Instant::now();
    }

    /// When [`Self::alarm`] has something to say. `loading`: the model is not there yet; `rests`: whether it is spared
    /// for a moment; `unload`: when it is to go if it stays idle.
    pub(super) fn deadline(
        &self,
        loading: bool,
        rests: bool,
        hang: Duration,
        unload: Option<Duration>,
    ) -> Option<Instant> {
        if loading {
            return Some(self.since + hang);
        }
        if self.jobs.is_empty() {
            return if rests { Some(self.since + REST) } else { unload.map(|unload| self.since + unload) };
        }
        let patience = |active: &Active| match active.cancelled {
            Some(since) if active.reply.is_some() => (active.last_sign + hang).min(since + ABORT_PATIENCE),
            _ => active.last_sign + hang,
        };
        self.jobs.values().map(patience).min()
    }

    /// What is to be done now, after the deadline. Cancelled windows that were waited for long enough end here.
    pub(super) fn alarm(&mut self, loading: bool, hang: Duration, unload: Option<Duration>) -> Option<Alarm> {
        let now = Instant::now();
        if loading {
            return (now >= self.since + hang).then_some(Alarm::Hangs);
        }
        if self.jobs.is_empty() {
            let unload = unload.is_some_and(|unload| now >= self.since + unload);
            return (now >= self.since + REST || unload).then_some(Alarm::Idle { unload });
        }
        if self.jobs.values().any(|active| now >= active.last_sign + hang) {
            return Some(Alarm::Hangs);
        }
        for active in self.jobs.values_mut() {
            if active.cancelled.is_some_and(|since| now >= since + ABORT_PATIENCE) {
                active.end(Err(cancelled()));
            }
        }
        // A process that works for nobody any more is not waited for; with others in it, it finishes its pass.
        self.jobs.values().all(|active| active.reply.is_none()).then_some(Alarm::Abandoned)
    }
}

pub(super) fn cancelled() -> Error {
    Error::new(Code::Cancelled, "The transcription was cancelled")
}
