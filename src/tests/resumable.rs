//! Uploads in pieces: a foreign client, and the daemon killed in the middle. `make test` puts the client in place
//! (scripts/clients.sh).

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde_json::json;
use tokio::{process::Command, sync::oneshot};

use super::support::{Daemon, TestApp, root, sample, sample_bytes};

const CLIP: &str = "en-known-04.flac";
const WORDS: &str = "The music is near the long box.";

/// What a person of another world writes: begins, stops in the middle, finds the place again, goes on.
const CLIENT: &str = r#"
import sys
from tusclient import client
server, path, chunk = client.TusClient(sys.argv[1]), sys.argv[2], int(sys.argv[3])
first = server.uploader(path, metadata={"filename": "a talk.flac"}, chunk_size=chunk, upload_checksum=True)
first.upload(stop_at=2 * chunk)
again = server.uploader(path, url=first.url, chunk_size=chunk)
assert again.offset == 2 * chunk, again.offset
again.upload()
print(first.url)
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_client_uploads_in_pieces() {
    let app = TestApp::start().await;
    let python = root().join("target/clients/bin/python");
    assert!(python.is_file(), "not installed: {} (run scripts/clients.sh, or make test)", python.display());
    let mut client = Command::new(python);
    client.args(["-c", CLIENT, &format!("{}/api/uploads", app.url)]).arg(sample(CLIP)).arg("5000").kill_on_drop(true);
    let done = client.env("NO_PROXY", "*").output().await.unwrap();
    let text = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{text}{}", String::from_utf8_lossy(&done.stderr));
    let id = text.trim().rsplit('/').next().unwrap();
    let (status, task) = app.post("/api/tasks", json!({ "upload_id": id })).await;
    assert_eq!(status, 202, "{task}");
    let task = app.end(task["id"].as_i64().unwrap()).await;
    assert_eq!((&task["result"]["text"], &task["media"]["title"]), (&WORDS.into(), &"a talk.flac".into()), "{task}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_after_the_daemon_was_killed() {
    let (clip, mut daemon) = (sample_bytes(CLIP), Daemon::new(""));
    daemon.start().await;
    let tus = |daemon: &Daemon, method: &str, path: &str| {
        let request = daemon.http.request(method.parse().unwrap(), format!("{}{path}", daemon.url));
        request.header("tus-resumable", "1.0.0").header("content-type", "application/offset+octet-stream")
    };
    let begin = tus(&daemon, "POST", "/api/uploads").header("upload-length", clip.len()).body(clip[..3000].to_vec());
    let begun = begin.send().await.unwrap();
    assert_eq!(begun.status(), 201);
    let path = begun.headers()["location"].to_str().unwrap().to_owned();

    // The next piece stays half, and the daemon dies while it waits for the rest.
    let (sent, half) = oneshot::channel();
    let mut sent = Some(sent);
    let first = Bytes::copy_from_slice(&clip[3000..6000]);
    let pieces = stream::iter([Ok::<_, std::io::Error>(first)]).chain(stream::poll_fn(move |_| {
        sent.take().into_iter().for_each(|sent| sent.send(()).unwrap());
        std::task::Poll::Pending
    }));
    let cut = tus(&daemon, "PATCH", &path).header("upload-offset", 3000).body(reqwest::Body::wrap_stream(pieces));
    let cut = tokio::spawn(cut.send());
    half.await.unwrap();
    daemon.kill().await;
    assert!(cut.await.unwrap().is_err());

    daemon.start().await;
    let head = tus(&daemon, "HEAD", &path).send().await.unwrap();
    let offset: usize = head.headers()["upload-offset"].to_str().unwrap().parse().unwrap();
    assert!((3000..=6000).contains(&offset), "{offset}");
    let rest = tus(&daemon, "PATCH", &path).header("upload-offset", offset).body(clip[offset..].to_vec());
    assert_eq!(rest.send().await.unwrap().status(), 204);
    let body = json!({ "upload_id": path.rsplit('/').next().unwrap() });
    let task = daemon.http.post(format!("{}/api/tasks", daemon.url)).json(&body).send().await.unwrap();
    let task: serde_json::Value = task.json().await.unwrap();
    let task = daemon.end(task["id"].as_i64().unwrap()).await;
    assert_eq!(task["result"]["text"], WORDS, "{task}");
    assert!(daemon.stop().await, "the daemon did not stop cleanly");
}
