//! One file that kills whoever works on it, among many that do not.

use std::{os::unix::fs::PermissionsExt, path::PathBuf};

use serde_json::{Value, json};
use trawl::domain::TaskId;

use super::sized;
use crate::support::{TestApp, program, sample_bytes};

const CLIP: &str = "en-known-04.flac";
const WORDS: &str = "The music is near the long box.";
/// Its samples are used as they are: so many bytes behind its header are no other file's.
const POISON: &str = "en-known-12.wav";
const HEADER: usize = 44;

/// The engine, but it dies of SIGSEGV when it is given samples of that size.
fn engine(folder: &std::path::Path) -> PathBuf {
    let size = sample_bytes(POISON).len() - HEADER;
    let script = format!(
        "#!{} -I
import json, os, subprocess, sys
engine = subprocess.Popen([{:?}, *sys.argv[1:]], stdin=subprocess.PIPE)
for line in sys.stdin.buffer:
    pcm = json.loads(line).get('pcm')
    if pcm and os.path.getsize(pcm) == {size}:
        os.kill(os.getpid(), 11)
    engine.stdin.write(line)
    engine.stdin.flush()
engine.stdin.close()
sys.exit(engine.wait())
",
        crate::kinds::python(),
        program().display().to_string()
    );
    let path = folder.join("trawl");
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_given_up_after_three_crashes_and_no_other_is() {
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::with_program("engine.slots = 2", engine(folder.path())).await;
    let count = sized(50, 500);
    let (mut poison, mut others) = (0, Vec::new());
    for number in 0..count {
        let name = if number == count / 3 { POISON } else { CLIP };
        let (status, task) = app.upload(name, sample_bytes(name), &[("options", "{\"no_cache\": true}")]).await;
        assert_eq!(status, 202, "{task}");
        let id = task["id"].as_i64().unwrap();
        if name == POISON { poison = id } else { others.push(id) }
    }
    let task: Value = app.end(poison).await;
    assert_eq!((&task["status"], &task["error"]["code"]), (&json!("failed"), &json!("crash")), "{task}");
    let steps = app.app.services.queue.store().steps_of(TaskId(poison)).await.unwrap();
    assert_eq!(steps.iter().map(|row| row.step.crashes).max(), Some(3));
    for id in others {
        let task = app.end(id).await;
        assert_eq!(task["result"]["text"], WORDS, "{task}");
    }
    assert_eq!(app.get("/live").await.0, 200);
    app.finish().await;
}
