//! `trawl migrate --from … --to …` of a daemon's database, and the daemon that goes on there.

use serde_json::json;
use tokio::{process::Command, sync::watch};

use super::support::{Daemon, Receiver, Reply, Site, is_server, program, sample_bytes, settings, test_url};

const WORDS: &str = "The music is near the long box.";

/// The addresses of a daemon's own SQLite and of what takes its place.
fn addresses(daemon: &Daemon) -> (String, String) {
    let data = daemon.folder().join("data");
    let to = if is_server() { test_url(daemon.folder()) } else { format!("sqlite:{}", data.join("new.db").display()) };
    (format!("sqlite:{}", data.join("trawl.db").display()), to)
}

/// A daemon on SQLite, whatever the tests run on.
fn on_sqlite() -> Daemon {
    Daemon::new("database.url = \"\"")
}

/// Lets it work on another database from its next start on.
fn goes_to(daemon: &Daemon, url: &str) {
    std::fs::write(daemon.config(), settings(daemon.folder(), &format!("database.url = \"{url}\""))).unwrap();
}

/// Moves; the exit code and what was said. It dies at a place when there is one.
async fn moved(daemon: &Daemon, dies_at: Option<&str>) -> (Option<i32>, String) {
    let (from, to) = addresses(daemon);
    let mut command = Command::new(program());
    command.args(["migrate", "--from", &from, "--to", &to, "--config"]).arg(daemon.config()).kill_on_drop(true);
    if let Some(place) = dies_at {
        command.env("FAILPOINTS", place);
    }
    let done = command.output().await.unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    (done.status.code(), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_goes_on_where_its_data_went() {
    let (site, mut receiver) = (Site::start().await, Receiver::start().await);
    let (gate, opened) = watch::channel(false);
    let reply = Reply::Body("audio/flac", sample_bytes("en-known-02.flac"));
    site.put("/slow.flac", Reply::Gated(opened, Box::new(reply)));
    let slow = site.page("/slow", "<audio src='slow.flac'></audio>");
    let link = site.file("/clip.flac", "audio/flac", sample_bytes("en-known-04.flac"));
    let mut daemon = Daemon::new("database.url = \"\"\ncallbacks.schedule = [\"0s\", \"8s\", \"8s\", \"8s\"]");
    daemon.start().await;
    let post = async |daemon: &Daemon, path: &str, body: serde_json::Value| {
        let answer = daemon.http.post(format!("{}{path}", daemon.url)).json(&body).send().await.unwrap();
        answer.json::<serde_json::Value>().await.unwrap()
    };
    let hourly =
        json!({ "workflow": "transcribe", "params": { "link": link }, "cron": "0 * * * *", "name": "头发 🎬" });
    let schedule = post(&daemon, "/api/schedules", hourly).await;
    let done = daemon.paste(&link, &receiver.url).await;
    assert_eq!(daemon.end(done).await["status"], "completed");
    assert!(receiver.next().await.verified);
    let (code, said) = moved(&daemon, None).await;
    assert!(code == Some(1) && said.contains("A trawl works on the database at `--from`"), "{said}");
    // One that is in the middle of its download, and one whose callback was refused and is sent again later.
    let running = daemon.paste(&slow, &receiver.url).await;
    daemon.follow(running, |event| event.is_step("media", "running")).await.unwrap();
    receiver.answer(&[500]);
    let unheard = daemon.paste(&link, &receiver.url).await;
    let refused = receiver.next().await;
    daemon.kill().await;
    let (code, said) = moved(&daemon, None).await;
    assert_eq!(code, Some(0), "{said}");
    let row = |table: &str| said.lines().find_map(|line| line.strip_prefix(table)?.trim().parse::<u64>().ok());
    assert_eq!((row("tasks "), row("schedules "), row("transcripts ")), (Some(3), Some(1), Some(2)), "{said}");
    let (code, again) = moved(&daemon, None).await;
    assert!(code == Some(1) && again.contains("is not empty") && again.contains("[conflict]"), "{again}");

    goes_to(&daemon, &addresses(&daemon).1);
    gate.send_replace(true);
    daemon.start().await;
    let task = daemon.end(running).await;
    assert_eq!(task["status"], "completed", "{task}");
    let callbacks = [receiver.next().await, receiver.next().await];
    assert!(callbacks.iter().all(|callback| callback.verified));
    let again = callbacks.iter().find(|callback| callback.id == refused.id).expect("it was not sent again");
    assert_eq!((&again.body, &again.body["data"]["id"]), (&refused.body, &json!(unheard)));
    assert!(callbacks.iter().any(|callback| callback.body["data"]["id"] == running), "{callbacks:?}");
    assert_eq!(daemon.get(&format!("/api/tasks/{done}")).await["result"]["text"], WORDS);
    let media = daemon.http.get(format!("{}/api/tasks/{done}/media", daemon.url)).send().await.unwrap();
    assert_eq!(media.bytes().await.unwrap(), sample_bytes("en-known-04.flac"));
    assert_eq!(daemon.get("/api/tasks?q=near+the+long").await["total"], 2);
    let path = format!("/api/schedules/{}", schedule["id"]);
    assert_eq!(daemon.get(&path).await["name"], "头发 🎬");
    post(&daemon, &format!("{path}/run"), json!({})).await;
    let new = daemon.paste(&link, &receiver.url).await;
    assert!(new > unheard, "a number was given twice");
    assert_eq!(daemon.end(new).await["status"], "completed");
    assert!(daemon.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_moved_by_half_is_never_started_and_is_moved_anew() {
    let (site, receiver) = (Site::start().await, Receiver::start().await);
    let link = site.file("/clip.flac", "audio/flac", sample_bytes("en-known-04.flac"));
    let mut daemon = on_sqlite();
    daemon.start().await;
    let id = daemon.paste(&link, &receiver.url).await;
    assert_eq!(daemon.end(id).await["status"], "completed");
    assert!(daemon.stop().await);
    for (nth, place) in [
        "transfer::batch=return",
        "transfer::batch=4*off->1*return",
        "transfer::words=return",
        "transfer::whole=return",
    ]
    .into_iter()
    .enumerate()
    {
        let (code, said) = moved(&daemon, Some(place)).await;
        assert_eq!(code, None, "{place}: {said}");
        assert_eq!(said.contains("begins anew"), nth > 0, "{place}: {said}");
        goes_to(&daemon, &addresses(&daemon).1);
        let refused = daemon.command().output().await.unwrap();
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(1) && said.contains("moved by half"), "{place}: {said}");
    }
    let (code, said) = moved(&daemon, None).await;
    assert!(code == Some(0) && said.contains("begins anew"), "{said}");
    daemon.start().await;
    assert_eq!(daemon.get(&format!("/api/tasks/{id}")).await["result"]["text"], WORDS);
    assert!(daemon.stop().await);
}
