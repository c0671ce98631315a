//! The daemon as a process: what it refuses to start with, and how it stops.

use std::{
    process::{Output, Stdio},
    time::Duration,
};

use tokio::sync::watch;
use trawl::{
    domain::{TaskId, TokenId},
    store::Store,
};

use super::support::{Daemon, Event, Receiver, Reply, Site, program, sample_bytes, test_url};

const WORDS: &str = "The music is near the long box.";
/// A drain that outlasts every test: who waits for it fails.
const ENDLESS_DRAIN: &str = "queue.drain = \"1h\"";
/// A host that lets us wait must not be given up meanwhile.
const PATIENT: &str = "net.first_byte_timeout = \"1h\"\nnet.stall_window = \"1h\"";

/// Runs a daemon that should refuse to start; returns what it has said on stderr.
async fn refused(daemon: &Daemon) -> String {
    let output = daemon.command().stdout(Stdio::piped()).stderr(Stdio::piped()).output();
    let output: Output = tokio::time::timeout(Duration::from_secs(30), output).await.expect("it has started").unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), b"".as_slice()), "{said}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_daemon_on_the_same_database_is_refused() {
    let mut daemon = Daemon::new("");
    daemon.start().await;
    let url = std::fs::read_to_string(daemon.folder().join("data/url")).unwrap();
    let said = refused(&daemon).await;
    assert!(said.contains("[database_locked]") && said.contains("`paths.data`"), "{said}");
    assert_eq!(daemon.get("/live").await["status"], "live");
    assert_eq!(daemon.get("/ready").await["status"], "ready");
    // The second one must not have taken the first one's address away.
    assert_eq!(std::fs::read_to_string(daemon.folder().join("data/url")).unwrap(), url);
    assert!(daemon.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_make_no_sense_stop_the_start() {
    for (more, code, words) in [
        ("queue.laese = \"5s\"", "config", "Did you mean `queue.lease`?"),
        ("sever.bind = \"127.0.0.1:0\"", "config", "`sever.bind`"),
        ("server.role = \"worker\"", "config", "SQLite"),
        ("engine.slots = \"many\"", "config", "engine.slots"),
        ("log.level = \"[\"", "config", "`log.level`"),
        ("net.allow_hosts = [\"a b\"]", "config", "`net.allow_hosts`"),
        ("callbacks.secret = \"short\"", "config", "`callbacks.secret`"),
        ("media.ffmpeg = \"/nowhere/ffmpeg\"", "ffmpeg_missing", "ffmpeg"),
    ] {
        let said = refused(&Daemon::new(more)).await;
        assert!(said.contains(&format!("[{code}]")) && said.contains(words), "{more}: {said}");
        assert!(said.trim_end().ends_with(['.', '?']), "{more}: no hint: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_an_open_address_tokens_are_needed_unless_the_operator_says_otherwise() {
    let mut daemon = Daemon::new("server.bind = \"0.0.0.0:0\"");
    daemon.start().await;
    assert!(daemon.url.starts_with("http://0.0.0.0:"), "{}", daemon.url);
    let status = async |request: reqwest::RequestBuilder| request.send().await.unwrap().status().as_u16();
    let tasks = || daemon.http.get(format!("{}/api/tasks", daemon.url));
    assert_eq!(status(tasks()).await, 401);
    // The first token is made beside the running daemon.
    let token = token(&daemon, &["create", "--name", "first", "--scope", "read,submit"]).await;
    assert!(token.starts_with("trw_") && token.lines().count() == 1, "{token}");
    assert_eq!(status(tasks().bearer_auth(token.trim())).await, 200);
    let listed = self::token(&daemon, &["list"]).await;
    assert!(listed.contains(" read,submit ") && listed.contains("first") && !listed.contains(&token[13..]), "{listed}");
    assert_eq!(self::token(&daemon, &["revoke", "1"]).await, "1: revoked\n");
    assert_eq!(status(tasks().bearer_auth(token.trim())).await, 401);
    assert!(daemon.stop().await);
    // What was counted in memory was written on the way out.
    let store = Store::open(&test_url(daemon.folder())).await.unwrap();
    let used = store.usage(Some(TokenId(1)), 0).await.unwrap();
    assert_eq!((used.len(), used[0].usage.requests), (1, 1));
    assert!(store.token(TokenId(1)).await.unwrap().unwrap().last_used_at.is_some());
    let mut daemon = Daemon::new("server.bind = \"0.0.0.0:0\"\nauth.mode = \"off\"");
    daemon.start().await;
    assert_eq!(daemon.http.get(format!("{}/api/tasks", daemon.url)).send().await.unwrap().status(), 200);
    assert!(daemon.stop().await);
}

/// What `trawl token` prints for this daemon.
async fn token(daemon: &Daemon, args: &[&str]) -> String {
    let mut command = tokio::process::Command::new(program());
    let done = command.arg("token").args(args).arg("--config").arg(daemon.config()).output().await.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let said = refused(&Daemon::new(&format!("server.bind = \"{address}\""))).await;
    assert!(said.contains(&address.to_string()) && said.contains("--bind"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_url_file_is_there_while_it_runs_and_idle_it_stops_at_once() {
    let mut daemon = Daemon::new(ENDLESS_DRAIN);
    daemon.start().await;
    let file = daemon.folder().join("data/url");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), daemon.url);
    assert!(daemon.stop().await);
    assert!(!file.exists(), "the url file is left behind");
    assert!(daemon.log().contains("stopped"), "{}", daemon.log());
}

/// A daemon in the middle of a download that hangs until the gate opens.
async fn downloading(more: &str) -> (Daemon, Site, watch::Sender<bool>, i64) {
    let (gate, opened) = watch::channel(false);
    let site = Site::start().await;
    let page = site.page("/page", "<audio src='clip.flac'></audio>");
    let clip = Reply::Body("audio/flac", sample_bytes("en-known-04.flac"));
    site.put("/clip.flac", Reply::Gated(opened, Box::new(clip)));
    let mut daemon = Daemon::new(&format!("{PATIENT}\n{more}"));
    daemon.start().await;
    let id = daemon.paste(&page, "").await;
    site.asked_for("/clip.flac").await;
    daemon.follow(id, |event| event.is_step("media", "running")).await.expect("the download never started");
    (daemon, site, gate, id)
}

/// State and tries of the download, read from the database of a daemon that does not run.
async fn download_of(daemon: &Daemon, id: i64) -> (String, i64, i64) {
    let store = Store::open(&test_url(daemon.folder())).await.unwrap();
    let rows = store.steps_of(TaskId(id)).await.unwrap();
    let step = &rows.iter().find(|row| row.step.key == "media").unwrap().step;
    (step.state.to_string(), step.attempt, step.crashes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_in_the_middle_of_a_download_costs_no_try() {
    let (mut daemon, _site, gate, id) = downloading("queue.drain = \"200ms\"").await;
    assert!(daemon.stop().await, "{}", daemon.log());
    assert_eq!(download_of(&daemon, id).await, ("ready".to_owned(), 0, 0));
    gate.send_replace(true);
    daemon.start().await;
    let task = daemon.end(id).await;
    assert_eq!((task["status"].as_str(), task["result"]["text"].as_str()), (Some("completed"), Some(WORDS)), "{task}");
    assert_eq!(task["steps"][1]["attempt"], 1, "{task}");
    let events = daemon.follow(id, Event::is_end).await.unwrap();
    assert_eq!(events.iter().filter(|event| event.is_step("media", "running")).count(), 2);
    assert!(daemon.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_waits_for_what_runs() {
    let (mut daemon, _site, gate, id) = downloading(ENDLESS_DRAIN).await;
    daemon.term();
    daemon.until_logged("stopping").await;
    let health = daemon.http.get(format!("{}/ready", daemon.url)).send().await.unwrap();
    assert_eq!(health.status(), 503);
    assert_eq!(health.json::<serde_json::Value>().await.unwrap()["code"], "shutting_down");
    gate.send_replace(true);
    assert!(daemon.ended().await, "{}", daemon.log());
    assert_eq!(download_of(&daemon, id).await.0, "succeeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_cuts_the_drain() {
    let (mut daemon, _site, _gate, id) = downloading(ENDLESS_DRAIN).await;
    daemon.term();
    daemon.until_logged("stopping").await;
    daemon.term();
    assert!(daemon.ended().await, "{}", daemon.log());
    assert_eq!(download_of(&daemon, id).await, ("ready".to_owned(), 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_never_answers_does_not_hold_the_stop_up() {
    for (drain, signals) in [("200ms", 1), ("1h", 2)] {
        let (site, mut receiver) = (Site::start().await, Receiver::start().await);
        let link = site.file("/clip.flac", "audio/flac", sample_bytes("en-known-04.flac"));
        let patient = format!("{PATIENT}\ncallbacks.timeout = \"1h\"\nqueue.drain = \"{drain}\"");
        let mut daemon = Daemon::new(&patient);
        daemon.start().await;
        receiver.open(false);
        let id = daemon.paste(&link, &receiver.url).await;
        let first = receiver.next().await;
        daemon.term();
        if signals == 2 {
            daemon.until_logged("stopping").await;
            daemon.term();
        }
        assert!(daemon.ended().await, "{}", daemon.log());
        receiver.open(true);
        daemon.start().await;
        let again = receiver.next().await;
        assert_eq!((first.id, first.body), (again.id, again.body));
        assert_eq!(daemon.end(id).await["status"], "completed");
        assert!(daemon.stop().await);
        assert!(receiver.try_next().is_none(), "a delivery that was answered came again");
    }
}
