//! A multipart body straight to the disk.

use poem::{
    FromRequest, Request, RequestBody,
    http::header,
    web::{Field, Multipart},
};
use serde_json::{Map, Value};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::{super::Context, Incoming, form};
use crate::{
    api::{
        body::{MAX_JSON, broken, in_time},
        json,
        paced::{Meter, Paced},
        problem,
    },
    error::{Code, Error, Result},
    files::UploadFile,
    intake::Submission,
};

/// What a multipart body may have besides its file.
const OVERHEAD: u64 = 2 * MAX_JSON as u64;

/// The most text parts.
const MAX_TEXTS: usize = 32;

/// How much of a part is read at once.
const PIECE: usize = 64 * 1024;

/// The longest name of a file, in characters.
const MAX_NAME: usize = 255;

/// An upload that is complete and whose fields make sense.
pub(super) struct Received {
    /// The file; gone when this is dropped before it was kept.
    pub file: UploadFile,
    /// What the person's file is called.
    pub name: String,
    /// What to do with it; its link is still missing.
    pub submission: Submission,
    /// The text parts, for telling two requests apart.
    pub fields: String,
}

/// Reads the whole body.
pub(super) async fn receive(context: &Context, incoming: Incoming) -> Result<Received> {
    let limit = context.state.config.uploads.max_bytes;
    if let Some(length) = incoming.length {
        if length > limit.saturating_add(OVERHEAD) {
            return Err(Error::new(Code::TooLarge, format!("The upload is larger than {limit} bytes")));
        }
        context.state.files.check_free(length)?;
    }
    let meter = Meter::default();
    let mut parts = multipart(incoming, meter.clone()).await?;
    let mut file = None;
    let mut texts = Map::new();
    while let Some(part) = in_time(parts.next_field()).await?.map_err(|error| problem::multipart(&error))? {
        meter.read();
        match part.name().map(str::to_owned).as_deref() {
            Some("file") if file.is_none() => file = Some(store(context, part, &meter).await?),
            Some("file") => return Err(refused("There is more than one part named \"file\"", "file")),
            Some(name) if texts.contains_key(name) => return Err(refused("A field is there twice", name)),
            Some(name) => {
                let value = text(name, part, &meter, &texts).await?;
                texts.insert(name.to_owned(), value);
            }
            None => return Err(refused("A part has no name", "file")),
        }
    }
    let (file, name) = file.ok_or_else(|| refused("There is no part named \"file\"", "file"))?;
    let fields = Value::Object(texts.clone()).to_string();
    Ok(Received { file, name, submission: form::submission(texts)?, fields })
}

async fn multipart(incoming: Incoming, meter: Meter) -> Result<Multipart> {
    let body = Paced::new(Box::pin(incoming.body.into_bytes_stream()), meter);
    let mut body = RequestBody::new(poem::Body::from_bytes_stream(body));
    let request = Request::builder().header(header::CONTENT_TYPE, incoming.content_type).finish();
    Multipart::from_request(&request, &mut body).await.map_err(|error| problem::from_poem(error, &[]))
}

/// Writes the file's part to the disk.
async fn store(context: &Context, part: Field, meter: &Meter) -> Result<(UploadFile, String)> {
    let name = part.file_name().unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    let mut file = context.state.files.new_upload().await?;
    let mut reader = Box::pin(part.into_async_read());
    let mut buffer = vec![0; PIECE];
    loop {
        match piece(&mut reader, &mut buffer, meter).await? {
            0 => break,
            count => file.write(&buffer[..count]).await?,
        }
    }
    file.finish().await.map_err(|error| error.with_field("file"))?;
    Ok((file, name))
}

/// Reads a text part; `params` and `options` are JSON.
async fn text(name: &str, part: Field, meter: &Meter, before: &Map<String, Value>) -> Result<Value> {
    let mut reader = Box::pin(part.into_async_read());
    let (mut bytes, mut buffer) = (Vec::new(), vec![0; PIECE]);
    loop {
        let count = piece(&mut reader, &mut buffer, meter).await?;
        if count == 0 {
            break;
        }
        if bytes.len() + count > MAX_JSON / MAX_TEXTS || before.len() >= MAX_TEXTS {
            return Err(Error::new(Code::TooLarge, "The text parts are too large").with_field(name));
        }
        bytes.extend_from_slice(&buffer[..count]);
    }
    let text = String::from_utf8(bytes).map_err(|_| refused("A text part is not UTF-8", name))?;
    match name {
        _ if text.trim().is_empty() => Ok(Value::Null),
        "params" | "options" => json::parse(text.as_bytes()).map_err(|error| error.with_field(name)),
        _ if text.contains('\0') => Err(refused("A text part holds a zero character", name)),
        _ => Ok(Value::String(text)),
    }
}

async fn piece(reader: &mut (impl AsyncRead + Unpin), buffer: &mut [u8], meter: &Meter) -> Result<usize> {
    let count = in_time(reader.read(buffer)).await?.map_err(broken)?;
    meter.read();
    Ok(count)
}

fn refused(detail: &str, field: &str) -> Error {
    Error::new(Code::InvalidRequest, detail)
        .with_hint("Send one part named \"file\" and each other field at most once.")
        .with_field(field)
}
