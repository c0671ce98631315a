//! The parts of an upload.

use std::{borrow::Cow, collections::BTreeMap};

use poem_openapi::{
    Object,
    registry::{MetaSchema, MetaSchemaRef},
    types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde_json::{Map, Value};

use super::super::submit::NewTask;
use crate::{
    api::{fields, sample::sample, words::Word},
    domain::Priority,
    error::Result,
    intake::Submission,
};

/// A file with the fields of a task. / 文件与任务字段。
#[derive(Debug, Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct UploadForm {
    /// The media file.
    #[oai(default)]
    file: FilePart,
    /// The workflow's name; `transcribe` when there is none.
    workflow: Option<String>,
    /// The workflow's parameters, as JSON.
    params: Option<BTreeMap<String, Value>>,
    /// Transcription options, as JSON.
    options: Option<BTreeMap<String, Value>>,
    /// How urgent it is; `normal` when nothing is said.
    priority: Option<Word<Priority>>,
    /// Where the task's end is told.
    callback_url: Option<String>,
}

/// The place of the file in the documentation: its bytes never come this way.
#[derive(Debug, Default)]
pub(in crate::api) struct FilePart;

/// The text parts as a submission without its link.
pub(super) fn submission(texts: Map<String, Value>) -> Result<Submission> {
    let form: UploadForm = fields::read(Value::Object(texts))?;
    let task = NewTask {
        workflow: form.workflow,
        params: form.params,
        options: form.options,
        priority: form.priority,
        callback_url: form.callback_url,
        ..NewTask::default()
    };
    Ok(task.with_link(String::new()))
}

impl Type for FilePart {
    const IS_REQUIRED: bool = true;

    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "file".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "binary")))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::empty())
    }
}

impl ParseFromJSON for FilePart {
    fn parse_from_json(_: Option<Value>) -> ParseResult<Self> {
        Err(ParseError::custom("must be a file"))
    }
}

impl ToJSON for FilePart {
    fn to_json(&self) -> Option<Value> {
        None
    }
}

sample!(UploadForm, { "options": { "language": "zh", "zh": "tw" }, "priority": "normal" });
