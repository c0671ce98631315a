//! Whose the files of lists are: several tasks may use one, and another try fetches what cannot be read any more.

use std::{
    fs::{self, File},
    path::PathBuf,
};

use serde_json::{Value, json};
use tokio::sync::watch;
use trawl::domain::TaskId;

use super::support::{Reply, Site, TestApp, sample_bytes, walk};

const CLIPS: [&str; 3] = ["en-known-02.flac", "en-known-04.flac", "en-known-14.flac"];

/// A daemon and a site with three clips.
struct Stage {
    app: TestApp,
    site: Site,
    links: Vec<String>,
}

impl Stage {
    /// With a workflow `list` that fetches a list of links and goes on with these steps.
    async fn set(more: Value) -> Self {
        let (app, site) = (TestApp::start().await, Site::start().await);
        let links = CLIPS.map(|clip| site.file(&format!("/{clip}"), "audio/flac", sample_bytes(clip)));
        let mut steps = json!({
            "found": { "use": "resolve", "foreach": { "in": "params.list" }, "with": { "link": "${item}" } },
            "got": { "use": "download", "foreach": { "in": "steps.found.output" }, "with": { "from": "${item}" } },
        });
        steps.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let params = json!({ "list": { "type": "array" }, "gate": { "type": "string", "default": "" } });
        let definition = json!({ "dsl": 1, "name": "list", "params": params, "steps": steps });
        let tx = app.app.services.queue.store().begin().await.unwrap();
        tx.save_workflow("list", definition, "1").await.unwrap();
        tx.commit().await.unwrap();
        Self { app, site, links: links.into() }
    }

    async fn fetch(&self, gate: &str) -> i64 {
        let params = json!({ "list": self.links, "gate": gate });
        self.app.submit(json!({ "workflow": "list", "params": params })).await
    }

    async fn completed(&self, id: i64) {
        let task = self.app.end(id).await;
        assert_eq!(task["status"], "completed", "{task}");
    }

    fn kept(&self) -> usize {
        walk(&self.app.folder().join("data/media")).len()
    }

    async fn delete(&self, id: i64) {
        assert_eq!(self.app.delete(&format!("/api/tasks/{id}")).await, 204);
    }

    fn asked(&self) -> [usize; 3] {
        let seen = self.site.seen();
        CLIPS.map(|clip| seen.iter().filter(|path| **path == format!("/{clip}")).count())
    }

    /// Where the file of a step lies.
    async fn file_of(&self, id: i64, key: &str) -> PathBuf {
        let rows = self.app.app.services.queue.store().steps_of(TaskId(id)).await.unwrap();
        let output = rows.into_iter().find(|row| row.step.key == key).unwrap().step.output.unwrap();
        self.app.folder().join("data/media").join(output["file"].as_str().unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_a_list_stay_while_one_task_uses_them() {
    let stage = Stage::set(json!({})).await;
    let list = stage.fetch("").await;
    stage.completed(list).await;
    let one = stage.app.paste(&stage.links[1]).await;
    stage.completed(one).await;
    let (status, again) = stage.app.post(&format!("/api/tasks/{list}/rerun"), json!({})).await;
    assert_eq!(status, 202, "{again}");
    let again = again["id"].as_i64().unwrap();
    stage.completed(again).await;
    assert_eq!(stage.kept(), 3);
    stage.delete(one).await;
    assert_eq!(stage.kept(), 3, "a file went that a list uses");
    let one = stage.app.paste(&stage.links[1]).await;
    stage.completed(one).await;
    stage.delete(list).await;
    assert_eq!(stage.kept(), 3, "files went that another run of the list has taken over");
    stage.delete(again).await;
    assert_eq!(stage.kept(), 1, "files of a list are left");
    assert!(
        stage.app.http.get(format!("{}/api/tasks/{one}/media", stage.app.url)).send().await.unwrap().status() == 200
    );
    // What somebody else has taken away is fetched once more by whoever names it.
    fs::remove_file(stage.file_of(one, "media").await).unwrap();
    let (_, task) = stage.app.get(&format!("/api/tasks/{one}")).await;
    let named = stage.app.submit(json!({ "media_id": task["media"]["id"] })).await;
    stage.completed(named).await;
    assert_eq!(stage.kept(), 1);
    stage.delete(one).await;
    assert_eq!(stage.kept(), 1);
    stage.delete(named).await;
    assert_eq!(stage.kept(), 0);
    stage.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_try_fetches_the_file_of_a_list_that_is_cut_off_or_gone() {
    let stage = Stage::set(json!({
        "gate": { "use": "http", "after": ["got"], "with": { "url": "${params.gate}" } },
        "said": { "use": "transcribe", "after": ["gate"], "foreach": { "in": "steps.got.output" },
                  "with": { "media": "${item}" } },
    }))
    .await;
    let rounds = [("truncated", "retry"), ("not_found", "retry"), ("truncated", "rerun")];
    for (round, (code, again)) in rounds.into_iter().enumerate() {
        let (open, gate) = watch::channel(false);
        let path = format!("/gate{round}");
        let body = Reply::Body("application/json", b"{}".to_vec());
        let link = stage.site.put(&path, Reply::Gated(gate, Box::new(body)));
        let id = stage.fetch(&link).await;
        stage.site.asked_for(&path).await;
        let file = stage.file_of(id, "got[1]").await;
        let size = fs::metadata(&file).unwrap().len();
        match code {
            "truncated" => File::options().write(true).open(&file).unwrap().set_len(50).unwrap(),
            _ => fs::remove_file(&file).unwrap(),
        }
        open.send_replace(true);
        let task = stage.app.end(id).await;
        assert_eq!((&task["status"], &task["error"]["code"]), (&json!("failed"), &json!(code)), "{task}");
        let [a, b, c] = stage.asked();
        let (status, task) = stage.app.post(&format!("/api/tasks/{id}/{again}"), json!({})).await;
        assert_eq!(status, 202, "{task}");
        let last_run = task["id"].as_i64().unwrap();
        stage.completed(last_run).await;
        assert_eq!(fs::metadata(stage.file_of(last_run, "got[1]").await).unwrap().len(), size);
        let [now, then, last] = stage.asked();
        assert!(
            now == a && then > b && last == c,
            "asked for {:?} before and {:?} after",
            [a, b, c],
            [now, then, last]
        );
        stage.delete(id).await;
        if last_run != id {
            assert_eq!(stage.kept(), 3);
            stage.delete(last_run).await;
        }
        assert_eq!(stage.kept(), 0);
    }
    stage.app.finish().await;
}
