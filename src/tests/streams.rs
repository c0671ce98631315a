//! Streams in pieces, made by ffmpeg and served on loopback: byte ranges, encryption, DASH.

use std::path::Path;

use super::support::{Site, TestApp, sample};

const CLIP: &str = "en-known-04.flac";
const WORDS: &str = "The music is near the long box.";

#[tokio::test(flavor = "multi_thread")]
async fn encrypted_and_ranged_hls_and_dash_lead_to_the_right_words() {
    let (app, site) = (TestApp::start().await, Site::start().await);
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("key"), b"sixteen bytes ok").unwrap();
    std::fs::write(at("key.info"), format!("key.bin\n{}\n", at("key").display())).unwrap();
    let info = at("key.info").display().to_string();
    let hls = ["-f", "hls", "-hls_time", "1", "-hls_list_size", "0"];
    make(folder.path(), "encrypted", "list.m3u8", &[&hls[..], &["-hls_key_info_file", &info]].concat());
    make(
        folder.path(),
        "ranged",
        "list.m3u8",
        &[&hls[..], &["-hls_flags", "single_file", "-hls_segment_type", "fmp4"]].concat(),
    );
    make(folder.path(), "dash", "list.mpd", &["-f", "dash", "-seg_duration", "1"]);
    site.file("/encrypted/key.bin", "application/octet-stream", b"sixteen bytes ok".to_vec());
    for (kind, list, pieces) in [("encrypted", "list.m3u8", 3), ("ranged", "list.m3u8", 1), ("dash", "list.mpd", 4)] {
        let mut served = 0;
        for entry in std::fs::read_dir(at(kind)).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap();
            let content_type = match name.rsplit('.').next() {
                Some("m3u8") => "application/vnd.apple.mpegurl",
                Some("mpd") => "application/dash+xml",
                _ => "application/octet-stream",
            };
            site.file(&format!("/{kind}/{name}"), content_type, std::fs::read(entry.path()).unwrap());
            served += 1;
        }
        assert_eq!(served, pieces + 1, "{kind}");
        let id = app.paste(&format!("{}/{kind}/{list}", site.url)).await;
        let task = app.end(id).await;
        assert_eq!(task["result"]["text"], WORDS, "{kind}: {task}");
    }
    assert_eq!(site.seen().iter().filter(|path| *path == "/encrypted/key.bin").count(), 1);
    app.finish().await;
}

/// The clip as a stream of about three pieces in a folder of its own.
fn make(folder: &Path, kind: &str, list: &str, how: &[&str]) {
    let folder = folder.join(kind);
    std::fs::create_dir(&folder).unwrap();
    let mut command = std::process::Command::new("ffmpeg");
    command.args(["-nostdin", "-loglevel", "error", "-i"]).arg(sample(CLIP)).args(["-c:a", "aac", "-b:a", "128k"]);
    assert!(command.args(how).arg(list).current_dir(&folder).status().unwrap().success(), "{kind}");
}
