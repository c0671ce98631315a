//! A zip archive piece by piece: what was added comes out at once, and nothing is looked at again.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use chrono::{DateTime, Datelike, Timelike, Utc};
use zip::{
    CompressionMethod, ZipWriter,
    write::{SimpleFileOptions, StreamWriter},
};

use crate::{
    api::disposition,
    domain::TaskId,
    error::{Code, Error, Result},
};

/// The longest name without number and ending, in bytes: file systems take 255 for all of it.
const MAX_NAME: usize = 200;

/// One file.
pub(super) struct File {
    pub name: String,
    pub made: DateTime<Utc>,
    pub text: String,
}

/// An archive that has begun.
pub(super) struct Archive {
    zip: ZipWriter<StreamWriter<Out>>,
    out: Out,
}

/// What has come out and was not taken yet.
#[derive(Clone, Default)]
struct Out(Arc<Mutex<Vec<u8>>>);

impl Archive {
    pub(super) fn new() -> Self {
        let out = Out::default();
        Self { zip: ZipWriter::new_stream(out.clone()), out }
    }

    /// Adds files, and gives what came out.
    pub(super) async fn add(self, files: Vec<File>) -> Result<(Self, Bytes)> {
        blocking(move || {
            let mut archive = self;
            for file in files {
                archive.write(&file)?;
            }
            let bytes = archive.out.take();
            Ok((archive, bytes))
        })
        .await
    }

    /// Ends the archive with what there is to say of those that are not in it, and gives the last of it.
    pub(super) async fn finish(self, left_out: &[String]) -> Result<Bytes> {
        let note = (!left_out.is_empty()).then(|| left_out.join("\n") + "\n");
        blocking(move || {
            let mut archive = self;
            if let Some(text) = note {
                archive.write(&File { name: "errors.txt".to_owned(), made: Utc::now(), text })?;
            }
            archive.zip.finish()?;
            Ok(archive.out.take())
        })
        .await
    }

    fn write(&mut self, file: &File) -> io::Result<()> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        self.zip.start_file(&file.name, options.last_modified_time(time(file.made)))?;
        self.zip.write_all(file.text.as_bytes())
    }
}

impl Out {
    fn take(&self) -> Bytes {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a task's file is called: never a path, and no other task's has the same name.
pub(super) fn file_name(title: &str, id: TaskId, extension: &str) -> String {
    let mut name = disposition::clean(title);
    let end = (0..=MAX_NAME.min(name.len())).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    name.truncate(end);
    format!("{} [{id}].{extension}", name.trim_end())
}

/// The time as archives write it; those before 1980 have none.
fn time(at: DateTime<Utc>) -> zip::DateTime {
    let small = |number: u32| u8::try_from(number).unwrap_or(0);
    let year = u16::try_from(at.year()).unwrap_or(0);
    let (month, day) = (small(at.month()), small(at.day()));
    zip::DateTime::from_date_and_time(year, month, day, small(at.hour()), small(at.minute()), small(at.second()))
        .unwrap_or_default()
}

/// Compressing takes a while for a long text.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
    let failed = |error| Error::new(Code::Internal, "The archive cannot be written").with_source(error);
    let done = tokio::task::spawn_blocking(work).await.map_err(io::Error::other);
    done.and_then(|done| done).map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use super::*;

    #[test]
    fn names_are_only_names() {
        let name = |title: &str| file_name(title, TaskId(7), "srt");
        assert_eq!(name("A talk"), "A talk [7].srt");
        assert_eq!(name("../../etc/passwd"), "_.._etc_passwd [7].srt");
        assert_eq!(name(""), "media [7].srt");
        let long = name(&"长".repeat(100));
        assert!(long.len() < 220 && long.starts_with("长长") && long.ends_with("长 [7].srt"), "{long}");
    }

    #[tokio::test]
    async fn what_comes_out_piece_by_piece_is_an_archive() {
        let made = Utc::now();
        let (mut archive, mut whole) = (Archive::new(), Vec::new());
        for (name, text) in [("标题 [1].txt", "头发"), ("b.json", "{}")] {
            let file = File { name: name.to_owned(), made, text: text.repeat(1_000) };
            let (next, bytes) = archive.add(vec![file]).await.unwrap();
            archive = next;
            assert!(!bytes.is_empty());
            whole.extend_from_slice(&bytes);
        }
        whole.extend_from_slice(&archive.finish(&["Task 3: nothing".to_owned()]).await.unwrap());
        let mut read = zip::ZipArchive::new(Cursor::new(whole)).unwrap();
        let names: Vec<String> =
            (0..read.len()).map(|at| read.by_index(at).unwrap().name().unwrap().into_owned()).collect();
        assert_eq!(names, ["标题 [1].txt", "b.json", "errors.txt"]);
        let mut text = String::new();
        read.by_index(0).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "头发".repeat(1_000));
    }
}
