//! A multipart body of the native API: one file, each other field at most once.

use serde_json::{Map, Value};

use super::{super::Context, form};
use crate::{
    api::{
        body::MAX_JSON,
        json,
        parts::{Incoming, Part},
    },
    error::{Code, Error, Result},
    files::UploadFile,
    intake::Submission,
};

/// The most text parts.
const MAX_TEXTS: usize = 32;

/// An upload that is complete and whose fields make sense.
pub(in crate::api) struct Received {
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
    let mut parts = incoming.parts(&context.state).await?;
    let mut file = None;
    let mut texts = Map::new();
    while let Some(part) = parts.next().await? {
        match part.name().map(str::to_owned).as_deref() {
            Some("file") if file.is_none() => {
                let name = part.file_name().unwrap_or_default();
                file = Some((part.store(&context.state).await?, name));
            }
            Some("file") => return Err(refused("There is more than one part named \"file\"", "file")),
            Some(name) if texts.contains_key(name) => return Err(refused("A field is there twice", name)),
            Some(name) if texts.len() >= MAX_TEXTS => {
                return Err(Error::new(Code::TooLarge, "There are too many text parts").with_field(name));
            }
            Some(name) => {
                let value = text(name, part).await?;
                texts.insert(name.to_owned(), value);
            }
            None => return Err(refused("A part has no name", "file")),
        }
    }
    let (file, name) = file.ok_or_else(|| refused("There is no part named \"file\"", "file"))?;
    let fields = Value::Object(texts.clone()).to_string();
    Ok(Received { file, name, submission: form::submission(texts)?, fields })
}

/// Reads a text part; `params` and `options` are JSON.
async fn text(name: &str, part: Part) -> Result<Value> {
    let text = part.text(MAX_JSON / MAX_TEXTS).await?;
    match name {
        _ if text.trim().is_empty() => Ok(Value::Null),
        "params" | "options" => json::parse(text.as_bytes()).map_err(|error| error.with_field(name)),
        _ => Ok(Value::String(text)),
    }
}

fn refused(detail: &str, field: &str) -> Error {
    Error::new(Code::InvalidRequest, detail)
        .with_hint("Send one part named \"file\" and each other field at most once.")
        .with_field(field)
}
