//! Media in a bucket: the whole road over a real server with S3's API.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use super::{
    s3::{BUCKET, KEYS, S3, Way, Wire},
    support::{Reply, Site, TestApp, sample_bytes, walk},
};

const CLIP: &str = "en-known-04.flac";
const WORDS: &str = "The music is near the long box.";

/// A bucket, a wire to it, and a daemon whose media lie there.
struct Stage {
    s3: S3,
    wire: Wire,
    app: TestApp,
}

/// The settings of a daemon whose bucket is behind this address.
pub(super) fn settings(address: std::net::SocketAddr) -> String {
    format!(
        "storage.url = \"s3://{BUCKET}/trawl\"\nstorage.endpoint = \"http://{address}\"\nstorage.allow_http = true\n\
         storage.access_key = \"{}\"\nstorage.secret_key = \"{}\"",
        KEYS.0, KEYS.1
    )
}

impl Stage {
    async fn set() -> Self {
        let s3 = S3::start().await;
        let wire = Wire::to(s3.address).await;
        let app = TestApp::with(&settings(wire.address)).await;
        Self { s3, wire, app }
    }

    /// Uploads the clip; the task's id.
    async fn upload(&self) -> i64 {
        let (status, task) = self.app.upload(CLIP, sample_bytes(CLIP), &[]).await;
        assert_eq!(status, 202, "{task}");
        task["id"].as_i64().unwrap()
    }

    fn cache(&self) -> PathBuf {
        self.app.folder().join("temp/cache")
    }

    fn wipe(&self) {
        fs::remove_dir_all(self.cache()).unwrap();
        fs::create_dir(self.cache()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_upload_to_the_delete() {
    let stage = Stage::set().await;
    let id = stage.upload().await;
    let task = stage.app.end(id).await;
    assert_eq!(task["result"]["text"], WORDS, "{task}");
    assert_eq!(stage.s3.objects().len(), 1);
    assert!(!stage.app.folder().join("data/media").exists(), "nothing is kept here");
    let bytes = sample_bytes(CLIP);
    let media = format!("{}/api/tasks/{id}/media", stage.app.url);
    let whole = stage.app.http.get(&media).send().await.unwrap().bytes().await.unwrap();
    assert!(whole == bytes);
    let part = stage.app.http.get(&media).header("range", "bytes=100-299").send().await.unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(part.headers()["content-range"], format!("bytes 100-299/{}", bytes.len()).as_str());
    assert!(part.bytes().await.unwrap() == bytes[100..300]);
    // What lies here is only a copy: without it the file comes from the bucket again, for the waveform and for a task.
    stage.wipe();
    let (status, peaks) = stage.app.get(&format!("/api/tasks/{id}/peaks?points=4")).await;
    assert_eq!((status, peaks["peaks"].as_array().map(Vec::len)), (200, Some(4)), "{peaks}");
    stage.wipe();
    let again = stage.app.submit(json!({ "media_id": task["media"]["id"] })).await;
    assert_eq!(stage.app.end(again).await["result"]["text"], WORDS);
    assert_eq!((stage.s3.objects().len(), walk(&stage.cache()).len()), (1, 1));
    for task in [id, again] {
        assert_eq!(stage.app.delete(&format!("/api/tasks/{task}")).await, 204);
    }
    stage.app.eventually("an empty bucket", || stage.s3.objects().is_empty()).await;
    assert_eq!(walk(&stage.cache()).len(), 0);
    stage.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_break_on_the_way_are_nobodys_concern() {
    let stage = Stage::set().await;
    // In the middle of the file on its way there, and on its way back.
    stage.wire.cut_after(Way::Up, 10_000, false);
    let id = stage.upload().await;
    assert_eq!(stage.app.end(id).await["result"]["text"], WORDS);
    assert_eq!((stage.wire.cuts(), stage.s3.objects().len()), (1, 1));
    stage.wipe();
    stage.wire.cut_after(Way::Down, 10_000, false);
    let (status, peaks) = stage.app.get(&format!("/api/tasks/{id}/peaks")).await;
    assert_eq!((status, stage.wire.cuts()), (200, 2), "{peaks}");
    stage.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storage_that_is_away_is_told_and_work_goes_on_when_it_is_back() {
    let stage = Stage::set().await;
    let id = stage.upload().await;
    let media = stage.app.end(id).await["media"]["id"].clone();
    stage.wipe();
    stage.wire.cut_after(Way::Up, 1, true);
    let (status, problem) = stage.app.get(&format!("/api/tasks/{id}/media")).await;
    assert_eq!((status, problem["code"].as_str()), (503, Some("storage")), "{problem}");
    assert!(!problem.to_string().contains(KEYS.1) && !problem.to_string().contains(&stage.wire.address.to_string()));
    // The step that needs the file waits for another try, and then it is there.
    let again = stage.app.submit(json!({ "media_id": media })).await;
    let is_retried = |step: &Value| step["state"] == "ready" && step["attempt"] != 0;
    stage.app.until(again, |task| task["steps"].as_array().unwrap().iter().any(is_retried)).await;
    stage.wire.mend();
    let task = stage.app.end(again).await;
    assert_eq!(task["result"]["text"], WORDS, "{task}");
    stage.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_bytes_than_were_kept_are_never_heard() {
    let stage = Stage::set().await;
    let id = stage.upload().await;
    let task = stage.app.end(id).await;
    stage.wipe();
    let object = &stage.s3.objects()[0];
    let mut bytes = fs::read(object).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(object, bytes).unwrap();
    let again = stage.app.submit(json!({ "media_id": task["media"]["id"] })).await;
    let task = stage.app.end(again).await;
    assert_eq!((&task["status"], &task["error"]["code"]), (&json!("failed"), &json!("storage")), "{task}");
    assert!(task["error"]["detail"].as_str().unwrap().contains("SHA-256"), "{task}");
    assert_eq!(walk(&stage.cache()).len(), 0);
    stage.app.finish().await;
}

/// The same file from the same place is kept once; another one takes its place.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_downloaded_again_leaves_one_object() {
    let stage = Stage::set().await;
    let site = Site::start().await;
    let link = site.file("/clip.flac", "audio/flac", sample_bytes(CLIP));
    let mut objects = Vec::new();
    for turn in 0..3 {
        if turn == 2 {
            let mut other = sample_bytes(CLIP);
            // The same sound in other bytes: something after the last frame.
            other.extend([0; 64]);
            site.put("/clip.flac", Reply::Body("audio/flac", other));
        }
        let id = stage.app.paste(&link).await;
        assert_eq!(stage.app.end(id).await["result"]["text"], WORDS);
        stage.app.eventually("one object", || stage.s3.objects().len() == 1).await;
        objects.extend(stage.s3.objects());
    }
    assert!(objects[0] == objects[1] && objects[1] != objects[2], "{objects:?}");
    stage.app.finish().await;
}

/// What a node has left that died between keeping a file and naming it goes; what a row names stays, however old.
#[tokio::test(flavor = "multi_thread")]
async fn strays_go_and_what_has_a_name_stays() {
    let stage = Stage::set().await;
    let id = stage.upload().await;
    stage.app.end(id).await;
    let named = stage.s3.objects();
    let files = &stage.app.app.services.files;
    let mut upload = files.new_upload().await.unwrap();
    upload.write(b"kept by somebody who died").await.unwrap();
    upload.finish().await.unwrap();
    let stray = files.keep(upload.path()).await.unwrap();
    assert_eq!((stage.s3.objects().len(), walk(&stage.cache()).len()), (2, 2));
    let day = std::time::Duration::from_secs(24 * 60 * 60);
    stage.app.app.sweep_kept(day).await;
    assert_eq!(stage.s3.objects().len(), 2, "it may be on its way into a row");
    let yesterday = std::time::SystemTime::now() - 2 * day;
    for object in stage.s3.objects() {
        fs::File::options().append(true).open(object).unwrap().set_modified(yesterday).unwrap();
    }
    stage.app.app.sweep_kept(day).await;
    assert_eq!(stage.s3.objects(), named);
    assert!(!files.cached().contains(&stray.key));
    assert_eq!(files.cached().len(), 1);
    stage.app.finish().await;
}

/// A daemon that is started with a new database on an old bucket does not empty it.
#[tokio::test(flavor = "multi_thread")]
async fn another_databases_files_are_left_alone() {
    let stage = Stage::set().await;
    let files = &stage.app.app.services.files;
    for n in 0..20 {
        let mut upload = files.new_upload().await.unwrap();
        upload.write(&[n]).await.unwrap();
        upload.finish().await.unwrap();
        files.keep(upload.path()).await.unwrap();
    }
    stage.app.app.sweep_kept(std::time::Duration::ZERO).await;
    assert_eq!(stage.s3.objects().len(), 20);
    // With one that is its own it is the database of this bucket.
    let id = stage.upload().await;
    stage.app.end(id).await;
    stage.app.app.sweep_kept(std::time::Duration::ZERO).await;
    assert_eq!(stage.s3.objects().len(), 1);
    stage.app.finish().await;
}
