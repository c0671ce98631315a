//! Answers that are files.

use poem::{Body, IntoResponse, Response, http::header};
use poem_openapi::{
    ApiResponse,
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
};

/// A file to be saved.
pub(super) struct Saved {
    pub content_type: &'static str,
    /// Its name, as the header.
    pub disposition: String,
    /// In bytes.
    pub length: u64,
    pub body: Body,
}

impl IntoResponse for Saved {
    fn into_response(self) -> Response {
        let start = Response::builder().content_type(self.content_type);
        let start =
            start.header(header::CONTENT_DISPOSITION, self.disposition).header(header::CONTENT_LENGTH, self.length);
        start.body(self.body)
    }
}

impl ApiResponse for Saved {
    fn meta() -> MetaResponses {
        let schema = || MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "binary")));
        let response = MetaResponse {
            description: "The file. / 文件。",
            status: Some(200),
            status_range: None,
            content: vec![MetaMediaType { content_type: "application/octet-stream", schema: schema() }],
            headers: Vec::new(),
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(_: &mut Registry) {}
}
