//! `trawl backup` beside a daemon at work, and `trawl restore` into an empty folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tokio::{process::Command, sync::watch};

use super::support::{Daemon, Receiver, Reply, Site, program, sample_bytes};

const WORDS: &str = "The music is near the long box.";

/// Runs a command with a daemon's settings: whether it did, and what it said.
async fn run(daemon: &Daemon, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(program());
    command.args(arguments).arg("--config").arg(daemon.config()).kill_on_drop(true);
    let done = command.output().await.unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    (done.status.success(), said)
}

/// A daemon with a task that is done and one whose download waits for the gate; their ids.
async fn at_work(site: &Site, receiver: &Receiver, gate: &watch::Receiver<bool>) -> (Daemon, i64, i64) {
    let reply = Reply::Body("audio/flac", sample_bytes("en-known-02.flac"));
    site.put("/slow.flac", Reply::Gated(gate.clone(), Box::new(reply)));
    let slow = site.page("/slow", "<audio src='slow.flac'></audio>");
    let link = site.file("/clip.flac", "audio/flac", sample_bytes("en-known-04.flac"));
    let mut daemon = Daemon::new("");
    daemon.start().await;
    let done = daemon.paste(&link, &receiver.url).await;
    assert_eq!(daemon.end(done).await["status"], "completed");
    let running = daemon.paste(&slow, &receiver.url).await;
    daemon.follow(running, |event| event.is_step("media", "running")).await.unwrap();
    (daemon, done, running)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_daemon_at_work_is_the_whole_of_it() {
    let (site, receiver) = (Site::start().await, Receiver::start().await);
    let (gate, opened) = watch::channel(false);
    let (mut daemon, done, running) = at_work(&site, &receiver, &opened).await;
    let place = tempfile::tempdir().unwrap();
    let to = place.path().join("backup");
    let (ok, said) = run(&daemon, &["backup", text(&to), "--media"]).await;
    assert!(ok && said.contains("1 of 1 media files"), "{said}");
    let (ok, said) = run(&daemon, &["backup", text(&to)]).await;
    assert!(!ok && said.contains("is not empty"), "{said}");
    let (ok, said) = run(&daemon, &["restore", text(&to)]).await;
    assert!(!ok && said.contains("Another trawl is running"), "{said}");
    daemon.kill().await;
    let (ok, said) = run(&daemon, &["restore", text(&to)]).await;
    assert!(!ok && said.contains("There is a database already"), "{said}");

    let mut other = Daemon::new("");
    let (ok, said) = run(&other, &["restore", text(&to)]).await;
    assert!(ok, "{said}");
    let key = |daemon: &Daemon| fs::read(daemon.folder().join("data/secrets.key")).unwrap();
    assert_eq!(key(&other), key(&daemon), "what is encrypted cannot be read any more");
    gate.send_replace(true);
    other.start().await;
    assert_eq!(other.get(&format!("/api/tasks/{done}")).await["result"]["text"], WORDS);
    let media = other.http.get(format!("{}/api/tasks/{done}/media", other.url)).send().await.unwrap();
    assert_eq!(media.bytes().await.unwrap(), sample_bytes("en-known-04.flac"));
    let task = other.end(running).await;
    assert_eq!(task["status"], "completed", "{task}");
    let (ok, said) = run(&other, &["retention"]).await;
    assert!(ok && said.contains("WOULD GO NOW") && said.contains("for ever"), "{said}");
    assert!(other.stop().await);
}

/// A file of a backup, by the beginning of its path.
fn file_in(folder: &Path, below: &str) -> PathBuf {
    super::support::walk(&folder.join(below)).pop().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_is_not_taken_back() {
    let (site, receiver) = (Site::start().await, Receiver::start().await);
    let (_gate, opened) = watch::channel(false);
    let (mut daemon, done, _) = at_work(&site, &receiver, &opened).await;
    let place = tempfile::tempdir().unwrap();
    let to = place.path().join("backup");
    assert!(run(&daemon, &["backup", text(&to), "--media"]).await.0);
    daemon.kill().await;

    let other = Daemon::new("");
    let refused = async |what: &str| {
        let (ok, said) = run(&other, &["restore", text(&to)]).await;
        assert!(!ok && said.contains(what), "{said}");
        assert!(!other.folder().join("data/trawl.db").exists(), "a database was restored");
    };
    for file in [to.join("trawl.db"), file_in(&to, "keys")] {
        let whole = fs::read(&file).unwrap();
        let mut spoiled = whole.clone();
        let at = whole.len() / 2;
        spoiled[at] ^= 1;
        fs::write(&file, spoiled).unwrap();
        refused("is not what its list says").await;
        fs::write(&file, whole).unwrap();
    }
    let list = fs::read_to_string(to.join("backup.json")).unwrap();
    fs::write(to.join("backup.json"), list.replace("\"format\": 1", "\"format\": 2")).unwrap();
    refused("newer trawl").await;
    fs::remove_file(to.join("backup.json")).unwrap();
    refused("not finished").await;
    fs::write(to.join("backup.json"), list).unwrap();

    // A media that is missing is told, and keeps nothing else.
    let media = file_in(&to, "media");
    fs::remove_file(&media).unwrap();
    let (ok, said) = run(&other, &["restore", text(&to)]).await;
    assert!(ok && said.contains("0 of 1 media files") && said.contains("is not here"), "{said}");
    assert!(other.folder().join("data/trawl.db").exists());
    assert!(done > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_databases_have_their_own_programs() {
    let daemon = Daemon::new("");
    let (ok, said) = run(&daemon, &["backup", text(&daemon.folder().join("to"))]).await;
    assert!(!ok && said.contains("There is no database"), "{said}");
}
