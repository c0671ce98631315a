//! Many transcripts in one archive, made while it is sent.

mod archive;

use std::{collections::VecDeque, io};

use bytes::Bytes;
use futures_util::{Stream, stream};
use poem::{Body, IntoResponse, Response, http::header};
use poem_openapi::{
    ApiResponse, OpenApi,
    param::Query,
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
};

use self::archive::{Archive, File, file_name};
use super::{Context, Group, transcript::format};
use crate::{
    api::{
        disposition::{Show, disposition},
        who::Who,
    },
    domain::{Caller, TaskId, Zh},
    error::{Code, Error, Result},
    subtitle::{Format, Layout, render},
    zh,
};

/// The most tasks of one archive.
const MAX_TASKS: usize = 1_000;

/// Archives.
pub(in crate::api) struct Exports(pub(super) Context);

/// An archive on its way.
struct Zip(Response);

#[OpenApi(tag = "Group::Results")]
impl Exports {
    /// Get many transcripts in one file
    ///
    /// A zip archive with one file for each task and format, called after the title and the task: `A talk [7].srt`. It is
    /// made while it is sent. Tasks that have no transcript do not stop the others: `errors.txt` in the archive names
    /// them.
    ///
    /// 将多个任务的文字稿打包为 zip 下载，边生成边发送；没有文字稿的任务列在包内的 `errors.txt` 中。
    #[oai(path = "/api/tasks/export", method = "get", operation_id = "export_tasks")]
    async fn get(
        &self,
        /// The tasks: numbers and ranges with commas between them, such as `1,2,10-19`; at most 1,000.
        /// / 任务编号，可含范围，如 `1,2,10-19`。
        ids: Query<String>,
        /// The formats: `txt` (default), `json`, `srt`, `vtt`, `tsv`, `lrc` and `md`, with commas between them.
        formats: Query<Option<String>>,
        /// The script of Chinese texts, as for one transcript.
        zh: Query<Option<String>>,
        who: Who,
    ) -> poem::Result<Zip> {
        let script = zh.0.as_deref().map(zh::read).transpose()?;
        let formats = formats.0.as_deref().map_or(Ok(vec![Format::Txt]), list)?;
        let ids = numbers(&ids.0)?;
        let export = Export {
            context: self.0.clone(),
            who: who.0,
            formats,
            script,
            ids,
            left_out: Vec::new(),
            archive: Some(Archive::new()),
        };
        let response = Response::builder()
            .content_type("application/zip")
            .header(header::CONTENT_DISPOSITION, disposition(Show::Attachment, "transcripts", "zip"));
        Ok(Zip(response.body(Body::from_bytes_stream(export.stream()))))
    }
}

/// An archive that is being made.
struct Export {
    context: Context,
    who: Caller,
    formats: Vec<Format>,
    script: Option<Zh>,
    /// The tasks that are still to come.
    ids: VecDeque<TaskId>,
    /// What to say of those that have nothing to show.
    left_out: Vec<String>,
    /// None once it has ended.
    archive: Option<Archive>,
}

impl Export {
    fn stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        stream::unfold(self, |mut export| async move {
            let bytes = export.next().await.transpose()?;
            let bytes = bytes.map_err(|error| {
                export.archive = None;
                tracing::error!(error = %error.chain(), "an archive cannot be made to its end");
                io::Error::other(error)
            });
            Some((bytes, export))
        })
    }

    /// The next bytes; none after the last.
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let Some(archive) = self.archive.take() else { return Ok(None) };
            let Some(id) = self.ids.pop_front() else { return archive.finish(&self.left_out).await.map(Some) };
            let (archive, bytes) = match self.files(id).await {
                Ok(files) => archive.add(files).await?,
                Err(error) if matches!(error.code, Code::NotFound | Code::NotReady) => {
                    self.left_out.push(format!("Task {id}: {}. {}", error.detail, error.hint));
                    (archive, Bytes::new())
                }
                Err(error) => return Err(error),
            };
            self.archive = Some(archive);
            if !bytes.is_empty() {
                return Ok(Some(bytes));
            }
        }
    }

    /// The files of a task.
    async fn files(&self, id: TaskId) -> Result<Vec<File>> {
        let none = || Error::new(Code::NotFound, format!("There is no task {id}"));
        if !self.context.store().task(id).await?.is_some_and(|task| self.who.may_see(task.owner)) {
            return Err(none());
        }
        let task = self.context.readable(id).await?;
        let media = match task.media_id {
            Some(media) => self.context.store().media(media).await?,
            None => None,
        };
        let title = media.map(|media| media.title).unwrap_or_default();
        let transcript = self.context.transcript_of(id, self.script).await?;
        let file = |format: &Format| File {
            name: file_name(&title, id, format.extension()),
            made: task.finished_at.unwrap_or(task.created_at),
            text: render(&transcript, *format, &Layout::default()),
        };
        Ok(self.formats.iter().map(file).collect())
    }
}

/// Formats with commas between them, each once.
fn list(words: &str) -> Result<Vec<Format>> {
    let mut formats = Vec::new();
    for word in words.split(',') {
        let format = format(word.trim()).map_err(|error| error.with_field("formats"))?;
        if !formats.contains(&format) {
            formats.push(format);
        }
    }
    Ok(formats)
}

/// Numbers and ranges with commas between them, each number once.
fn numbers(list: &str) -> Result<VecDeque<TaskId>> {
    let refused = |detail: String| {
        Error::new(Code::InvalidValue, detail).with_hint("Write numbers and ranges: 1,2,10-19.").with_field("ids")
    };
    let mut ids = VecDeque::new();
    let mut seen = std::collections::HashSet::new();
    for part in list.split(',').map(str::trim) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| text.trim().parse::<i64>().ok().filter(|id| *id > 0);
        let (Some(first), Some(last)) = (number(first), number(last)) else {
            return Err(refused(format!("\"{}\" is no task and no range of tasks", part.escape_debug())));
        };
        if last < first {
            return Err(refused(format!("\"{part}\" ends before it begins")));
        }
        // Counted before they are made: a range may be endless.
        if last.saturating_sub(first) >= MAX_TASKS as i64 {
            return Err(refused(format!("There are more than {MAX_TASKS} tasks")));
        }
        ids.extend((first..=last).filter(|id| seen.insert(*id)).map(TaskId));
        if ids.len() > MAX_TASKS {
            return Err(refused(format!("There are more than {MAX_TASKS} tasks")));
        }
    }
    Ok(ids)
}

impl IntoResponse for Zip {
    fn into_response(self) -> Response {
        self.0
    }
}

impl ApiResponse for Zip {
    fn meta() -> MetaResponses {
        let response = MetaResponse {
            description: "The archive. / 压缩包。",
            status: Some(200),
            status_range: None,
            content: vec![MetaMediaType {
                content_type: "application/zip",
                schema: MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "binary"))),
            }],
            headers: Vec::new(),
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(_: &mut Registry) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_numbers_and_ranges() {
        let read = |list| numbers(list).unwrap().into_iter().map(|id| id.0).collect::<Vec<_>>();
        assert_eq!(read("3, 1,3,5-7,6"), [3, 1, 5, 6, 7]);
        assert_eq!(read("1-1000").len(), 1000);
        for bad in [
            "",
            "x",
            "1,",
            "0",
            "-1",
            "1-1001",
            "1-9223372036854775807",
            "9-3",
            "1-600,1000-1600",
            "99999999999999999999",
        ] {
            assert_eq!(numbers(bad).unwrap_err().field.as_deref(), Some("ids"), "{bad}");
        }
    }
}
