//! Multipart bodies, part by part: files straight to the disk, texts counted.

use std::sync::{Arc, Mutex, PoisonError};

use poem::{
    FromRequest, Request, RequestBody,
    http::header,
    web::{Field, Multipart},
};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::{
    State,
    body::{MAX_JSON, Pace, broken, in_time},
    paced::{Meter, Paced},
    problem,
};
use crate::{
    error::{Code, Error, Result},
    files::UploadFile,
};

/// What a multipart body may have besides its file, in bytes.
const OVERHEAD: u64 = 2 * MAX_JSON as u64;

/// How much of a part is read at once.
const PIECE: usize = 64 * 1024;

/// The longest name of a file, in characters.
const MAX_NAME: usize = 255;

/// A body that nobody has read yet.
pub(super) struct Incoming {
    /// What the client says that it is.
    pub content_type: String,
    /// How long the client says that it is.
    pub length: Option<u64>,
    /// The body.
    pub body: poem::Body,
}

impl Incoming {
    /// The body of a request.
    pub(super) fn of(request: &Request, body: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self {
            content_type: request.content_type().unwrap_or_default().to_owned(),
            length: request.header(header::CONTENT_LENGTH).and_then(|length| length.parse().ok()),
            body: body.take()?,
        })
    }

    /// Refuses what says itself that it is too large.
    fn check(&self, state: &State) -> Result<()> {
        let limit = state.config.uploads.max_bytes;
        let Some(length) = self.length else { return Ok(()) };
        if length > limit.saturating_add(OVERHEAD) {
            return Err(Error::new(Code::TooLarge, format!("The upload is larger than {limit} bytes")));
        }
        state.files.check_free(length)
    }

    /// The parts of a multipart body.
    pub(super) async fn parts(self, state: &State) -> Result<Parts> {
        self.check(state)?;
        let meter = Meter::default();
        let body = Paced::new(Box::pin(self.body.into_bytes_stream()), meter.clone());
        let mut body = RequestBody::new(poem::Body::from_bytes_stream(body));
        let request = Request::builder().header(header::CONTENT_TYPE, self.content_type).finish();
        let inner =
            Multipart::from_request(&request, &mut body).await.map_err(|error| problem::from_poem(error, &[]))?;
        Ok(Parts { inner, meter, pace: Arc::new(Mutex::new(Pace::begin())) })
    }

    /// Writes a body that is the file itself to the disk.
    pub(super) async fn store(self, state: &State) -> Result<UploadFile> {
        self.check(state)?;
        write(state, Box::pin(self.body.into_async_read()), &Meter::default()).await
    }
}

/// The parts of a multipart body, one after the other.
pub(super) struct Parts {
    inner: Multipart,
    meter: Meter,
    pace: Arc<Mutex<Pace>>,
}

impl Parts {
    /// The next part.
    pub(super) async fn next(&mut self) -> Result<Option<Part>> {
        let next = in_time(self.inner.next_field()).await?.map_err(|error| problem::multipart(&error))?;
        self.meter.read();
        Ok(next.map(|field| Part { field, meter: self.meter.clone(), pace: Arc::clone(&self.pace) }))
    }
}

#[cfg(test)]
impl Parts {
    /// As if the body had begun so much earlier.
    pub(super) fn age(&self, by: std::time::Duration) {
        self.pace.lock().unwrap().age(by);
    }
}

/// One part. What is not read is skipped.
pub(super) struct Part {
    field: Field,
    meter: Meter,
    /// Of the whole body: many parts may not trickle one after the other either.
    pace: Arc<Mutex<Pace>>,
}

impl Part {
    /// The part's name.
    pub(super) fn name(&self) -> Option<&str> {
        self.field.name()
    }

    /// What the sender says that it is.
    pub(super) fn content_type(&self) -> Option<&str> {
        self.field.content_type()
    }

    /// What the person's file is called, for display; none when it does not say that it is a file.
    pub(super) fn file_name(&self) -> Option<String> {
        let name = self.field.file_name()?;
        Some(name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect())
    }

    /// Writes the part to the disk.
    pub(super) async fn store(self, state: &State) -> Result<UploadFile> {
        let name = self.field.name().unwrap_or_default().to_owned();
        let reader = Box::pin(self.field.into_async_read());
        write(state, reader, &self.meter).await.map_err(|error| match error.field {
            None => error.with_field(name),
            Some(_) => error,
        })
    }

    /// The part as text of at most `most` bytes.
    pub(super) async fn text(self, most: usize) -> Result<String> {
        let name = self.field.name().unwrap_or_default().to_owned();
        let mut reader = Box::pin(self.field.into_async_read());
        let (mut bytes, mut buffer) = (Vec::new(), vec![0; PIECE]);
        loop {
            let count = piece(&mut reader, &mut buffer, &self.meter).await?;
            if count == 0 {
                break;
            }
            self.pace.lock().unwrap_or_else(PoisonError::into_inner).took(count)?;
            if bytes.len() + count > most {
                return Err(Error::new(Code::TooLarge, "The text parts are too large").with_field(name));
            }
            bytes.extend_from_slice(&buffer[..count]);
        }
        let refused = |detail: &str| Error::new(Code::InvalidRequest, detail).with_field(&name);
        let text = String::from_utf8(bytes).map_err(|_| refused("A text part is not UTF-8"))?;
        if text.contains('\0') {
            return Err(refused("A text part holds a zero character"));
        }
        Ok(text)
    }
}

async fn write(state: &State, mut reader: impl AsyncRead + Unpin, meter: &Meter) -> Result<UploadFile> {
    let mut file = state.files.new_upload().await?;
    let (mut buffer, mut pace) = (vec![0; PIECE], Pace::begin());
    loop {
        match piece(&mut reader, &mut buffer, meter).await? {
            0 => break,
            count => {
                pace.took(count)?;
                file.write(&buffer[..count]).await?;
            }
        }
    }
    file.finish().await?;
    Ok(file)
}

async fn piece(reader: &mut (impl AsyncRead + Unpin), buffer: &mut [u8], meter: &Meter) -> Result<usize> {
    let count = in_time(reader.read(buffer)).await?.map_err(broken)?;
    meter.read();
    Ok(count)
}
