//! The kinds of steps, each through the whole daemon.

mod exec;
mod http;
mod lists;
mod secrets;
mod words;

use serde_json::{Value, json};
use trawl::store::Store;

use super::support::TestApp;

/// A link for workflows that look at none.
const NOWHERE: &str = "https://example.com/";

/// The interpreter itself: what lies in the PATH may be a wrapper, which cannot run locked in.
pub fn python() -> String {
    let said =
        std::process::Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().unwrap();
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

/// Stores a workflow of these steps.
async fn save(store: &Store, name: &str, steps: Value, output: Value) {
    let definition = json!({
        "dsl": 1, "name": name, "steps": steps, "output": output,
        "params": { "link": { "type": "url" }, "given": { "type": "string", "default": "" } },
    });
    let tx = store.begin().await.unwrap();
    let hash = format!("{:064x}", rand::random::<u128>());
    tx.save_workflow(name, definition, &hash).await.unwrap();
    tx.commit().await.unwrap();
}

impl TestApp {
    /// Runs steps to their end and returns the task.
    pub(super) async fn run_steps(&self, steps: Value, output: Value) -> Value {
        let name = format!("w{}", rand::random::<u32>());
        save(self.app.services.queue.store(), &name, steps, output).await;
        let id = self.submit(json!({ "link": NOWHERE, "workflow": name })).await;
        self.end(id).await
    }

    /// Runs one step named `it`; its output must come.
    pub(super) async fn run_step(&self, step: Value) -> Value {
        let task = self.run_steps(json!({ "it": step }), json!("${steps.it.output}")).await;
        assert_eq!(task["status"], "completed", "{task}");
        task["result"].clone()
    }

    /// Runs one step that must fail, without another try; returns its error.
    pub(super) async fn fail_step(&self, mut step: Value) -> Value {
        step["retry"] = json!({ "max": 0 });
        let task = self.run_steps(json!({ "it": step }), Value::Null).await;
        assert_eq!(task["status"], "failed", "{task}");
        task["error"].clone()
    }
}
