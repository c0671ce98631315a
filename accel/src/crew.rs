//! The threads of one backend, which is one state of whisper.cpp: several compute at the same time in one process.

use std::{
    ops::Range,
    sync::atomic::{AtomicUsize, Ordering},
};

use rayon::{ThreadPool, ThreadPoolBuilder};

/// Threads that sleep between two products, and room for each to convert numbers.
#[derive(Default)]
pub(crate) struct Crew {
    /// The others beside the caller; none before they are needed.
    others: Option<ThreadPool>,
    desks: Vec<Desk>,
    /// Room for a result that must not be where it belongs before all have done their share.
    pub(crate) spare: Vec<f32>,
}

/// One thread's room for the block that it is working on; it grows to the largest one.
#[derive(Default)]
pub(crate) struct Desk {
    pub(crate) weights: Vec<f32>,
    pub(crate) inputs: Vec<f32>,
    pub(crate) values: Vec<f32>,
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

    /// Does so many shares of a work, each once, on whatever thread is free for it.
    pub(crate) fn share(&mut self, shares: usize, job: impl Fn(usize, &mut Desk) + Sync) {
        if self.desks.is_empty() {
            self.desks.push(Desk::default());
        }
        let next = AtomicUsize::new(0);
        let work = |desk: &mut Desk| {
            loop {
                let share = next.fetch_add(1, Ordering::Relaxed);
                if share >= shares {
                    return;
                }
                job(share, desk);
            }
        };
        match (&self.others, self.desks.split_first_mut()) {
            (Some(pool), Some((own, others))) => pool.in_place_scope(|scope| {
                for desk in others {
                    scope.spawn(|_| work(desk));
                }
                work(own);
            }),
            (_, Some((own, _))) => work(own),
            (_, None) => {}
        }
    }
}

/// One of so many equal parts of a range.
pub(crate) fn part(size: usize, index: usize, parts: usize) -> Range<usize> {
    size * index / parts..size * (index + 1) / parts
}
