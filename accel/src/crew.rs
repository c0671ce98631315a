//! The threads of one backend, which is one state of whisper.cpp: several compute at the same time in one process.

use rayon::{ThreadPool, ThreadPoolBuilder};

/// Threads that sleep between two products, and room for each to convert numbers.
#[derive(Default)]
pub(crate) struct Crew {
    /// The others beside the caller; none before they are needed.
    others: Option<ThreadPool>,
    desks: Vec<Desk>,
}

/// One thread's room for the block that it is working on; it grows to the largest one.
#[derive(Default)]
pub(crate) struct Desk {
    pub(crate) weights: Vec<f32>,
    pub(crate) inputs: Vec<f32>,
}

impl Crew {
    /// Says how many threads compute, the caller's one included. Where the system has no more, fewer do.
    pub(crate) fn set_threads(&mut self, threads: usize) {
        let threads = threads.max(1);
        if threads == self.threads() {
            return;
        }
        let name = |index| format!("accel-{index}");
        let build = || ThreadPoolBuilder::new().num_threads(threads - 1).thread_name(name).build().ok();
        self.others = if threads > 1 { build() } else { None };
        let threads = if self.others.is_some() { threads } else { 1 };
        self.desks.resize_with(threads, Desk::default);
    }

    /// How many threads compute.
    pub(crate) fn threads(&self) -> usize {
        self.desks.len().max(1)
    }

    /// Lets every thread do the same at its own desk, and waits for all.
    pub(crate) fn work(&mut self, job: impl Fn(&mut Desk) + Sync) {
        if self.desks.is_empty() {
            self.desks.push(Desk::default());
        }
        match (&self.others, self.desks.split_first_mut()) {
            (Some(pool), Some((own, others))) => pool.in_place_scope(|scope| {
                for desk in others {
                    scope.spawn(|_| job(desk));
                }
                job(own);
            }),
            (_, Some((own, _))) => job(own),
            (_, None) => {}
        }
    }
}
