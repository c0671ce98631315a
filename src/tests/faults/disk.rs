//! A disk that is full, broken or can only be read: it is told, nothing half is seen, and all goes on when it is better.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::{
    sized,
    world::{CLIP, WORDS, is_sound, sha256},
};
use crate::support::{Daemon, Event, Reply, Site, is_server, multipart, sample_bytes, walk};

/// A workflow that tries again at once.
const FLOW: &str = r#"{
  "dsl": 1, "name": "again", "params": { "link": { "type": "url" } },
  "steps": {
    "source": { "use": "resolve", "with": { "link": "${params.link}" } },
    "media": { "use": "download", "with": { "from": "${steps.source.output}" }, "retry": { "max": 5, "first": "100ms" } },
    "text": { "use": "transcribe", "with": { "media": "${steps.media.output}" }, "retry": { "max": 5, "first": "100ms" } }
  },
  "output": { "text": "${steps.text.output.text}" }
}"#;

/// The file that fills a disk.
const BALLAST: &str = "ballast";

/// ENOSPC, EDQUOT, EROFS, EIO, and then nothing more.
const ALL: &str = "1*return(28)->1*return(122)->1*return(30)->1*return(5)->off";

async fn json(answer: reqwest::Response) -> (u16, Value) {
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn upload(daemon: &Daemon, tail: &str) -> (u16, Value) {
    let bytes = [sample_bytes(CLIP), tail.as_bytes().to_vec()].concat();
    let request = daemon.http.post(format!("{}/api/tasks/upload", daemon.url));
    json(multipart(request, CLIP, bytes, &[]).send().await.unwrap()).await
}

/// What can be seen of kept files is whole.
fn nothing_half(media: &Path) {
    for file in walk(media).into_iter().filter(|file| !file.ends_with(BALLAST)) {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        assert_eq!(sha256(&std::fs::read(&file).unwrap()), name, "{}", file.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_refuses_is_told_and_done_later() {
    let site = Site::start().await;
    let link = site.file("/clip.mp3", "audio/mpeg", sample_bytes(CLIP));
    let mut daemon = Daemon::new("");
    let media = daemon.folder().join("data/media");
    for (place, refused) in
        [("disk::upload", true), ("disk::keep", true), ("disk::download", false), ("disk::samples", false)]
    {
        daemon.env = vec![("FAILPOINTS", format!("disk::soon=return;{place}={ALL}"))];
        daemon.start().await;
        if refused {
            for code in ["insufficient_storage", "insufficient_storage", "insufficient_storage", "io"] {
                let (status, problem) = upload(&daemon, place).await;
                assert_eq!(
                    (status, &problem["code"]),
                    (if code == "io" { 500 } else { 507 }, &json!(code)),
                    "{problem}"
                );
                assert!(problem["hint"].as_str().is_some_and(|hint| hint.contains("disk")), "{problem}");
                nothing_half(&media);
            }
            let (status, task) = upload(&daemon, place).await;
            assert_eq!(status, 202, "{task}");
            assert_eq!(daemon.end(task["id"].as_i64().unwrap()).await["result"]["text"], WORDS);
        } else {
            let made: Value = serde_json::from_str(FLOW).unwrap();
            daemon.http.post(format!("{}/api/workflows", daemon.url)).json(&made).send().await.unwrap();
            let body = json!({ "link": link, "workflow": "again" });
            let answer = daemon.http.post(format!("{}/api/tasks", daemon.url)).json(&body).send().await.unwrap();
            let id = json(answer).await.1["id"].as_i64().unwrap();
            let task = daemon.end(id).await;
            assert_eq!(task["result"]["text"], WORDS, "{task}");
            // Want of room costs no try, a broken disk costs one.
            let most = task["steps"].as_array().unwrap().iter().filter_map(|step| step["attempt"].as_i64()).max();
            assert_eq!(most, Some(2), "{task}");
            let events = daemon.follow(id, Event::is_end).await.unwrap();
            let waits = |event: &&Event| event.data["waiting"]["code"] == "insufficient_storage";
            assert!(events.iter().any(|event| waits(&event)), "nobody was told why it waits");
        }
        nothing_half(&media);
        assert!(daemon.stop().await, "{}", daemon.log());
    }
    is_sound(&daemon).await;
}

/// A daemon whose folders are small disks of their own, which only it and its children see.
struct Small {
    daemon: Daemon,
    root: PathBuf,
}

/// What is mounted, with its size in MiB.
const DISKS: [(&str, u32); 3] = [("data", 24), ("data/media", 4), ("temp", 4)];

impl Small {
    /// None where nothing can be mounted.
    async fn start(reserve: u32) -> Option<Self> {
        let mut daemon = Daemon::new(&format!("uploads.reserve_bytes = {reserve}"));
        let mounts = DISKS.map(|(name, size)| {
            let path = daemon.folder().join(name);
            format!("mkdir -p '{0}' && mount -t tmpfs -o size={size}m none '{0}' && ", path.display())
        });
        let mut by: Vec<String> = if is_root() { vec!["unshare", "-m"] } else { vec!["unshare", "-r", "-m"] }
            .into_iter()
            .map(str::to_owned)
            .collect();
        by.extend(["--propagation", "private", "sh", "-c"].map(str::to_owned));
        let possible = Command::new(&by[0]).args(&by[1..]).arg(format!("{}true", mounts.concat())).output();
        if !possible.is_ok_and(|done| done.status.success()) {
            eprintln!("nothing can be mounted here: a full disk was not tested");
            return None;
        }
        by.extend([format!("{}exec \"$@\"", mounts.concat()), "sh".to_owned()]);
        daemon.by = by;
        if sized(0, 1) == 0 {
            // What waits for room looks for it twice in a second, not in a minute.
            daemon.env = vec![("FAILPOINTS", "disk::soon=return".to_owned())];
        }
        daemon.start().await;
        let root = PathBuf::from(format!("/proc/{}/root", daemon.pid()));
        Some(Self { daemon, root })
    }

    /// One of its folders, as it sees it.
    fn at(&self, name: &str) -> PathBuf {
        let folder = self.daemon.folder();
        self.root.join(folder.strip_prefix("/").unwrap()).join(name)
    }

    /// Fills a disk to the last byte.
    fn fill(&self, name: &str) -> PathBuf {
        let path = self.at(name).join(BALLAST);
        let mut file = std::fs::File::create(&path).unwrap();
        for size in [65_536, 4_096, 1] {
            while file.write_all(&vec![1; size]).is_ok() {}
        }
        path
    }

    /// Mounts a disk anew.
    fn remount(&self, name: &str, how: &str) {
        let mut enter = Command::new("nsenter");
        enter.arg("-t").arg(self.daemon.pid().to_string()).arg("-m");
        if !is_root() {
            enter.args(["-U", "--preserve-credentials"]);
        }
        let path = self.daemon.folder().join(name);
        let done = enter.args(["mount", "-o"]).arg(format!("remount,{how}")).arg(path).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    async fn ready(&self) -> (u16, Value) {
        json(self.daemon.http.get(format!("{}/ready", self.daemon.url)).send().await.unwrap()).await
    }
}

fn is_root() -> bool {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

#[tokio::test(flavor = "multi_thread")]
async fn small_disks_that_are_full_for_a_while() {
    if is_server() {
        return;
    }
    let site = Site::start().await;
    let link = site.file("/clip.mp3", "audio/mpeg", sample_bytes(CLIP));
    let Some(small) = Small::start(1 << 20).await else { return };
    let daemon = &small.daemon;
    let mut tasks = vec![daemon.paste(&link, "").await];
    daemon.end(tasks[0]).await;
    let no_room = |(status, problem): (u16, Value)| {
        assert_eq!((status, &problem["code"]), (507, &json!("insufficient_storage")), "{problem}");
        assert!(!problem["hint"].as_str().unwrap().is_empty(), "{problem}");
    };
    for (name, is_read_only) in [("temp", false), ("data/media", false), ("data/media", true)] {
        let ballast = (!is_read_only).then(|| small.fill(name));
        if is_read_only {
            small.remount(name, "ro");
        }
        no_room(small.ready().await);
        no_room(upload(daemon, name).await);
        let id = daemon.paste(&link, "").await;
        tasks.push(id);
        let events = daemon.follow(id, |event| event.data["waiting"]["code"] == "insufficient_storage").await;
        assert!(events.is_some(), "nobody was told why it waits");
        nothing_half(&small.at("data/media"));
        match ballast {
            Some(ballast) => std::fs::remove_file(ballast).unwrap(),
            None => small.remount(name, "rw"),
        }
        let begun = Instant::now();
        assert_eq!(small.ready().await.0, 200);
        let (status, task) = upload(daemon, name).await;
        assert_eq!(status, 202, "{task}");
        tasks.push(task["id"].as_i64().unwrap());
        for id in &tasks {
            assert_eq!(daemon.end(*id).await["result"]["text"], WORDS);
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "it took {:?}", begun.elapsed());
    }
}

/// The disk of the database alone is full: nothing is taken in, what was taken in stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_room() {
    if is_server() {
        return;
    }
    let (site, gate) = (Site::start().await, watch::Sender::new(false));
    let clip = Reply::Body("audio/mpeg", sample_bytes(CLIP));
    let link = site.put("/clip.mp3", Reply::Gated(gate.subscribe(), Box::new(clip)));
    let Some(small) = Small::start(0).await else { return };
    let daemon = &small.daemon;
    // Long, so that what there is of room is soon used up.
    let post = async || {
        let body = json!({ "link": format!("{link}?{}", "x".repeat(6_000)) });
        json(daemon.http.post(format!("{}/api/tasks", daemon.url)).json(&body).send().await.unwrap()).await
    };
    let (mut tasks, mut refused) = (Vec::new(), 0);
    let ballast = small.fill("data");
    while refused < 5 {
        let (status, answer) = post().await;
        if status == 202 {
            // There was room for one more between what is written already.
            tasks.push(answer["id"].as_i64().unwrap());
        } else {
            assert_eq!((status, &answer["code"]), (503, &json!("database")), "{answer}");
            assert!(answer["hint"].as_str().unwrap().contains("disk space"), "{answer}");
            refused += 1;
        }
        assert_eq!(daemon.get("/live").await["status"], "live");
        assert!(tasks.len() < 2_000, "it takes in whatever comes");
    }
    gate.send_replace(true);
    std::fs::remove_file(ballast).unwrap();
    let begun = Instant::now();
    let (status, task) = post().await;
    assert_eq!(status, 202, "{task}");
    tasks.push(task["id"].as_i64().unwrap());
    for id in &tasks {
        assert_eq!(daemon.end(*id).await["result"]["text"], WORDS);
    }
    assert!(begun.elapsed() < Duration::from_secs(60), "it took {:?}", begun.elapsed());
}
