//! A yt-dlp that says what it was told to.

use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{Dump, Dumped, External, TransportError};

/// Stands for the program: answers, and keeps what it was asked.
pub(crate) struct Program {
    answer: Dumped,
    asked: Mutex<Vec<(String, Option<usize>)>>,
}

impl Program {
    pub(crate) fn says(status: i32, stdout: &str, stderr: &str) -> Self {
        let stdout = Bytes::copy_from_slice(stdout.as_bytes());
        Self { answer: Dumped { status: Some(status), stdout, stderr: stderr.to_owned() }, asked: Mutex::default() }
    }

    /// The links, and how many entries of each.
    pub(crate) fn asked(&self) -> Vec<(String, Option<usize>)> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl External for Program {
    async fn dump(&self, dump: Dump<'_>) -> Result<Dumped, TransportError> {
        self.asked.lock().unwrap().push((dump.link.to_string(), dump.entries));
        Ok(self.answer.clone())
    }
}
