//! A child's process group, which one thread waits for and others may signal.
//!
//! A signal can never hit a stranger: the number is forgotten, under the same lock, before the child is reaped.

use std::{
    io,
    process::{Child, ExitStatus},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not started yet.
    Ahead,
    /// Somebody wanted it stopped before it was started.
    Unwanted,
    /// Running, or dead and not yet reaped.
    Running(libc::pid_t),
    /// Reaped.
    Gone,
}

/// A handle to a process group that is started once.
#[derive(Clone, Debug)]
pub(crate) struct Group(Arc<Mutex<State>>);

impl Group {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(State::Ahead)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner) // the state is one word: it cannot be half written
    }

    /// Whether somebody wanted it stopped already.
    pub(crate) fn is_unwanted(&self) -> bool {
        *self.state() == State::Unwanted
    }

    /// The child runs, as the leader of its own group.
    pub(crate) fn started(&self, child: &Child) {
        let Ok(pid) = libc::pid_t::try_from(child.id()) else { return };
        let mut state = self.state();
        if *state == State::Unwanted {
            kill(pid, libc::SIGKILL);
        }
        *state = State::Running(pid);
    }

    /// Signals the whole group, or keeps it from being started.
    pub(crate) fn signal(&self, signal: libc::c_int) {
        let mut state = self.state();
        match *state {
            State::Ahead => *state = State::Unwanted,
            State::Running(pid) => kill(pid, signal),
            State::Unwanted | State::Gone => {}
        }
    }

    /// Waits for the child's end, kills whatever else is left in its group, and reaps it.
    pub(crate) fn reap(&self, child: &mut Child) -> io::Result<ExitStatus> {
        wait_for_end(child.id());
        let mut state = self.state();
        if let State::Running(pid) = *state {
            kill(pid, libc::SIGKILL);
        }
        *state = State::Gone;
        child.wait()
    }
}

/// Waits without reaping, so that the number stays taken.
fn wait_for_end(pid: u32) {
    loop {
        // SAFETY: all zeroes is a valid `siginfo_t`, and the pointer is to that local.
        let result = unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            libc::waitid(libc::P_PID, pid, &raw mut info, libc::WEXITED | libc::WNOWAIT)
        };
        if result == 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return;
        }
    }
}

fn kill(leader: libc::pid_t, signal: libc::c_int) {
    // SAFETY: a system call with two numbers; the leader is not reaped, so the group's number is its own. A group that
    // is already empty gives ESRCH, which is what we want of it.
    unsafe { libc::kill(-leader, signal) };
}
