//! The model: what a workflow does, without a database, without time.

use std::collections::BTreeMap;

use super::case::{Case, Step};
use crate::domain::{StepState, TaskStatus};

/// How a try ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    Done,
    Skipped,
    /// The decision is made, the work is done in another lane.
    Chosen,
    Listed,
    Passing,
    ForGood,
    /// Back to the queue without a loss.
    Back,
}

#[derive(Clone, Debug)]
pub(super) struct Model {
    pub case: Case,
    pub states: BTreeMap<String, StepState>,
    pub status: TaskStatus,
    /// Whether a step has failed the task and those of `on_error` are at work.
    failing: bool,
    /// The tries that have failed of each row.
    failed: BTreeMap<String, i64>,
    /// Results that were committed.
    pub committed: BTreeMap<String, usize>,
}

fn has_ended(state: StepState) -> bool {
    matches!(state, StepState::Succeeded | StepState::Skipped | StepState::Failed)
}

impl Model {
    pub fn new(case: Case) -> Self {
        let states = case.steps.iter().map(|step| (step.key.clone(), StepState::Blocked)).collect();
        let (failed, committed) = (BTreeMap::new(), BTreeMap::new());
        let mut model = Self { case, states, status: TaskStatus::Queued, failing: false, failed, committed };
        model.go_on();
        model
    }

    fn group(&self) -> &[Step] {
        if self.failing { &self.case.handlers } else { &self.case.steps }
    }

    /// Readies and skips until nothing changes, then ends the task if all has ended.
    fn go_on(&mut self) {
        let group = self.group().to_vec();
        loop {
            let mut changed = false;
            for step in &group {
                if self.states[&step.key] != StepState::Blocked {
                    continue;
                }
                let state = |index: &usize| self.states[&group[*index].key];
                if !step.strict.iter().chain(&step.loose).map(state).all(has_ended) {
                    continue;
                }
                let is_in_vain = step.strict.iter().map(state).any(|state| state != StepState::Succeeded);
                let next = if is_in_vain { StepState::Skipped } else { StepState::Ready };
                self.states.insert(step.key.clone(), next);
                changed = true;
            }
            if !changed {
                break;
            }
        }
        if group.iter().all(|step| has_ended(self.states[&step.key])) {
            self.end(if self.failing { TaskStatus::Failed } else { TaskStatus::Completed });
        }
    }

    pub fn claimed(&mut self, key: &str) {
        assert_eq!(self.states[key], StepState::Ready, "{key} was claimed and is not ready");
        assert!(!self.status.is_final(), "{key} was claimed after the end");
        self.status = TaskStatus::Processing;
        self.states.insert(key.to_owned(), StepState::Running);
    }

    /// Whether a running row is of no use any more.
    fn is_over(&self, key: &str) -> bool {
        self.status.is_final() || (self.failing && !key.starts_with('h'))
    }

    fn is_list_over(&self, key: &str) -> bool {
        key.split_once('[').is_some_and(|(list, _)| self.states[list] != StepState::Waiting)
    }

    /// How the next try at a row ends.
    pub fn planned(&self, key: &str) -> Move {
        let (tries, _) = self.case.tries(key);
        match self.failed.get(key).copied().unwrap_or(0) {
            failed if failed < tries.passing => Move::Passing,
            _ if tries.fails => Move::ForGood,
            _ => Move::Done,
        }
    }

    pub fn ended(&mut self, key: &str, end: Move) {
        assert_eq!(self.states[key], StepState::Running, "{key} has ended and did not run");
        let is_moot = matches!(end, Move::Passing | Move::ForGood | Move::Back) && self.is_list_over(key);
        if self.is_over(key) || is_moot {
            self.states.insert(key.to_owned(), StepState::Cancelled);
            return;
        }
        match end {
            Move::Chosen | Move::Back => state_of(&mut self.states, key, StepState::Ready),
            Move::Done => {
                state_of(&mut self.states, key, StepState::Succeeded);
                *self.committed.entry(key.to_owned()).or_default() += 1;
                self.after(key);
            }
            Move::Skipped => {
                state_of(&mut self.states, key, StepState::Skipped);
                self.after(key);
            }
            Move::Listed => {
                state_of(&mut self.states, key, StepState::Waiting);
                let list = self.case.steps.iter().chain(&self.case.handlers).find(|step| step.key == key);
                let list = list.unwrap().list.clone().unwrap();
                // What has succeeded before the task was tried again stays.
                let items: Vec<String> = (0..list.items.len()).map(|index| format!("{key}[{index}]")).collect();
                let is_open = |item: &&String| self.states.get(*item) != Some(&StepState::Succeeded);
                let open: Vec<String> = items.iter().filter(is_open).cloned().collect();
                for (turn, item) in open.iter().enumerate() {
                    let state = if turn < list.parallel { StepState::Ready } else { StepState::Blocked };
                    self.states.insert(item.clone(), state);
                }
                if open.is_empty() {
                    state_of(&mut self.states, key, StepState::Succeeded);
                    *self.committed.entry(key.to_owned()).or_default() += 1;
                    self.after(key);
                }
            }
            Move::Passing => {
                let failed = self.failed.entry(key.to_owned()).or_default();
                *failed += 1;
                if *failed > self.case.tries(key).1 {
                    self.fail(key);
                } else {
                    state_of(&mut self.states, key, StepState::Ready);
                }
            }
            Move::ForGood => self.fail(key),
        }
    }

    fn fail(&mut self, key: &str) {
        state_of(&mut self.states, key, StepState::Failed);
        let name = key.split('[').next().unwrap().to_owned();
        let step = self.case.steps.iter().chain(&self.case.handlers).find(|step| step.key == name).unwrap().clone();
        if name != key {
            if step.list.as_ref().unwrap().collect {
                return self.after(key);
            }
            if self.states[&name] != StepState::Waiting {
                return;
            }
            self.stop(&format!("{name}["));
            return self.fail(&name);
        }
        if self.failing || step.goes_on {
            return self.go_on();
        }
        self.stop("s");
        if self.case.handlers.is_empty() {
            return self.end(TaskStatus::Failed);
        }
        self.failing = true;
        for handler in &self.case.handlers {
            self.states.insert(handler.key.clone(), StepState::Blocked);
        }
        self.go_on();
    }

    /// Goes on after a row that has ended without failing its task.
    fn after(&mut self, key: &str) {
        let Some((list, _)) = key.split_once('[') else { return self.go_on() };
        if self.states[list] != StepState::Waiting {
            return;
        }
        let items: Vec<String> = self.items(list);
        if items.iter().all(|item| has_ended(self.states[item])) {
            state_of(&mut self.states, list, StepState::Succeeded);
            *self.committed.entry(list.to_owned()).or_default() += 1;
            return self.go_on();
        }
        if let Some(next) = items.iter().find(|item| self.states[*item] == StepState::Blocked) {
            self.states.insert(next.clone(), StepState::Ready);
        }
    }

    /// The items of a list in its order; no list has more than ten.
    fn items(&self, list: &str) -> Vec<String> {
        let prefix = format!("{list}[");
        self.states.keys().filter(|key| key.starts_with(&prefix)).cloned().collect()
    }

    fn stop(&mut self, prefix: &str) {
        let idle = [StepState::Blocked, StepState::Ready, StepState::Waiting];
        for (_, state) in self.states.iter_mut().filter(|(key, _)| key.starts_with(prefix)) {
            if idle.contains(state) {
                *state = StepState::Cancelled;
            }
        }
    }

    fn end(&mut self, status: TaskStatus) {
        self.status = status;
        self.stop("");
    }

    /// Everything that ran is an orphan.
    pub fn killed(&mut self) {
        let running: Vec<String> =
            self.states.iter().filter(|(_, state)| **state == StepState::Running).map(|(key, _)| key.clone()).collect();
        for key in running {
            self.ended(&key, Move::Back);
        }
    }

    pub fn cancelled(&mut self) {
        self.end(TaskStatus::Cancelled);
    }

    /// Tried again from what did not succeed.
    pub fn retried(&mut self) {
        self.states.retain(|key, _| !key.starts_with('h'));
        (self.failing, self.status) = (false, TaskStatus::Queued);
        self.failed.clear();
        for step in self.case.steps.clone() {
            let (state, items) = (self.states[&step.key], self.items(&step.key));
            let is_done = |index: &usize| has_ended(self.states[&self.case.steps[*index].key]);
            let may_start = step.strict.iter().chain(&step.loose).all(is_done);
            if !items.is_empty() && state != StepState::Succeeded && may_start {
                let parallel = step.list.as_ref().unwrap().parallel;
                let mut open = 0;
                for item in
                    items.iter().filter(|item| self.states[*item] != StepState::Succeeded).cloned().collect::<Vec<_>>()
                {
                    let state = if open < parallel { StepState::Ready } else { StepState::Blocked };
                    self.states.insert(item, state);
                    open += 1;
                }
                let state = if open > 0 { StepState::Waiting } else { StepState::Succeeded };
                self.states.insert(step.key.clone(), state);
                if open == 0 {
                    *self.committed.entry(step.key.clone()).or_default() += 1;
                }
                continue;
            }
            let was_decided = state == StepState::Skipped && step.when == Some(false) && self.was_reached(&step);
            let again = match state {
                StepState::Failed | StepState::Cancelled => true,
                StepState::Skipped => !was_decided,
                _ => false,
            };
            if again {
                self.states.insert(step.key.clone(), StepState::Blocked);
            }
        }
        self.go_on();
    }

    /// Whether a skipped step was skipped by its own `when`: everything it cannot do without had succeeded.
    fn was_reached(&self, step: &Step) -> bool {
        step.strict.iter().all(|index| self.states[&self.case.steps[*index].key] == StepState::Succeeded)
    }
}

fn state_of(states: &mut BTreeMap<String, StepState>, key: &str, state: StepState) {
    states.insert(key.to_owned(), state);
}
