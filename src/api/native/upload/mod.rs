//! Uploads: a file straight into a task.
//!
//! Callers may rely on this: no more than a piece of the file is in memory at a time, and when something goes wrong,
//! nothing is left behind.

pub(in crate::api) mod form;
pub(in crate::api) mod keep;
pub(in crate::api) mod receive;

use poem::{Request, RequestBody};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions, OpenApi,
    param::Header,
    registry::{MetaMediaType, MetaRequest, Registry},
    types::Type,
};

use self::form::UploadForm;
use super::{
    Context, Group,
    submit::{Accepted, accepted},
};
use crate::api::{parts::Incoming, who::Who};

/// Uploads.
pub(in crate::api) struct Uploads(pub(super) Context);

/// The body of an upload.
struct Body(Incoming);

impl<'a> ApiExtractor<'a> for Body {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        UploadForm::register(registry);
        // The file is required, though it does not come with the text parts.
        if let Some(form) = registry.schemas.get_mut(UploadForm::name().as_ref())
            && !form.required.contains(&"file")
        {
            form.required.push("file");
        }
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: "multipart/form-data", schema: UploadForm::schema_ref() }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Ok(Self(Incoming::of(request, body)?))
    }
}

#[OpenApi(tag = "Group::Tasks")]
impl Uploads {
    /// Upload a file, get a task
    ///
    /// One part named `file`; the other fields of a task as text parts, objects as JSON, before or after it. The file's
    /// name is only shown. Example: `curl -F file=@talk.mp3 -F 'options={"language":"zh"}' URL`.
    ///
    /// 上传文件并创建任务：文件放在 `file` 部分，其余字段为文本部分（对象用 JSON）。
    #[oai(path = "/api/tasks/upload", method = "post", operation_id = "upload_task")]
    async fn create(
        &self,
        /// A key of your own which makes the request safe to repeat for 24 hours.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        who: Who,
        body: Body,
    ) -> poem::Result<Accepted> {
        let mut received = receive::receive(&self.0, body.0).await?;
        received.submission.caller = who.0;
        let task = keep::submit(&self.0, received, key.0).await?;
        Ok(accepted(&self.0, task).await?)
    }
}
