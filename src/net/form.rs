//! Files sent to a server in a form: one request, streamed from the disk, no redirects.

use std::{
    fmt::Write as _,
    io::{self, SeekFrom},
    ops::Range,
    path::PathBuf,
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use reqwest::{
    Body, Method, Response,
    header::{
        ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT,
    },
};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt},
    time::{Instant, timeout_at},
};
use tokio_util::io::ReaderStream;

use super::{
    Net,
    client::is_overlong,
    failure::{broken, from_reqwest, too_large, too_slow},
    headers::retry_after,
};
use crate::error::{Code, Error, Result};

/// A form with a part of a file in it. Has no `Debug`: it holds a secret.
pub struct Form {
    /// Where to.
    pub url: String,
    /// Sent as a bearer token; empty: none. It goes to this address and nowhere else.
    pub bearer: String,
    /// Fields before the file, in order. Names are ours; values may be anything.
    pub fields: Vec<(&'static str, String)>,
    /// The file, in a field of this name.
    pub file: FilePart,
    /// From the first connection to the end of the answer.
    pub timeout: Duration,
    /// A longer answer is `too_large`, in bytes.
    pub max_reply: usize,
}

/// A part of a file, under a name of its own.
pub struct FilePart {
    /// The field's name.
    pub field: &'static str,
    /// The name that the server sees.
    pub name: &'static str,
    /// Its type.
    pub content_type: &'static str,
    /// What is sent before the part, such as a format's header.
    pub head: Vec<u8>,
    /// The file on the disk.
    pub path: PathBuf,
    /// Which bytes of it.
    pub range: Range<u64>,
}

/// The server's answer, whatever its status.
#[derive(Clone, Debug)]
pub struct FormReply {
    /// The HTTP status; redirects are answers like others.
    pub status: u16,
    /// How long the server asks us to wait, at most a day.
    pub retry_after: Option<Duration>,
    /// What it says.
    pub body: Bytes,
}

impl Net {
    /// Sends a form. Any status is a [`FormReply`], redirects included, which are not followed. The file is read while it
    /// is sent, and its length is known to the server before.
    pub async fn send_form(&self, form: Form) -> Result<FormReply> {
        let inner = &self.inner;
        let (url, target) = inner.rules.parse(&form.url)?;
        let deadline = Instant::now() + form.timeout;
        let mut headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static("application/json")),
            (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
            (USER_AGENT, HeaderValue::from_static(concat!("trawl/", env!("CARGO_PKG_VERSION")))),
        ]);
        if !form.bearer.is_empty() {
            headers.insert(AUTHORIZATION, bearer(&form.bearer)?);
        }
        let limit = form.max_reply;
        let (body, length, content_type) = body(form.fields, form.file).await?;
        headers.insert(CONTENT_TYPE, content_type);
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        let request = inner.clients.request(Method::POST, &url, &target, headers).body(body);
        let response = timeout_at(deadline, request.send())
            .await
            .map_err(|_| too_slow(&target.host))?
            .map_err(|error| from_reqwest(error, &target.host))?;
        inner.rules.check_peer(&target, response.remote_addr())?;
        if is_overlong(response.headers()) {
            return Err(broken(&target.host));
        }
        let (status, retry_after) = (response.status().as_u16(), retry_after(response.headers()));
        let reading = timeout_at(deadline, read(response, limit, &target.host)).await;
        Ok(FormReply { status, retry_after, body: reading.map_err(|_| too_slow(&target.host))?? })
    }
}

async fn read(mut response: Response, limit: usize, host: &str) -> Result<Bytes> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| from_reqwest(error, host))? {
        if body.len() + chunk.len() > limit {
            return Err(too_large(host, limit as u64));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.into())
}

pub(super) fn bearer(token: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| Error::new(Code::Config, "A key for a server holds characters that a header cannot"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The form as bytes on their way, how many they are, and their type.
async fn body(fields: Vec<(&'static str, String)>, part: FilePart) -> Result<(Body, u64, HeaderValue)> {
    let boundary = format!("trawl-{}", uuid::Uuid::new_v4().simple());
    let mut head = String::new();
    for (name, value) in fields {
        // Writing to a string cannot fail.
        let _ = write!(head, "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    let _ = write!(
        head,
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\nContent-Type: {}\r\n\r\n",
        part.field, part.name, part.content_type
    );
    let mut head = head.into_bytes();
    head.extend_from_slice(&part.head);
    let tail = format!("\r\n--{boundary}--\r\n").into_bytes();
    let size = part.range.end.saturating_sub(part.range.start);
    let length = head.len() as u64 + size + tail.len() as u64;

    let mut file = File::open(&part.path).await?;
    file.seek(SeekFrom::Start(part.range.start)).await?;
    let piece = |bytes: Vec<u8>| stream::once(async { Ok::<_, io::Error>(Bytes::from(bytes)) });
    let all = piece(head).chain(ReaderStream::with_capacity(file.take(size), 64 * 1024)).chain(piece(tail));
    let content_type = HeaderValue::from_str(&format!("multipart/form-data; boundary={boundary}"))
        .map_err(|error| Error::new(Code::Internal, "A form's type makes no header").with_source(error))?;
    Ok((Body::wrap_stream(all), length, content_type))
}
