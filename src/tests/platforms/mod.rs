//! From a share text to words, through the whole daemon and real HTTP, against servers that are as strict as the platforms.

mod douyin;
mod identities;
mod pictures;
mod refusals;
mod tiktok;
pub(super) mod world;

use serde_json::{Value, json};

use self::world::World;
use crate::support::TestApp;

/// The usual workflow, with what a result does not show of a task, and without second tries.
const FLOW: &str = r#"{
  "dsl": 1, "name": "told", "params": { "link": { "type": "url" } },
  "steps": {
    "source": { "use": "resolve", "with": { "link": "${params.link}" }, "retry": { "max": 0 } },
    "media": { "use": "download", "with": { "from": "${steps.source.output}" } },
    "text": { "use": "transcribe", "with": { "media": "${steps.media.output}" } }
  },
  "output": { "text": "${steps.text.output.text}", "source": "${steps.source.output}" }
}"#;

/// A daemon in a world.
struct Scene {
    app: TestApp,
    world: World,
}

impl Scene {
    async fn set(world: World, more: &str) -> Self {
        let app = TestApp::with(&format!("{}\n{more}", world.settings())).await;
        let tx = app.app.services.queue.store().begin().await.unwrap();
        tx.save_workflow("told", serde_json::from_str(FLOW).unwrap(), "hash").await.unwrap();
        tx.commit().await.unwrap();
        Self { app, world }
    }

    /// Pastes a text and waits for the end of the task.
    async fn end(&self, pasted: &str, options: Value) -> Value {
        self.end_of(json!({ "link": pasted, "workflow": "told", "options": options })).await
    }

    /// Posts a task and waits for its end.
    async fn end_of(&self, body: Value) -> Value {
        let id = self.app.submit(body).await;
        self.app.end(id).await
    }
}

/// What was tried, as `strategy ending`, with the class of what went wrong.
fn tried(attempts: &Value) -> Vec<String> {
    let word = |value: &Value| value.as_str().map(|word| format!(" {word}")).unwrap_or_default();
    let told =
        |one: &Value| format!("{}{}{}", one["strategy"].as_str().unwrap(), word(&one["ending"]), word(&one["class"]));
    attempts.as_array().unwrap_or_else(|| panic!("{attempts}")).iter().map(told).collect()
}

/// Whether one of a task's warnings holds these words.
fn warns(task: &Value, words: &str) -> bool {
    task["warnings"].as_array().unwrap().iter().any(|warning| warning.as_str().unwrap().contains(words))
}
