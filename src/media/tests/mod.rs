//! The module with real ffmpeg and real files; nothing is mocked but ffmpeg's bad manners.

mod broken;
mod damaged;
mod formats;
mod hostile;
mod jail;
mod process;
mod ready;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
    time::Duration,
};

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{Audio, Ffmpeg};
use crate::{
    config::{MediaConfig, Sandbox},
    domain::Span,
    error::Result,
};

fn config() -> MediaConfig {
    MediaConfig {
        ffmpeg: "ffmpeg".into(),
        ffprobe: "ffprobe".into(),
        sandbox: Sandbox::Auto,
        max_duration: Span(Duration::from_secs(12 * 3_600)),
        timeout: Span(Duration::from_secs(1_800)),
        memory_bytes: 4 << 30,
    }
}

/// A folder of files made by ffmpeg, and trawl's own ffmpeg beside it.
struct Bench {
    folder: TempDir,
    ffmpeg: Ffmpeg,
}

impl Bench {
    fn new() -> Self {
        Self::with(&config())
    }

    fn with(config: &MediaConfig) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), ffmpeg: Ffmpeg::new(config).unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs ffmpeg without any guard; `arguments` are split at spaces.
    fn make(&self, name: &str, arguments: &str) -> PathBuf {
        let path = self.path(name);
        let mut target = std::ffi::OsString::from("file:");
        target.push(&path);
        let done = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-y"])
            .args(arguments.split_whitespace())
            .arg(target)
            .output()
            .unwrap();
        assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
        path
    }

    fn sine(&self, name: &str, seconds: u32, more: &str) -> PathBuf {
        self.make(name, &format!("-f lavfi -i sine=d={seconds} {more}"))
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// The first part of a file, under another name.
    fn cut(&self, file: &Path, part: f64) -> PathBuf {
        let bytes = fs::read(file).unwrap();
        let length = (bytes.len() as f64 * part) as usize;
        self.write(&format!("cut-{}", file.file_name().unwrap().to_str().unwrap()), &bytes[..length])
    }

    async fn extract(&self, file: &Path) -> Result<Audio> {
        let result = self.ffmpeg.extract(file, &self.path("out.pcm"), &|_| {}, &CancellationToken::new()).await;
        assert_eq!(self.path("out.pcm").exists(), result.is_ok(), "all or nothing");
        self.no_drafts();
        result
    }

    fn no_drafts(&self) {
        let names = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(names.into_iter().all(|name| !name.to_string_lossy().ends_with(".part")), "a draft is left");
    }
}

/// Collects what `progress` is told.
#[derive(Default)]
struct Told(Mutex<Vec<f64>>);

impl Told {
    fn note(&self, fraction: f64) {
        self.0.lock().unwrap().push(fraction);
    }

    fn assert_complete(&self) {
        let told = self.0.lock().unwrap();
        assert!(told.windows(2).all(|pair| pair[0] <= pair[1]), "{told:?}");
        assert_eq!(told.last(), Some(&1.0));
    }
}

/// The processes whose command line holds `mark`.
fn processes(mark: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok());
    entries
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(mark))
        .collect()
}
