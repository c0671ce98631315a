//! Engines that die, hang or always fail: the daemon stays up, and only what is to blame is given up.

use std::{os::unix::fs::PermissionsExt, path::PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use trawl::domain::TaskId;

use super::{
    cancel::{Stage, step},
    support::{processes, program, sample_bytes, signal},
};

const CLIP: &str = "en-known-04.flac";
const WORDS: &str = "The music is near the long box.";
/// A step may be over before the signal arrives; then the scene is played again, this often at most.
const SCENES: usize = 20;

impl Stage {
    /// The engine's process.
    fn engine(&self) -> Option<i32> {
        processes(self.models.path()).pop()
    }

    fn busy(&self) -> usize {
        self.app.app.services.pool.status().iter().map(|engine| engine.busy).sum()
    }

    /// How often the transcription's worker has died.
    async fn crashes(&self, id: i64) -> i64 {
        let steps = self.app.app.services.queue.store().steps_of(TaskId(id)).await.unwrap();
        steps.iter().find(|row| row.step.key == "text").unwrap().step.crashes
    }

    async fn clip(&self, mut options: Value) -> i64 {
        options["no_cache"] = json!(true); // an engine has to work, however often the clip was heard before
        let (status, task) = self.app.upload(CLIP, sample_bytes(CLIP), &[("options", &options.to_string())]).await;
        assert_eq!(status, 202, "{task}");
        task["id"].as_i64().unwrap()
    }

    /// Sends a signal to the engine while it works on a clip; the task completes nevertheless.
    async fn struck(&self, number: i32) {
        for _ in 0..SCENES {
            let id = self.clip(json!({})).await;
            self.until(id, "text", "running").await;
            self.app.eventually("the engine works", || self.busy() == 1 && self.engine().is_some()).await;
            if let Some(engine) = self.engine() {
                signal(engine, number);
            }
            let task = self.app.end(id).await;
            assert_eq!(task["result"]["text"], WORDS, "{task}");
            if self.crashes(id).await == 1 {
                assert_eq!(step(&task, "text")["attempt"], 1, "a crash has cost a try");
                assert_eq!(self.app.get("/live").await.0, 200);
                return;
            }
        }
        panic!("the engine was never hit while it worked");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_killed_costs_one_crash_and_nothing_else() {
    let stage = Stage::set("").await;
    stage.struck(libc::SIGKILL).await;
    let (_, info) = stage.app.get("/api/info").await;
    assert_eq!(info["engine"][0]["restarts"], 1, "{info}");
    stage.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_hangs_is_replaced() {
    // Long enough for a process that works on a machine which does much else.
    let stage = Stage::set("engine.hang_timeout = \"15s\"").await;
    stage.struck(libc::SIGSTOP).await;
    stage.app.finish().await;
}

/// This binary, but it dies of SIGSEGV when it is to load the model `poison`.
fn dying_program(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("trawl");
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *'--model-name poison'*) kill -s SEGV $$;; esac\nexec '{}' \"$@\"\n",
        program().display()
    );
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_always_kills_it_fails_its_task_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::with_program("", dying_program(&folder)).await;
    stage.model("poison");
    let before = stage.clip(json!({})).await;
    let poison = stage.clip(json!({ "model": "poison" })).await;
    let after = stage.clip(json!({})).await;
    for id in [before, after] {
        let task = stage.app.end(id).await;
        assert_eq!((&task["result"]["text"], stage.crashes(id).await), (&json!(WORDS), 0), "{task}");
    }
    let task = stage.app.end(poison).await;
    assert_eq!((&task["status"], &task["error"]["code"]), (&json!("failed"), &json!("crash")), "{task}");
    assert_eq!(stage.crashes(poison).await, 3);
    let events = stage.app.listen(&format!("/api/tasks/{poison}/events"), |_| false).await;
    assert_eq!(events.iter().filter(|event| event.is_step("text", "running")).count(), 3);
    assert_eq!(events.iter().filter(|event| event.is_step("text", "ready")).count(), 2);
    stage.is_quiet().await;
    stage.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_slots_work_at_the_same_time() {
    let stage = Stage::set("engine.slots = 2").await;
    let (_, recording) = stage.app.upload("long.m4a", sample_bytes("long.m4a"), &[]).await;
    stage.app.eventually("both slots have windows of one recording", || stage.busy() == 2).await;
    let (status, _) = stage.app.post(&format!("/api/tasks/{}/cancel", recording["id"]), json!({})).await;
    assert_eq!(status, 200);
    for task in [stage.clip(json!({})).await, stage.clip(json!({})).await] {
        let task = stage.app.end(task).await;
        assert_eq!(task["result"]["text"], WORDS, "{task}");
    }
    stage.app.finish().await;
}

/// With two slots a crash hits two tasks. When another crash would end them they are tried again one at a time: the one that
/// is to blame takes nobody with it any more.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_each_suspect_runs_alone() {
    // One crash more would be the last one, so both are suspects after the first.
    let stage = Stage::set("engine.slots = 2\nqueue.max_crashes = 2").await;
    for _ in 0..SCENES {
        let first = stage.clip(json!({})).await;
        stage.until(first, "text", "running").await;
        stage.app.eventually("the engine works", || stage.busy() == 1 && stage.engine().is_some()).await;
        // Stopped, it waits with the first clip until it has the second one, too.
        let Some(engine) = stage.engine() else { continue };
        signal(engine, libc::SIGSTOP);
        let both = [first, stage.clip(json!({})).await];
        stage.until(both[1], "text", "running").await;
        stage.app.eventually("the engine has taken what there is", || stage.busy() != 1).await;
        let restarts = || stage.app.app.services.pool.status()[0].restarts;
        let before = restarts();
        signal(engine, libc::SIGKILL);
        let ends = async { [stage.app.end(both[0]).await, stage.app.end(both[1]).await] };
        let mut together = 0;
        let tasks = watched(&stage, ends, || {
            // What is seen before the crash is known does not count, so that is asked first.
            together += usize::from(restarts() > before && stage.busy() == 2);
        })
        .await;
        let crashes = [stage.crashes(both[0]).await, stage.crashes(both[1]).await];
        assert!(tasks.iter().all(|task| task["result"]["text"] == WORDS), "{tasks:?}");
        if crashes == [1, 1] {
            assert_eq!(together, 0, "two suspects ran at the same time");
            return stage.app.finish().await;
        }
    }
    panic!("the engine was never hit while it worked on both");
}

/// Waits for `ends` and looks meanwhile, at every event.
async fn watched<T>(stage: &Stage, ends: impl Future<Output = T>, mut look: impl FnMut()) -> T {
    let mut events = stage.app.app.services.queue.wake().events();
    let mut ends = std::pin::pin!(ends);
    loop {
        tokio::select! {
            ends = &mut ends => return ends,
            _ = events.changed() => look(),
        }
    }
}
