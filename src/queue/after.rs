//! What is told once a transaction is committed.

use super::{Queue, Stop};
use crate::{
    domain::{Lane, StepKind, TaskId},
    store::StepRow,
};

/// What a transaction has brought about that others should hear of, collected while it is open.
#[derive(Default)]
pub(super) struct After {
    lanes: Vec<Lane>,
    every_lane: bool,
    stops: Vec<Stop>,
}

impl After {
    /// Rows of this lane may start.
    pub fn ready(&mut self, lane: Lane) {
        if !self.lanes.contains(&lane) {
            self.lanes.push(lane);
        }
    }

    /// A row has left its lane. What held others back in front of recognition may do so no longer.
    pub fn left(&mut self, row: &StepRow) {
        match row.step.kind.lane() {
            Lane::Net | Lane::Cpu | Lane::Gpu => self.every_lane = true,
            Lane::Deliver | Lane::Flow | Lane::Llm => self.ready(row.step.lane),
        }
    }

    /// Rows of these kinds may start, wherever they wait.
    pub fn started(&mut self, kinds: impl IntoIterator<Item = StepKind>) {
        for kind in kinds {
            self.ready(kind.lane());
            // A decision may come first.
            self.ready(Lane::Flow);
        }
    }

    /// These steps of a task should stop; with none of them, the task has ended and nothing of it runs.
    pub fn stop(&mut self, task: TaskId, steps: Vec<String>) {
        self.every_lane = true;
        self.stops.push(Stop { task, steps });
    }

    /// Rows may start in any lane.
    pub fn anything(&mut self) {
        self.every_lane = true;
    }
}

impl Queue {
    /// Tells everyone in this process what was committed.
    pub(super) fn announce(&self, after: After) {
        self.wake.event();
        if after.every_lane {
            self.wake.lanes();
        } else {
            after.lanes.into_iter().for_each(|lane| self.wake.lane(lane));
        }
        after.stops.into_iter().for_each(|stop| self.wake.stop(stop));
    }
}
