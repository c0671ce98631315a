//! Programs that are started and never say anything: the step ends with its reason, and nothing of them is left.

use std::{os::unix::fs::PermissionsExt, path::Path};

use serde_json::{Value, json};

use super::world::CLIP;
use crate::support::{Site, TestApp, processes, sample_bytes};

const FLOW: &str = r#"{
  "dsl": 1, "name": "once", "params": { "link": { "type": "url" } },
  "steps": {
    "source": { "use": "resolve", "with": { "link": "${params.link}" }, "retry": { "max": 0 } },
    "media": { "use": "download", "with": { "from": "${steps.source.output}" } },
    "text": { "use": "transcribe", "with": { "media": "${steps.media.output}" }, "retry": { "max": 0 } }
  },
  "output": { "text": "${steps.text.output.text}" }
}"#;

/// A program that tells its version, and for anything else begins to wait for ever.
fn hung(folder: &Path, name: &str, version: &str) -> String {
    let path = folder.join(name);
    let script =
        format!("#!/bin/sh\ncase \"$*\" in *-version*) echo '{version}'; exit;; esac\nwhile :; do sleep 600; done\n");
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

/// What a link comes to with these settings. Afterwards none of the programs in `folder` is left.
async fn ended(app: TestApp, folder: &Path) -> Value {
    let tx = app.app.services.queue.store().begin().await.unwrap();
    tx.save_workflow("once", serde_json::from_str(FLOW).unwrap(), "hash").await.unwrap();
    tx.commit().await.unwrap();
    let site = Site::start().await;
    let link = site.file("/clip.mp3", "audio/mpeg", sample_bytes(CLIP));
    let id = app.submit(json!({ "link": link, "workflow": "once" })).await;
    let task = app.end(id).await;
    assert_eq!(task["status"], "failed", "{task}");
    app.eventually("no program is left", || processes(folder).is_empty()).await;
    app.finish().await;
    task["error"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn ffmpeg() {
    let folder = tempfile::tempdir().unwrap();
    let program = hung(folder.path(), "ffmpeg", "ffmpeg version 0");
    let app = TestApp::with(&format!("media.ffmpeg = \"{program}\"\nmedia.timeout = \"1s\"")).await;
    let error = ended(app, folder.path()).await;
    assert_eq!(error["code"], "media_timeout", "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn yt_dlp() {
    let folder = tempfile::tempdir().unwrap();
    let program = hung(folder.path(), "yt-dlp", "2026.11.01");
    let more = format!(
        "crawlers.ytdlp.program = \"{program}\"\ncrawlers.ytdlp.hosts = [\"127.0.0.1\"]\ncrawlers.ytdlp.timeout = \"1s\""
    );
    let error = ended(TestApp::with(&more).await, folder.path()).await;
    assert_eq!(error["code"], "source_timeout", "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine() {
    let folder = tempfile::tempdir().unwrap();
    let program = hung(folder.path(), "trawl", "");
    let app = TestApp::with_program("engine.hang_timeout = \"1s\"", program.into()).await;
    let error = ended(app, folder.path()).await;
    // Each time it was given up is a crash of it.
    assert_eq!(error["code"], "crash", "{error}");
}
