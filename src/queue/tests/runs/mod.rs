//! One rule of a run after the other, against a real database and without real work.

mod failures;
mod lists;
mod media;
mod tree;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Bench;
use crate::{
    domain::{Lane, StepKind, StepState, Task, TaskId},
    error::{Code, Error},
    queue::{
        Done, End, Work,
        decide::{Decision, decide},
        new::{self, NewRun},
    },
    store::NewTask,
    workflow::{Definition, plan, template},
};

/// A definition of these steps.
fn workflow(name: &str, steps: Value) -> Value {
    json!({ "dsl": 1, "name": name, "steps": steps })
}

/// A step that does nothing.
fn trivial() -> Value {
    json!({ "use": "condition" })
}

fn output(value: Value) -> End {
    End::Done { done: Box::new(Done { output: value, ..Done::default() }), input: None }
}

fn failure(code: Code, detail: &str) -> End {
    End::Failed(Error::new(code, detail))
}

/// As good as a hash for what a test saves.
fn digest(definition: &Value) -> String {
    format!("{:08x}", crc32fast::hash(definition.to_string().as_bytes()))
}

impl Bench {
    /// Saves a definition and writes a task for it.
    async fn begin(&self, definition: Value, params: Value) -> TaskId {
        let tx = self.queue.store().begin().await.unwrap();
        let name = definition["name"].as_str().unwrap().to_owned();
        let revision = tx.save_workflow(&name, definition.clone(), &digest(&definition)).await.unwrap();
        let id = new::write(&tx, run_of(definition, revision, params)).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    /// Saves a definition that others call.
    async fn save(&self, definition: Value) {
        let tx = self.queue.store().begin().await.unwrap();
        tx.save_workflow(definition["name"].as_str().unwrap(), definition.clone(), "1").await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Whatever can be claimed now.
    async fn ready(&self) -> Vec<Work> {
        let mut found = Vec::new();
        for lane in Lane::ALL {
            found.extend(self.queue.claim(*lane, 100, &[], false).await.unwrap());
        }
        found
    }

    /// What a step comes to: what is decided about it, the task it calls, otherwise what `outcome` says of it.
    async fn outcome(&self, work: &Work, outcome: &dyn Fn(&str, &Value) -> End) -> End {
        let task = self.look(work.row.step.task_id).await;
        let (scope, _) = self.queue.scope(&task, &work.row).await.unwrap();
        match decide(&work.row, &scope) {
            Err(error) => return End::Failed(error),
            Ok(Decision::Skip) => return End::Skipped,
            Ok(Decision::Elsewhere) => return End::Chosen,
            Ok(Decision::List(items)) => return End::List(items),
            Ok(Decision::Here { chosen }) => {
                if chosen {
                    assert!(self.queue.note_choice(work).await.unwrap());
                }
            }
        }
        let input = match template::fill(&Value::Object(work.row.with.clone()), &scope) {
            Ok(input) => input,
            Err(error) => return End::Failed(error),
        };
        if work.row.step.kind == StepKind::Workflow {
            let stored = self.queue.store().workflow(input["name"].as_str().unwrap()).await.unwrap().unwrap();
            let run = Box::new(run_of(stored.definition, stored.revision, input["params"].clone()));
            return End::Task { run, input: Some("hash".to_owned()) };
        }
        outcome(&work.row.step.key, &input)
    }

    /// Does whatever can be done until nothing can.
    async fn play(&self, outcome: impl Fn(&str, &Value) -> End) {
        loop {
            let ready = self.ready().await;
            if ready.is_empty() {
                return;
            }
            for work in ready {
                let end = self.outcome(&work, &outcome).await;
                self.queue.end(&work, &end).await.unwrap();
            }
        }
    }

    async fn look(&self, id: TaskId) -> Task {
        self.queue.store().task(id).await.unwrap().unwrap()
    }

    /// How a task ended, with the code of its error.
    async fn ended(&self, id: TaskId) -> (&'static str, String) {
        let task = self.look(id).await;
        (task.status.as_str(), task.error.map_or_else(String::new, |error| error.code))
    }

    async fn by_key(&self, id: TaskId) -> BTreeMap<String, &'static str> {
        let rows = self.queue.store().steps_of(id).await.unwrap();
        rows.into_iter().map(|row| (row.step.key, row.step.state.as_str())).collect()
    }

    async fn output_of(&self, id: TaskId, key: &str) -> Value {
        let rows = self.queue.store().steps_named(id, &[key.to_owned()]).await.unwrap();
        rows[0].step.output.clone().unwrap_or(Value::Null)
    }

    /// How often a step has come to a state.
    async fn times(&self, id: TaskId, key: &str, state: StepState) -> usize {
        let events = self.queue.store().events(Some(id), 0, 10_000).await.unwrap();
        let is_it = |event: &&crate::store::Event| {
            event.kind == "step" && event.data["step"] == key && event.data["state"] == state.as_str()
        };
        events.iter().filter(is_it).count()
    }
}

fn run_of(definition: Value, revision: i64, params: Value) -> NewRun {
    let definition: Definition = serde_json::from_value(definition).unwrap();
    let params: Map<String, Value> = params.as_object().cloned().unwrap_or_default();
    let planned = plan(&definition).unwrap();
    let deadline_ms = definition.deadline.map(|span| i64::try_from(span.0.as_millis()).unwrap());
    let task = NewTask { workflow: definition.name, revision, params, deadline_ms, ..NewTask::default() };
    NewRun { task, planned, most: definition.max_active_runs, reuse: Vec::new() }
}
