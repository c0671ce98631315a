//! Runs workflows through the queue and the model, move by move.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::json;

use super::{
    case::{Case, Dice},
    pure::{Model, Move},
};
use crate::{
    domain::{Lane, Priority, StepState, TaskId, TaskStatus},
    error::{Code, Error},
    queue::{
        Done, End, Queue, Work,
        decide::{Decision, decide},
        new::{self, NewRun},
        tests::Bench,
    },
    store::NewTask,
    workflow::{Definition, plan},
};

const LANES: [Lane; 2] = [Lane::Flow, Lane::Net];

struct Drive {
    bench: Bench,
    dice: Dice,
    models: BTreeMap<TaskId, Model>,
    held: Vec<Work>,
    /// Of workers that were killed.
    stale: Vec<Work>,
    /// Tasks that were tried again.
    retried: Vec<TaskId>,
}

/// Runs the workflows of `count` seeds beside each other.
pub(super) async fn run(seed: u64, count: u64) {
    let mut bench = Bench::new().await;
    bench.queue.config.max_crashes = 1_000;
    let mut models = BTreeMap::new();
    for seed in seed..seed + count {
        let case = Case::new(seed);
        models.insert(submit(&bench.queue, &case).await, Model::new(case));
    }
    let (held, stale, retried) = (Vec::new(), Vec::new(), Vec::new());
    let mut drive = Drive { bench, dice: Dice(seed), models, held, stale, retried };
    while drive.step().await {}
}

async fn submit(queue: &Queue, case: &Case) -> TaskId {
    let definition: Definition = serde_json::from_value(case.definition()).unwrap();
    let tx = queue.store().begin().await.unwrap();
    tx.save_workflow(&case.name, case.definition(), "1").await.unwrap();
    let task = NewTask {
        workflow: case.name.clone(),
        revision: 1,
        priority: Priority::Normal,
        params: case.params(),
        ..NewTask::default()
    };
    let planned = plan(&definition).unwrap();
    let id = new::write(&tx, NewRun { task, planned, ..NewRun::default() }).await.unwrap();
    tx.commit().await.unwrap();
    id
}

impl Drive {
    /// One move; whether there is another.
    async fn step(&mut self) -> bool {
        match self.dice.below(100) {
            0 => self.kill().await,
            1 => self.cancel().await,
            2..50 => {
                if !self.claim().await && self.held.is_empty() {
                    return self.settle().await;
                }
            }
            _ => self.end().await,
        }
        true
    }

    /// Claims in every lane; whether there was something.
    async fn claim(&mut self) -> bool {
        let limit = 1 + self.dice.below(12);
        let before = self.held.len();
        for lane in LANES {
            for work in self.bench.queue.claim(lane, limit, &[], false).await.unwrap() {
                self.models.get_mut(&work.row.step.task_id).unwrap().claimed(&work.row.step.key);
                self.held.push(work);
            }
        }
        self.held.len() > before
    }

    /// Ends some of what is held, all in one transaction.
    async fn end(&mut self) {
        let mut ends = Vec::new();
        for _ in 0..=self.dice.below(6) {
            if self.held.is_empty() {
                break;
            }
            let work = self.held.swap_remove(self.dice.below(self.held.len()));
            let end = self.decided(&work).await;
            ends.push((work, end));
        }
        let queue = &self.bench.queue;
        let moves: Vec<(&Work, &End)> = ends.iter().map(|(work, (end, _))| (work, end)).collect();
        let ours = queue.end_all(&moves).await.unwrap();
        assert!(ours.iter().all(|ours| *ours), "a worker has lost its step");
        for (work, (_, told)) in &ends {
            self.models.get_mut(&work.row.step.task_id).unwrap().ended(&work.row.step.key, *told);
        }
        let again = queue.end_all(&moves).await.unwrap();
        assert!(again.iter().all(|ours| !ours), "an end was written twice");
    }

    /// What a worker would make of a step, for the queue and for the model.
    async fn decided(&mut self, work: &Work) -> (End, Move) {
        if self.dice.percent(5) {
            return (End::Released, Move::Back);
        }
        let queue = &self.bench.queue;
        let task = queue.store().task(work.row.step.task_id).await.unwrap().unwrap();
        let (scope, _) = queue.scope(&task, &work.row).await.unwrap();
        match decide(&work.row, &scope).unwrap() {
            Decision::Skip => return (End::Skipped, Move::Skipped),
            Decision::Elsewhere => return (End::Chosen, Move::Chosen),
            Decision::List(items) => return (End::List(items), Move::Listed),
            Decision::Here { chosen: true } => assert!(queue.note_choice(work).await.unwrap()),
            Decision::Here { chosen: false } => {}
        }
        let key = &work.row.step.key;
        let told = self.models[&task.id].planned(key);
        let end = match told {
            Move::Passing => End::Failed(Error::new(Code::ConnectFailed, "not now")),
            Move::ForGood => End::Failed(Error::new(Code::NoAudio, "never")),
            _ if self.dice.percent(5) => {
                let why = Error::new(Code::ModelMissing, "not here").report();
                return (End::Wait { why, wait: Duration::ZERO }, Move::Back);
            }
            _ => End::Done { done: Box::new(Done { output: json!({ "by": key }), ..Done::default() }), input: None },
        };
        (end, told)
    }

    /// The process dies; another one takes over.
    async fn kill(&mut self) {
        let config = self.bench.queue.config.clone();
        self.bench.queue = Queue::new(Arc::clone(&self.bench.queue.store), config);
        self.bench.queue.recover_all().await.unwrap();
        self.stale.append(&mut self.held);
        self.models.values_mut().for_each(Model::killed);
        let end = End::Done { done: Box::default(), input: None };
        for work in self.stale.drain(..) {
            assert!(!self.bench.queue.end(&work, &end).await.unwrap(), "the dead write");
        }
    }

    async fn cancel(&mut self) {
        let ids: Vec<TaskId> = self.models.keys().copied().collect();
        let id = ids[self.dice.below(ids.len())];
        let model = self.models.get_mut(&id).unwrap();
        if !model.status.is_final() {
            model.cancelled();
            self.bench.queue.cancel(id).await.unwrap();
        }
    }

    /// Nothing can be claimed and nothing is held: everything must have ended as the model says. Tries some tasks again;
    /// whether it did.
    async fn settle(&mut self) -> bool {
        let mut again = false;
        let ids: Vec<TaskId> = self.models.keys().copied().collect();
        for id in ids {
            self.compare(id).await;
            let model = self.models.get_mut(&id).unwrap();
            let may = matches!(model.status, TaskStatus::Failed | TaskStatus::Cancelled) && !self.retried.contains(&id);
            if may && self.dice.percent(50) {
                model.retried();
                self.bench.queue.retry(id).await.unwrap();
                self.retried.push(id);
                again = true;
            }
        }
        again
    }

    async fn compare(&self, id: TaskId) {
        let (store, model) = (self.bench.queue.store(), &self.models[&id]);
        let task = store.task(id).await.unwrap().unwrap();
        let name = &model.case.name;
        let states: BTreeMap<String, StepState> =
            store.steps_of(id).await.unwrap().into_iter().map(|row| (row.step.key, row.step.state)).collect();
        assert_eq!((task.status, &states), (model.status, &model.states), "{name}: {:#?}", model.case);
        assert!(task.status.is_final(), "{name} waits for ever");
        let mut committed = BTreeMap::new();
        for event in store.events(Some(id), 0, 10_000).await.unwrap() {
            if event.kind == "step" && event.data["state"] == "succeeded" {
                *committed.entry(event.data["step"].as_str().unwrap().to_owned()).or_default() += 1;
            }
        }
        assert_eq!(committed, model.committed, "{name}: results were committed");
    }
}
