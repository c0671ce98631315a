//! Links that are taken on and then lead to nothing good. One daemon as a process of its own, because its log and its
//! children are looked at, too.

use std::{io::ErrorKind, net::TcpListener, process::Command, time::Duration};

use serde_json::{Value, json};

use super::{
    super::support::{Daemon, Reply, SECRET, Site, sample_bytes, walk},
    MARKER, check_words,
};

/// How a task ends, or that a step goes back to the queue.
#[derive(Clone, Copy, Debug)]
enum End {
    Fails(&'static str),
    Again(&'static str, &'static str),
}
use End::{Again, Fails};

/// A file made by ffmpeg.
fn made(name: &str, arguments: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-nostdin", "-v", "error"]).args(arguments.split_whitespace()).arg(&path);
    assert!(ffmpeg.status().unwrap().success(), "{name}");
    std::fs::read(path).unwrap()
}

/// The site with everything that is wrong, as case, link and end.
fn cases(site: &Site, off_limits: u16, closed: u16) -> Vec<(&'static str, String, End)> {
    let text = |tail: &str| format!("{MARKER} {tail}").into_bytes();
    let html = || format!("<!doctype html><title>{MARKER}</title><p>{MARKER}</p>");
    let page = |path: &str, body: &str| site.page(path, &format!("{}{body}", html()));
    let audio = |path: &str, body: Vec<u8>| site.file(path, "audio/mpeg", body);
    let film = sample_bytes("en-new-10.m4a");
    let wave = made("a.wav", "-f lavfi -i sine=d=10 -ar 8000");
    let silent = made("silent.mp4", "-f lavfi -i color=size=64x64:rate=5:duration=1");
    let long = made("long.wav", "-f lavfi -i sine=d=30 -ar 8000 -c:a pcm_u8");
    let live = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n0.ts\n#EXTINF:4,\n1.ts\n";
    let away = format!("http://127.0.0.1:{off_limits}/{MARKER}.mp3");
    let evil_list = format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{away}\n#EXT-X-ENDLIST\n");
    let playlist = |path: &str, body: &str| site.file(path, "application/vnd.apple.mpegurl", body.as_bytes().to_vec());
    let local_list = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n";
    audio("/page.mp3", html().into_bytes());
    audio("/none.mp3", Vec::new());
    site.put("/loop1", Reply::Redirect(format!("{}/loop2", site.url)));
    let status = |code: u16| site.put(&format!("/status/{code}"), Reply::Status(code, MARKER));
    let redirect = |path: &str, to: &str| site.put(path, Reply::Redirect(to.to_owned()));
    vec![
        ("404", status(404), Fails("source_not_found")),
        ("410", status(410), Fails("source_not_found")),
        ("401", status(401), Fails("source_forbidden")),
        ("403", status(403), Again("source", "source_blocked")),
        ("451", status(451), Fails("region_blocked")),
        ("429", status(429), Again("source", "rate_limited")),
        ("500", status(500), Again("source", "source_error")),
        ("503", status(503), Again("source", "source_error")),
        ("no server", format!("http://127.0.0.1:{closed}/a.mp3"), Again("source", "connect_failed")),
        ("no host", "http://something.invalid/a.mp3".to_owned(), Again("source", "host_not_found")),
        ("a page as mp3", site.page("/words.mp3", &html()), Fails("no_media_found")),
        ("a page without media", page("/empty", ""), Fails("no_media_found")),
        ("a page of media that is a page", page("/p1", "<audio src='page.mp3'></audio>"), Fails("not_media")),
        ("a page of nothing", page("/p2", "<audio src='none.mp3'></audio>"), Fails("empty_media")),
        ("a page of a missing file", page("/p3", "<audio src='gone.mp3'></audio>"), Fails("source_not_found")),
        ("a page of a local file", page("/p4", "<audio src='file:///etc/passwd'></audio>"), Fails("no_media_found")),
        ("a page that leads away", page("/p5", &format!("<audio src='{away}'></audio>")), Fails("address_refused")),
        (
            "a page that embeds what is away",
            page("/p6", &format!("<iframe src='{away}'></iframe>")),
            Fails("no_media_found"),
        ),
        ("nothing at all", audio("/zero.mp3", Vec::new()), Fails("empty_media")),
        ("JSON", site.file("/j", "application/json", text("{}")), Fails("no_media_found")),
        ("plain text", site.file("/t", "text/plain", text("")), Fails("no_media_found")),
        ("text as sound", audio("/t.mp3", text("and more words")), Fails("not_media")),
        ("a picture", site.file("/i.png", "image/png", text("")), Fails("no_media_found")),
        (
            "half an m4a",
            site.file("/half.m4a", "audio/mp4", film[..film.len() / 3].to_vec()),
            Again("media", "truncated"),
        ),
        ("half a wav", site.file("/half.wav", "audio/wav", wave[..wave.len() / 2].to_vec()), Fails("truncated")),
        ("a silent film", site.file("/silent.mp4", "video/mp4", silent), Fails("no_audio")),
        ("a long one", site.file("/long.wav", "audio/wav", long), Fails("too_long")),
        ("a large one", audio("/large.mp3", [b"ID3".as_slice(), &[0; 1_000_000]].concat()), Fails("too_large")),
        ("a redirect away", redirect("/away", &away), Fails("address_refused")),
        ("a redirect to a file", redirect("/file", "file:///etc/passwd"), Fails("redirect_refused")),
        ("a redirect with a name", redirect("/user", "http://u:p@example.com/"), Fails("redirect_refused")),
        ("a redirect loop", redirect("/loop2", &format!("{}/loop1", site.url)), Fails("too_many_redirects")),
        ("a live stream", playlist("/live.m3u8", live), Fails("live_not_supported")),
        ("a stream from away", playlist("/away.m3u8", &evil_list), Fails("address_refused")),
        ("a stream of local files", playlist("/local.m3u8", local_list), Fails("no_media_found")),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_source_has_its_code_and_leaves_nothing() {
    let site = Site::start().await;
    let canary = TcpListener::bind("127.0.0.1:0").unwrap();
    canary.set_nonblocking(true).unwrap();
    let off_limits = canary.local_addr().unwrap().port();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let here = site.url.trim_start_matches("http://");
    let mut daemon = Daemon::new(&format!(
        "net.allow_hosts = [\"{here}\", \"127.0.0.1:{closed}\"]\nnet.first_byte_timeout = \"60s\"\nlog.level = \"debug\"\n\
         net.max_media_bytes = 1000000\nmedia.max_duration = \"20s\"\nqueue.net = 32"
    ));
    daemon.start().await;
    let mut tasks = Vec::new();
    for (case, link, end) in cases(&site, off_limits, closed) {
        tasks.push((daemon.paste(&link, "").await, case, end));
    }
    for (id, case, end) in &tasks {
        check_end(&daemon, *id, case, *end).await;
    }
    let refused = canary.accept().is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
    assert!(refused, "somebody connected to an address that is refused");

    let left = walk(&daemon.folder().join("temp"));
    assert!(left.is_empty(), "left in the working folders: {left:?}");
    let children = children(daemon.pid());
    assert!(children.iter().all(|(_, name)| name == "trawl"), "left running: {children:?}");
    for (id, ..) in &tasks {
        let answer = daemon.http.delete(format!("{}/api/tasks/{id}", daemon.url)).send().await.unwrap();
        assert_eq!(answer.status(), 204);
    }
    let kept = walk(&daemon.folder().join("data/media"));
    assert!(kept.is_empty(), "kept without a task: {kept:?}");
    assert!(daemon.stop().await);
    for (pid, name) in children {
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "{name} outlives the daemon");
    }
    let log = daemon.log();
    assert!(log.contains("step failed") && log.contains("not_media"), "{log}");
    for secret in [MARKER, SECRET] {
        let told: Vec<&str> = log.lines().filter(|line| line.contains(secret)).collect();
        assert!(told.is_empty(), "the log tells {secret}: {told:?}");
    }
}

/// Follows a task to its end, or to the step that waits for its next try, and cancels it then.
async fn check_end(daemon: &Daemon, id: i64, case: &str, end: End) {
    let is_back =
        |step: &str, data: &Value| data["step"] == step && data["state"] == "ready" && !data["error"].is_null();
    let wanted = |event: &super::super::support::Event| match end {
        Again(step, _) => is_back(step, &event.data) || event.is_end(),
        Fails(_) => event.is_end(),
    };
    let follow = daemon.follow(id, wanted);
    let events = tokio::time::timeout(Duration::from_secs(60), follow).await;
    let events = events.unwrap_or_else(|_| panic!("{case}: nothing happens")).expect("the events have ended");
    for event in &events {
        assert!(!event.data.to_string().contains(MARKER), "{case}: {event:?}");
    }
    let last = &events.last().unwrap().data;
    let (code, error) = match end {
        Fails(code) => (code, &last["error"]),
        Again(step, code) => {
            assert!(is_back(step, last), "{case}: {last}");
            let cancel = daemon.http.post(format!("{}/api/tasks/{id}/cancel", daemon.url));
            assert_eq!(cancel.json(&json!({})).send().await.unwrap().status(), 200, "{case}");
            (code, &last["error"])
        }
    };
    assert_eq!(error["code"], code, "{case}: {last}");
    check_words(case, error);
    let task = daemon.end(id).await;
    let status = if matches!(end, Fails(_)) { "failed" } else { "cancelled" };
    assert_eq!(task["status"], status, "{case}: {task}");
    let mut shown = task.clone();
    // What a step found is shown as it was found: titles and addresses, never a page.
    shown["steps"].as_array_mut().unwrap().iter_mut().for_each(|step| step["output"] = Value::Null);
    let shown = shown.to_string().replace(task["link"].as_str().unwrap(), "");
    assert!(!shown.replace(&format!("\"title\":\"{MARKER}\""), "").contains(MARKER), "{case}: {task}");
    if let Fails(code) = end {
        assert_eq!(task["error"]["code"], code, "{case}: {task}");
        check_words(case, &task["error"]);
    }
}

/// The living children of a process, with their names.
fn children(of: u32) -> Vec<(u32, String)> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter_map(|id| {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
        let parent = rest.split_whitespace().nth(1)?.parse::<u32>().ok()?;
        (parent == of).then(|| (id, name.to_owned()))
    })
    .collect()
}
