//! Media files, whole or in parts. They come from strangers, so a browser may save them but never run them.

use poem::{
    Body, IntoResponse, Response,
    http::{StatusCode, header},
};
use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Header, Path},
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
};

use super::{Context, Group};
use crate::{
    api::{
        disposition::{Show, disposition},
        problem,
        range::{Wanted, wanted},
    },
    domain::{Media, TaskId},
    error::{Code, Error, Result},
};

/// Media files.
pub(in crate::api) struct MediaFiles(pub(super) Context);

/// A file, a part of it, or word that it has not changed.
struct File(Response);

/// What a client asks of a file.
struct Asked {
    range: Option<String>,
    if_range: Option<String>,
    if_none_match: Option<String>,
}

#[OpenApi(tag = "Group::Results")]
impl MediaFiles {
    /// Get a task's media file
    ///
    /// As it was downloaded or uploaded. Takes `Range`, `If-Range` and `If-None-Match`; the ETag is the file's SHA-256.
    ///
    /// 获取任务的媒体文件，支持 `Range`；ETag 为文件的 SHA-256。
    #[oai(path = "/api/tasks/:id/media", method = "get", operation_id = "task_media")]
    async fn get(
        &self,
        /// The task.
        id: Path<i64>,
        /// Which bytes, such as `bytes=0-499`.
        #[oai(name = "Range")]
        range: Header<Option<String>>,
        /// The ETag for which `Range` counts.
        #[oai(name = "If-Range")]
        if_range: Header<Option<String>>,
        /// The ETag that the client has.
        #[oai(name = "If-None-Match")]
        if_none_match: Header<Option<String>>,
    ) -> poem::Result<File> {
        let asked = Asked { range: range.0, if_range: if_range.0, if_none_match: if_none_match.0 };
        Ok(File(self.0.file(TaskId(id.0), asked).await?))
    }
}

impl Context {
    async fn file(&self, id: TaskId, asked: Asked) -> Result<Response> {
        let (media, key) = self.kept(id).await?;
        let size = media.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
        let etag = format!("\"{}\"", media.sha256.as_deref().unwrap_or_default());
        let head = Response::builder().header(header::ETAG, &etag).header(header::ACCEPT_RANGES, "bytes");
        if asked.if_none_match.as_deref().is_some_and(|known| known.split(',').any(|tag| is_same(tag, &etag))) {
            return Ok(head.status(StatusCode::NOT_MODIFIED).finish());
        }
        let range = asked.range.as_deref().filter(|_| asked.if_range.as_deref().is_none_or(|tag| tag.trim() == etag));
        let part = match wanted(range, size) {
            Wanted::Whole => None,
            Wanted::Part(part) => Some(part),
            Wanted::Unsatisfiable => return Ok(outside(id, self.base(), size)),
        };
        let kept = self.state.files.open_kept(&key, part.clone()).await?;
        let head = match part {
            Some(_) => {
                let last = kept.range.end.saturating_sub(1);
                let range = format!("bytes {}-{last}/{}", kept.range.start, kept.total);
                head.status(StatusCode::PARTIAL_CONTENT).header(header::CONTENT_RANGE, range)
            }
            None => head,
        };
        let kind = media.content_type.as_deref().unwrap_or("application/octet-stream");
        let extension = key.rsplit_once('.').map_or("bin", |(_, extension)| extension);
        // An upload's title is its file's name.
        let title = media.title.strip_suffix(&format!(".{extension}")).unwrap_or(&media.title);
        let bytes = kept.stream;
        Ok(head
            .content_type(kind)
            .header(header::CONTENT_LENGTH, kept.range.end - kept.range.start)
            .header(header::CONTENT_DISPOSITION, disposition(Show::Attachment, title, extension))
            .header(header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'")
            .header(header::CACHE_CONTROL, "private, no-cache")
            .body(Body::from_bytes_stream(to_io(bytes))))
    }

    /// A task's media with the key of its file.
    pub(super) async fn kept(&self, id: TaskId) -> Result<(Media, String)> {
        let task = self.task(id).await?;
        let media = match task.media_id {
            Some(media) => self.store().media(media).await?,
            None => None,
        };
        if let Some(media) = media {
            if let Some(key) = media.file.clone() {
                return Ok((media, key));
            }
            if let Some(at) = media.file_removed_at {
                let day = at.format("%Y-%m-%d");
                let text = format!("The media file of task {id} was removed on {day}, as `retention` asks for");
                let hint = "Its words stay. Submit its link again to have the file fetched once more.";
                return Err(Error::new(Code::NotFound, text).with_hint(hint));
            }
        }
        Err(match task.status.is_final() {
            true => Error::new(Code::NotFound, format!("Task {id} has no media file")),
            false => Error::new(Code::NotReady, format!("The media of task {id} is not here yet"))
                .with_hint("Wait until it is downloaded: the task's events tell."),
        })
    }
}

/// Whether two tags name the same bytes, for a client that only wants to know whether its copy is still good.
fn is_same(tag: &str, etag: &str) -> bool {
    let tag = tag.trim();
    tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag
}

fn outside(id: TaskId, base: &str, size: u64) -> Response {
    let error = Error::new(Code::RangeNotSatisfiable, format!("The file has {size} bytes"));
    let mut response = problem::answer(&error, Some(&format!("{base}/api/tasks/{id}/media")));
    if let Ok(value) = format!("bytes */{size}").parse() {
        response.headers_mut().insert(header::CONTENT_RANGE, value);
    }
    response
}

fn to_io(
    bytes: futures_util::stream::BoxStream<'static, Result<bytes::Bytes>>,
) -> impl futures_util::Stream<Item = std::io::Result<bytes::Bytes>> + Send + 'static {
    futures_util::StreamExt::map(bytes, |bytes| {
        bytes.map_err(|error| {
            tracing::error!(error = %error.chain(), "a media file cannot be read to its end");
            std::io::Error::other(error)
        })
    })
}

impl IntoResponse for File {
    fn into_response(self) -> Response {
        self.0
    }
}

impl ApiResponse for File {
    fn meta() -> MetaResponses {
        let file = |status: u16, description: &'static str| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content: vec![MetaMediaType {
                content_type: "application/octet-stream",
                schema: MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "binary"))),
            }],
            headers: Vec::new(),
        };
        let unchanged = MetaResponse {
            description: "The client's copy is still good. / 客户端的副本仍然有效。",
            status: Some(304),
            status_range: None,
            content: Vec::new(),
            headers: Vec::new(),
        };
        MetaResponses {
            responses: vec![
                file(200, "The file. / 文件。"),
                file(206, "A part of the file. / 文件的一部分。"),
                unchanged,
            ],
        }
    }

    fn register(_: &mut Registry) {}
}
