//! Which failures each operation can answer with, for the documentation.

use std::{collections::BTreeMap, sync::LazyLock};

use poem::http::StatusCode;
use poem_openapi::{OpenApi, registry::MetaResponse};

use super::{
    access::{Need, need},
    native::Described,
    shape::Shape,
};
use crate::error::Code::{self, *};

/// What an operation that needs a token can answer with.
const GUARDED: &[Code] = &[Unauthorized, Forbidden, TooManyRequests];

/// What making tasks can answer with.
const LIMITED: &[Code] = &[QuotaExceeded];

/// What every operation can answer with.
const ALWAYS: &[Code] = &[InvalidValue, UnknownField, Database, Internal];

/// What reading a JSON body can answer with.
const BODY: &[Code] = &[InvalidRequest, TooLarge, UnsupportedFormat, CrossOrigin];

/// What taking a piece of a file can answer with.
const PIECE: &[Code] = &[
    InvalidRequest,
    ProtocolVersion,
    TooLarge,
    UnsupportedFormat,
    ChecksumMismatch,
    CrossOrigin,
    InsufficientStorage,
    ShuttingDown,
    Io,
];

/// What taking a submission can answer with.
const SUBMIT: &[Code] =
    &[InvalidLink, AddressRefused, PortRefused, NotFound, UnknownWorkflow, InvalidWorkflow, UnknownModel];

/// What reading a list for the first time can answer with.
const LIST: &[Code] = &[
    NoMediaFound,
    SourceNotFound,
    SourceForbidden,
    PostPrivate,
    RegionBlocked,
    SourceBlocked,
    RateLimited,
    SourceTimeout,
    LiveNotSupported,
];

/// What hearing a file while its client waits can answer with, besides what else a task can fail with.
const SPEECH: &[Code] = &[
    NotMedia,
    EmptyMedia,
    Truncated,
    NoAudio,
    TooLong,
    DiarizationUnavailable,
    ModelMissing,
    EngineCrashed,
    EngineFailed,
    InsufficientStorage,
    ShuttingDown,
    Conflict,
    Io,
];

/// The operations by their ids, with what they add.
const TABLE: &[(&str, &[&[Code]])] = &[
    ("create_task", &[BODY, SUBMIT]),
    ("create_tasks", &[BODY, SUBMIT]),
    ("upload_task", &[BODY, SUBMIT, &[EmptyMedia, InsufficientStorage, Io]]),
    ("upload_abilities", &[]),
    ("create_upload", &[PIECE, &[EmptyMedia]]),
    ("upload_offset", &[&[ProtocolVersion, NotFound, Expired, Busy, Io]]),
    ("append_upload", &[PIECE, &[NotFound, Expired, Busy, Conflict]]),
    ("delete_upload", &[&[ProtocolVersion, NotFound, Expired, Busy, Conflict, CrossOrigin, Io]]),
    ("list_tasks", &[&[InvalidLink]]),
    ("count_tasks", &[]),
    ("get_task", &[&[NotFound]]),
    ("delete_task", &[&[NotFound, CrossOrigin, Io]]),
    ("cancel_task", &[&[NotFound, Conflict, CrossOrigin]]),
    ("retry_task", &[&[NotFound, Conflict, CrossOrigin]]),
    ("rerun_task", &[BODY, SUBMIT, &[Conflict]]),
    ("get_step", &[&[NotFound]]),
    ("step_items", &[&[NotFound]]),
    ("task_events", &[&[NotFound]]),
    ("all_events", &[]),
    ("transcript_revisions", &[&[NotFound, NotReady]]),
    ("task_transcript", &[&[NotFound, NotReady, UnsupportedFormat]]),
    ("edit_transcript", &[BODY, &[NotFound, NotReady, Conflict]]),
    ("export_tasks", &[&[UnsupportedFormat]]),
    ("task_file", &[&[NotFound]]),
    ("task_media", &[&[NotFound, NotReady, RangeNotSatisfiable, Io]]),
    ("task_peaks", &[&[NotFound, NotReady, NotMedia, NoAudio, Truncated, Encrypted, TooLong, MediaTimeout, Io]]),
    ("task_deliveries", &[&[NotFound]]),
    ("list_deliveries", &[]),
    ("get_delivery", &[&[NotFound]]),
    ("redeliver", &[&[NotFound, Conflict, CrossOrigin]]),
    ("redeliver_many", &[BODY]),
    ("doctor", &[&[Io]]),
    ("list_endpoints", &[]),
    ("get_endpoint", &[&[NotFound]]),
    ("change_endpoint", &[BODY, &[NotFound]]),
    ("resolve_link", &[BODY, &[InvalidLink, AddressRefused, NoMediaFound, SourceNotFound, SourceForbidden]]),
    ("create_source", &[BODY, SUBMIT, LIST, &[Conflict]]),
    ("list_sources", &[]),
    ("get_source", &[&[NotFound]]),
    ("change_source", &[BODY, SUBMIT]),
    ("delete_source", &[&[NotFound, CrossOrigin]]),
    ("run_source", &[&[NotFound, Conflict, CrossOrigin]]),
    ("source_items", &[&[NotFound]]),
    ("create_schedule", &[BODY, SUBMIT, &[Conflict]]),
    ("list_schedules", &[]),
    ("get_schedule", &[&[NotFound]]),
    ("change_schedule", &[BODY, SUBMIT, &[Conflict]]),
    ("delete_schedule", &[&[NotFound, Conflict, CrossOrigin]]),
    ("run_schedule", &[&[NotFound, Conflict, CrossOrigin]]),
    ("preview_schedule", &[BODY]),
    ("schedule_fires", &[&[NotFound]]),
    ("list_identities", &[]),
    ("create_identity", &[BODY, &[Conflict]]),
    ("get_identity", &[&[NotFound]]),
    ("change_identity", &[BODY, &[NotFound, Conflict]]),
    ("delete_identity", &[&[NotFound, CrossOrigin]]),
    ("list_secrets", &[]),
    ("put_secret", &[BODY]),
    ("delete_secret", &[&[NotFound, CrossOrigin]]),
    ("list_workflows", &[]),
    ("get_workflow", &[&[UnknownWorkflow]]),
    ("create_workflow", &[BODY, &[InvalidWorkflow, Conflict]]),
    ("put_workflow", &[BODY, &[InvalidWorkflow]]),
    ("delete_workflow", &[&[UnknownWorkflow, CrossOrigin]]),
    ("workflow_revisions", &[&[UnknownWorkflow]]),
    ("get_workflow_revision", &[&[UnknownWorkflow, NotFound]]),
    ("workflow_fires", &[&[UnknownWorkflow]]),
    ("validate_workflow", &[BODY]),
    ("test_workflow", &[BODY, &[UnknownWorkflow, InvalidWorkflow, NotFound]]),
    ("workflow_schema", &[]),
    ("workflow_kinds", &[]),
    ("create_work_flow", &[BODY, &[InvalidWorkflow, Conflict]]),
    ("upload_audio", &[BODY, SUBMIT, SPEECH]),
    ("process_audio", &[BODY, SUBMIT, SPEECH]),
    ("transcribe_file", &[BODY, SUBMIT, SPEECH]),
    ("transcribe_binary", &[BODY, SUBMIT, SPEECH]),
    ("health", &[]),
    ("transcribe_folder", &[BODY, SUBMIT, &[NotFound, ModelMissing, InsufficientStorage, Config, Io]]),
    ("monitor_task", &[&[NotFound]]),
    ("asr", &[BODY, SUBMIT, SPEECH]),
    ("detect_language", &[BODY, SUBMIT, SPEECH]),
    ("openai_transcribe", &[BODY, SUBMIT, SPEECH]),
    ("openai_translate", &[BODY, SUBMIT, SPEECH]),
    ("openai_models", &[]),
    ("openai_model", &[&[UnknownModel]]),
    ("list_tokens", &[]),
    ("create_token", &[BODY]),
    ("revoke_token", &[&[NotFound, CrossOrigin]]),
    ("usage", &[]),
    ("create_session", &[BODY, &[Unauthorized, TooManyRequests]]),
    ("delete_session", &[&[CrossOrigin]]),
    ("services_create", &[BODY, SUBMIT, &[EmptyMedia, InsufficientStorage, Io]]),
    ("services_query", &[BODY]),
    ("services_result", &[&[NotFound]]),
    ("services_delete", &[&[NotFound, CrossOrigin, Io]]),
    ("services_tiktok", &[BODY, SUBMIT]),
    ("services_douyin", &[BODY, SUBMIT]),
    ("services_summary", &[BODY, &[NotFound, LlmUnavailable, LlmTimeout, LlmDenied, LlmAnswer, Config]]),
    ("services_callback_test", &[BODY]),
    ("services_subtitles", &[&[NotFound, InvalidRequest]]),
    ("services_extract_audio", &[BODY, &[TooLong, MediaTimeout, InsufficientStorage, Io]]),
    ("services_health", &[]),
    ("whisper_api_login", &[BODY, &[Unauthorized, TooManyRequests]]),
    ("whisper_api_transcribe", &[BODY, SUBMIT, &[EmptyMedia, InsufficientStorage, Io]]),
    ("whisper_api_list", &[]),
    ("whisper_api_get", &[&[NotFound]]),
    ("whisper_api_delete", &[&[NotFound, CrossOrigin, Io]]),
    ("whisper_api_usage", &[]),
    ("list_models", &[]),
    ("get_model", &[&[NotFound]]),
    ("pull_model", &[&[NotFound, Conflict, ModelPull, ShuttingDown, CrossOrigin]]),
    ("cancel_pull", &[&[NotFound, CrossOrigin]]),
    ("delete_model", &[&[NotFound, Conflict, CrossOrigin, Io]]),
    ("load_model", &[&[NotFound, Conflict, ModelInvalid, EngineCrashed, EngineFailed, ShuttingDown, CrossOrigin]]),
    ("unload_model", &[&[NotFound, Conflict, CrossOrigin]]),
    ("list_devices", &[]),
    ("list_nodes", &[]),
    ("live", &[]),
    ("ready", &[&[ShuttingDown, InsufficientStorage]]),
    ("info", &[]),
    ("metrics", &[]),
];

/// The shape in which an operation tells its errors, and by status the description with the codes.
type Told = (Shape, BTreeMap<u16, String>);

static DESCRIPTIONS: LazyLock<BTreeMap<&'static str, Told>> = LazyLock::new(|| {
    let shapes: BTreeMap<_, _> = Described::meta()
        .into_iter()
        .flat_map(|api| api.paths)
        .flat_map(|path| {
            let shape = Shape::of(&path.path);
            path.operations.into_iter().filter_map(move |operation| Some((operation.operation_id?, shape)))
        })
        .collect();
    let describe = |operation: &str, lists: &[&[Code]]| {
        let shape = shapes.get(operation).copied().unwrap_or(Shape::Problem);
        let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
        let need = need(operation);
        let guarded = if need == Need::Nothing { &[] } else { GUARDED };
        let limited = if need == Need::Make { LIMITED } else { &[] };
        for code in [ALWAYS, guarded, limited].iter().chain(lists).copied().flatten() {
            let usual = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let codes = by_status.entry(shape.status(*code, usual).as_u16()).or_default();
            if !codes.contains(code) {
                codes.push(*code);
            }
        }
        let line = |code: &Code| format!("`{}`: {}", code.as_str(), code.hint());
        let texts = by_status
            .into_iter()
            .map(|(status, codes)| (status, codes.iter().map(line).collect::<Vec<_>>().join("\n\n")))
            .collect();
        (shape, texts)
    };
    TABLE.iter().map(|(operation, lists)| (*operation, describe(operation, lists))).collect()
});

/// The answers that an operation can fail with.
pub(super) fn of(operation: &str) -> impl Iterator<Item = MetaResponse> {
    let told = DESCRIPTIONS.get(operation).into_iter();
    told.flat_map(|(shape, texts)| texts.iter().map(|text| (*shape, text))).map(|(shape, (status, text))| {
        MetaResponse {
            description: text.as_str(),
            status: Some(*status),
            status_range: None,
            content: vec![shape.media_type()],
            headers: Vec::new(),
        }
    })
}

/// Whether an operation stands in the table.
#[cfg(test)]
pub(super) fn has(operation: &str) -> bool {
    TABLE.iter().any(|(name, _)| *name == operation)
}
