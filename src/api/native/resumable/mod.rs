//! Uploads in pieces: tus 1.0.0 with creation, creation-with-upload, expiration, termination and checksum.
//!
//! Callers may rely on this: the offset that is told is on the disk and survives the daemon's death; one request at a time
//! writes to an upload; and a complete one can be named as `upload_id` by whoever made it.

mod headers;
mod piece;
mod upload;

use poem::{
    Request, Response,
    http::{HeaderValue, Method, StatusCode},
};
use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Header, Path},
};

use self::{
    headers::{ALGORITHMS, Checksum, EXTENSIONS, VERSION, check_version},
    piece::Piece,
};
use super::{Context, Group};
use crate::{
    api::who::Who,
    error::{Code, Error, Result},
};

/// Where the protocol is spoken.
const PATH: &str = "/api/uploads";

/// Uploads in pieces.
pub(in crate::api) struct Resumable(pub(super) Context);

/// What the server can do.
#[derive(ApiResponse)]
enum Abilities {
    /// What of the protocol is spoken here. / 此处支持的协议能力。
    #[oai(status = 204)]
    These(
        /// The versions.
        #[oai(header = "Tus-Version")]
        String,
        /// What there is besides the core.
        #[oai(header = "Tus-Extension")]
        String,
        /// The largest upload in bytes.
        #[oai(header = "Tus-Max-Size")]
        u64,
        /// The checksums that can be checked.
        #[oai(header = "Tus-Checksum-Algorithm")]
        String,
    ),
}

/// An upload that has begun.
#[derive(ApiResponse)]
enum Begun {
    /// The upload has begun. / 上传已创建。
    #[oai(status = 201)]
    Upload(
        /// Its path; what stands behind the last slash is its id.
        #[oai(header = "Location")]
        String,
        /// Bytes that are here.
        #[oai(header = "Upload-Offset")]
        u64,
        /// When it is given up unless more comes.
        #[oai(header = "Upload-Expires")]
        String,
    ),
}

/// How far an upload is.
#[derive(ApiResponse)]
enum Place {
    /// How far it is. / 已收到的字节数。
    #[oai(status = 200)]
    At(
        /// Bytes that are here.
        #[oai(header = "Upload-Offset")]
        u64,
        /// Bytes of the whole file.
        #[oai(header = "Upload-Length")]
        u64,
        /// What the client said about it.
        #[oai(header = "Upload-Metadata")]
        String,
        /// When it is given up unless more comes.
        #[oai(header = "Upload-Expires")]
        String,
    ),
}

/// A piece that was taken.
#[derive(ApiResponse)]
enum Taken {
    /// The piece is on the disk. / 该分片已写入磁盘。
    #[oai(status = 204)]
    Now(
        /// Bytes that are here.
        #[oai(header = "Upload-Offset")]
        u64,
        /// When it is given up unless more comes.
        #[oai(header = "Upload-Expires")]
        String,
    ),
}

/// An upload that was given up.
#[derive(ApiResponse)]
enum GivenUp {
    /// It is gone. / 已删除。
    #[oai(status = 204)]
    Done,
}

#[OpenApi(tag = "Group::Tasks")]
impl Resumable {
    /// What resumable uploads can do
    ///
    /// The abilities of this server in the words of tus 1.0.0 (<https://tus.io>).
    ///
    /// 查询断点续传（tus 1.0.0）的能力。
    #[oai(path = "/api/uploads", method = "options", operation_id = "upload_abilities")]
    async fn abilities(&self) -> Abilities {
        let most = self.0.state.config.uploads.max_bytes;
        Abilities::These(VERSION.to_owned(), EXTENSIONS.to_owned(), most, ALGORITHMS.to_owned())
    }

    /// Begin a resumable upload
    ///
    /// tus 1.0.0: any tus client can send large files in pieces over connections that break. When all bytes are here, name
    /// the id (the last part of `Location`) as `upload_id` in `POST /api/tasks`. The body may already hold the first piece.
    ///
    /// 创建断点续传上传（tus 1.0.0）；传完后在 `POST /api/tasks` 中用 `upload_id` 引用。请求体可携带首个分片。
    #[oai(path = "/api/uploads", method = "post", operation_id = "create_upload")]
    async fn create(
        &self,
        /// The protocol's version: `1.0.0`.
        #[oai(name = "Tus-Resumable")]
        version: Header<Option<String>>,
        /// The whole file's size in bytes.
        #[oai(name = "Upload-Length")]
        length: Header<Option<u64>>,
        /// Pairs of a key and its value in base64, separated by commas; `filename` is shown with the task.
        #[oai(name = "Upload-Metadata")]
        metadata: Header<Option<String>>,
        /// An algorithm (`sha1`, `sha256`), a space, and the first piece's sum in base64.
        #[oai(name = "Upload-Checksum")]
        checksum: Header<Option<String>>,
        who: Who,
        body: Piece,
    ) -> poem::Result<Begun> {
        check_version(version.as_deref())?;
        let length = needed(length.0, "Upload-Length")?;
        let (metadata, checksum) = (metadata.0.unwrap_or_default(), sum(checksum.0)?);
        let begun = upload::create(&self.0, who.0, length, metadata, body, checksum).await?;
        let place = format!("{}{PATH}/{}", self.0.base(), begun.row.id);
        Ok(Begun::Upload(place, begun.offset, begun.expires()))
    }

    /// How far a resumable upload is
    ///
    /// `Upload-Offset` is the place from which to go on: so many bytes are on the disk.
    ///
    /// 查询已收到的字节数：从 `Upload-Offset` 处继续上传。
    #[oai(path = "/api/uploads/:id", method = "head", operation_id = "upload_offset")]
    async fn offset(
        &self,
        /// The protocol's version: `1.0.0`.
        #[oai(name = "Tus-Resumable")]
        version: Header<Option<String>>,
        /// The upload's id.
        id: Path<String>,
        who: Who,
    ) -> poem::Result<Place> {
        check_version(version.as_deref())?;
        let at = upload::look(&self.0, who.0, &id).await?;
        Ok(Place::At(at.offset, at.row.length.unsigned_abs(), at.row.metadata.clone(), at.expires()))
    }

    /// Send a piece of a resumable upload
    ///
    /// The body is the file from `Upload-Offset` on, as far as it goes. One piece at a time for each upload.
    ///
    /// 上传一个分片：请求体为从 `Upload-Offset` 开始的文件内容；同一上传同时只能有一个分片在传。
    #[oai(path = "/api/uploads/:id", method = "patch", operation_id = "append_upload")]
    async fn append(
        &self,
        /// The protocol's version: `1.0.0`.
        #[oai(name = "Tus-Resumable")]
        version: Header<Option<String>>,
        /// The byte with which the piece begins: as many as are here.
        #[oai(name = "Upload-Offset")]
        offset: Header<Option<u64>>,
        /// An algorithm (`sha1`, `sha256`), a space, and the piece's sum in base64.
        #[oai(name = "Upload-Checksum")]
        checksum: Header<Option<String>>,
        /// The upload's id.
        id: Path<String>,
        who: Who,
        body: Piece,
    ) -> poem::Result<Taken> {
        check_version(version.as_deref())?;
        let from = needed(offset.0, "Upload-Offset")?;
        let now = upload::append(&self.0, who.0, &id, from, body, sum(checksum.0)?).await?;
        Ok(Taken::Now(now.offset, now.expires()))
    }

    /// Give a resumable upload up
    ///
    /// What came of it is removed. A finished one that a task works with stays.
    ///
    /// 放弃上传并删除已收到的内容；已被任务使用的上传不会删除。
    #[oai(path = "/api/uploads/:id", method = "delete", operation_id = "delete_upload")]
    async fn delete(
        &self,
        /// The protocol's version: `1.0.0`.
        #[oai(name = "Tus-Resumable")]
        version: Header<Option<String>>,
        /// The upload's id.
        id: Path<String>,
        who: Who,
    ) -> poem::Result<GivenUp> {
        check_version(version.as_deref())?;
        upload::remove(&self.0, who.0, &id).await?;
        Ok(GivenUp::Done)
    }
}

fn needed(value: Option<u64>, name: &str) -> Result<u64> {
    value.ok_or_else(|| Error::new(Code::InvalidRequest, format!("The header {name} is missing")).with_field(name))
}

fn sum(given: Option<String>) -> Result<Option<Checksum>> {
    given.as_deref().map(Checksum::read).transpose()
}

/// Whether the protocol is spoken at a path below the base.
fn is_spoken(path: &str) -> bool {
    path.strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Takes a request for what its client means that can send POST alone.
pub(in crate::api) fn unwrap(path: &str, request: &mut Request) {
    if *request.method() == Method::POST && is_spoken(path) {
        let meant = match request.header("X-HTTP-Method-Override") {
            Some("PATCH") => Method::PATCH,
            Some("DELETE") => Method::DELETE,
            Some("HEAD") => Method::HEAD,
            _ => return,
        };
        request.set_method(meant);
    }
}

/// Says the version on every answer, errors too.
pub(in crate::api) fn stamp(path: &str, response: &mut Response) {
    if is_spoken(path) {
        response.headers_mut().insert("Tus-Resumable", HeaderValue::from_static(VERSION));
        if response.status() == StatusCode::PRECONDITION_FAILED {
            response.headers_mut().insert("Tus-Version", HeaderValue::from_static(VERSION));
        }
    }
}
