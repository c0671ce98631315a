//! The real binary on the command line.

mod doctor;
mod others;
mod pull;
mod transcribe;
mod wrong_use;

use std::{path::PathBuf, process::Stdio, time::Duration};

use tempfile::TempDir;
use tokio::process::Command;

use super::support::{program, sample, settings};

/// A place to run commands in, with a temporary folder of its own that must be empty after each of them.
struct Cli {
    folder: TempDir,
}

/// What a command has said.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Cli {
    fn new() -> Self {
        Self::with("")
    }

    /// With more settings.
    fn with(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("test.toml"), settings(folder.path(), more)).unwrap();
        std::fs::create_dir(folder.path().join("tmp")).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Copies a clip into the folder and returns its path.
    fn clip(&self, name: &str) -> String {
        let path = self.path(name);
        std::fs::copy(sample(name), &path).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Writes a file into the folder and returns its path.
    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Runs a command with the settings.
    async fn run(&self, arguments: &[&str]) -> Said {
        let config = self.path("test.toml");
        let all: Vec<&str> = arguments.iter().copied().chain(["--config", config.to_str().unwrap()]).collect();
        self.plain(&all).await
    }

    /// Runs a command.
    async fn plain(&self, arguments: &[&str]) -> Said {
        let run = Command::new(program())
            .args(arguments)
            .current_dir(self.folder.path())
            .env("TMPDIR", self.path("tmp"))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(Duration::from_secs(300), run).await.expect("it does not end").unwrap();
        let left: Vec<_> = std::fs::read_dir(self.path("tmp")).unwrap().flatten().map(|entry| entry.path()).collect();
        assert_eq!(left, Vec::<PathBuf>::new(), "{arguments:?} has left something behind");
        Said {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Said {
    /// All is well and nothing but the result was said.
    #[track_caller]
    fn fine(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""), "{}", self.out);
        self.out
    }

    /// It ended with a code, nothing was printed, and stderr holds these words.
    #[track_caller]
    fn failed(&self, code: i32, words: &[&str]) {
        assert_eq!((self.code, self.out.as_str()), (Some(code), ""), "{}", self.err);
        for word in words {
            assert!(self.err.contains(word), "no \"{word}\" in: {}", self.err);
        }
    }
}

/// The text without its line ends: a transcript as text has a line for each segment.
fn one_line(text: &str, chinese: bool) -> String {
    text.lines().collect::<Vec<_>>().join(if chinese { "" } else { " " })
}
