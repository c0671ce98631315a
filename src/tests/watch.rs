//! A watched folder on the real road: a clip is put there, words and subtitles lie beside it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::support::{TestApp, sample, sample_bytes};

const CLIP: &str = "en-known-04.flac";
const WORDS: &str = "The music is near the long box.\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_becomes_words_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let folders = format!(
        "watch.poll = \"50ms\"\nwatch.settle = \"100ms\"\nwatch.folders = [{{ path = \"{}\" }}]",
        folder.path().display()
    );
    let app = TestApp::with(&folders).await;
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("talks")).unwrap();
    std::fs::write(at("talks/talk.txt"), "somebody's notes").unwrap();
    // As a browser does: written under another name, then renamed.
    std::fs::copy(sample(CLIP), at("talks/talk.flac.part")).unwrap();
    std::fs::rename(at("talks/talk.flac.part"), at("talks/talk.flac")).unwrap();
    std::fs::write(at("broken.mp3"), "no sound at all").unwrap();
    assert_eq!(read(&at("talks/talk-2.txt")).await, WORDS);
    assert!(read(&at("talks/talk.srt")).await.contains(WORDS.trim_end()));
    assert_eq!(std::fs::read_to_string(at("talks/talk.txt")).unwrap(), "somebody's notes");
    assert_eq!(std::fs::read(at("talks/talk.flac")).unwrap(), sample_bytes(CLIP));
    let error = read(&at("broken.error.txt")).await;
    assert_eq!(error.lines().count(), 3, "{error}");
    // The same content has its words already.
    std::fs::copy(sample(CLIP), at("same.flac")).unwrap();
    assert_eq!(read(&at("same.txt")).await, WORDS);
    read(&at("same.srt")).await;
    let (_, tasks) = app.get("/api/tasks").await;
    assert_eq!(tasks["total"], 2, "{tasks}");
    let scrape = app.text("/metrics").await;
    for line in ["trawl_tasks{status=\"completed\"} 1", "trawl_tasks{status=\"failed\"} 1"] {
        assert!(scrape.lines().any(|told| told == line), "{scrape}");
    }
    assert!(scrape.contains("trawl_steps_total{kind=\"transcribe\",outcome=\"succeeded\"}"), "{scrape}");
    app.finish().await;
}

/// The text of a file as soon as it is there: files appear whole.
async fn read(path: &Path) -> String {
    let path: PathBuf = path.to_owned();
    let there = async {
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        while !path.exists() {
            looks.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), there).await.unwrap_or_else(|_| panic!("no {}", path.display()));
    std::fs::read_to_string(path).unwrap()
}
