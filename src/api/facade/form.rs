//! Foreign bodies: read kindly, counted like every other.

use std::marker::PhantomData;

use poem::{Request, RequestBody};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry},
    types::Type,
};
use serde_json::Value;

use super::Fields;
use crate::{
    api::{
        body::{self, MAX_JSON},
        json,
        native::Context,
        parts::Incoming,
        sample::Sample,
    },
    error::{Code, Error, Result},
    files::UploadFile,
};

/// The most fields.
const MAX_FIELDS: usize = 256;

/// A body of fields that nobody has read yet: multipart/form-data, a form, JSON, or nothing; behind its fields stand those
/// of the query. `T` is how it is documented.
pub(in crate::api) struct Form<T> {
    incoming: Incoming,
    query: Vec<(String, Value)>,
    documented: PhantomData<T>,
}

/// A body that is a file.
pub(in crate::api) struct Raw {
    incoming: Incoming,
    /// The fields of the query.
    pub query: Fields,
}

/// A file that was received; gone when it is dropped before it was kept.
pub(in crate::api) struct Given {
    /// The file.
    pub file: UploadFile,
    /// What the person's file is called: display text.
    pub name: String,
    /// What its sender says that it is; empty when nothing is said.
    pub content_type: String,
}

impl<'a, T: Type + Sample> ApiExtractor<'a> for Form<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
        if let Some(schema) = registry.schemas.get_mut(T::name().as_ref()) {
            schema.example = Some(T::sample());
        }
    }

    fn request_meta() -> Option<MetaRequest> {
        let kinds = ["multipart/form-data", "application/x-www-form-urlencoded", "application/json"];
        let content = kinds.map(|content_type| MetaMediaType { content_type, schema: T::schema_ref() });
        Some(MetaRequest { description: None, content: content.into(), required: false })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Ok(Self { incoming: Incoming::of(request, body)?, query: query(request), documented: PhantomData })
    }
}

impl<'a> ApiExtractor<'a> for Raw {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn request_meta() -> Option<MetaRequest> {
        let schema = MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "binary")));
        let content = vec![MetaMediaType { content_type: "application/octet-stream", schema }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Ok(Self { incoming: Incoming::of(request, body)?, query: Fields(query(request)) })
    }
}

impl Context {
    /// Reads a body with its file, which is called `file` there. Other files are skipped.
    pub(in crate::api) async fn read<T>(&self, form: Form<T>, file: &str) -> Result<(Fields, Option<Given>)> {
        self.read_any(form, &[file]).await
    }

    /// Reads a body with its file, which has one of these names there.
    pub(in crate::api) async fn read_any<T>(&self, form: Form<T>, files: &[&str]) -> Result<(Fields, Option<Given>)> {
        let kind = form.incoming.content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let (mut fields, given) = match kind.as_str() {
            "multipart/form-data" => self.parts(form.incoming, files).await?,
            "application/x-www-form-urlencoded" => {
                let bytes = body::read(form.incoming.body, MAX_JSON).await?;
                (pairs(&bytes), None)
            }
            "" | "application/json" => (object(&body::read(form.incoming.body, MAX_JSON).await?)?, None),
            other => {
                let detail = format!("The body is \"{}\", which is not understood here", other.escape_debug());
                let hint = "Send multipart/form-data, application/x-www-form-urlencoded or JSON.";
                return Err(Error::new(Code::UnsupportedFormat, detail).with_hint(hint));
            }
        };
        fields.extend(form.query);
        if fields.len() > MAX_FIELDS {
            return Err(Error::new(Code::TooLarge, format!("There are more than {MAX_FIELDS} fields")));
        }
        Ok((Fields(fields), given))
    }

    /// Reads a body that is a file called `name`.
    pub(in crate::api) async fn read_raw(&self, raw: Raw, name: String) -> Result<Given> {
        let content_type = raw.incoming.content_type.clone();
        if content_type.starts_with("multipart/") {
            return Err(Error::new(Code::UnsupportedFormat, "The body is a form, not a file")
                .with_hint("Send the file as the whole body: curl --data-binary @talk.mp3 URL."));
        }
        Ok(Given { file: raw.incoming.store(&self.state).await?, name, content_type })
    }

    async fn parts(&self, incoming: Incoming, files: &[&str]) -> Result<(Vec<(String, Value)>, Option<Given>)> {
        let mut parts = incoming.parts(&self.state).await?;
        let (mut fields, mut given, mut left) = (Vec::new(), None, MAX_JSON);
        while let Some(part) = parts.next().await? {
            let Some(name) = part.name().map(str::to_owned) else { continue };
            let file_name = part.file_name();
            if files.contains(&name.as_str()) && given.is_some() {
                return Err(Error::new(Code::InvalidRequest, "There is more than one file")
                    .with_hint("Send one file in each request.")
                    .with_field(name));
            }
            if files.contains(&name.as_str()) {
                let content_type = part.content_type().unwrap_or_default().to_owned();
                let name = file_name.unwrap_or_default();
                match part.store(&self.state).await {
                    Ok(file) => given = Some(Given { file, name, content_type }),
                    // A form in which no file was chosen.
                    Err(error) if error.code == Code::EmptyMedia && name.is_empty() => {}
                    Err(error) => return Err(error),
                }
            } else if file_name.is_none() && fields.len() <= MAX_FIELDS {
                let text = part.text(left).await?;
                left -= text.len();
                fields.push((name, Value::String(text)));
            }
        }
        Ok((fields, given))
    }
}

fn query(request: &Request) -> Vec<(String, Value)> {
    pairs(request.uri().query().unwrap_or_default().as_bytes())
}

fn pairs(bytes: &[u8]) -> Vec<(String, Value)> {
    url::form_urlencoded::parse(bytes).map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect()
}

fn object(bytes: &[u8]) -> Result<Vec<(String, Value)>> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Vec::new());
    }
    match json::parse(bytes)? {
        Value::Object(fields) => Ok(fields.into_iter().collect()),
        _ => Err(Error::new(Code::InvalidRequest, "The body must be a JSON object")),
    }
}
