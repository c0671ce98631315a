//! What each operation needs.

use crate::domain::Scope;

/// What an operation needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) enum Need {
    /// Nothing.
    Nothing,
    /// `read`: looks at the caller's own tasks and at what everyone may know.
    Read,
    /// `submit`: changes what is the caller's own, or asks for small work that leaves nothing behind.
    Change,
    /// `submit`: makes tasks or uploads, or asks for work that costs as much. Rates and quotas count these.
    Make,
    /// `admin`: everything else.
    Admin,
}

impl Need {
    /// The scope that it takes.
    pub(in crate::api) fn scope(self) -> Option<Scope> {
        match self {
            Self::Nothing => None,
            Self::Read => Some(Scope::Read),
            Self::Change | Self::Make => Some(Scope::Submit),
            Self::Admin => Some(Scope::Admin),
        }
    }
}

/// The operations by their ids.
const TABLE: &[(Need, &[&str])] = &[
    (
        Need::Nothing,
        &[
            "live",
            "ready",
            "create_session",
            "delete_session",
            "services_health",
            "whisper_api_login",
            "health",
            "upload_abilities",
        ],
    ),
    (
        Need::Read,
        &[
            "list_tasks",
            "count_tasks",
            "get_task",
            "get_step",
            "export_tasks",
            "task_peaks",
            "list_deliveries",
            "get_delivery",
            "metrics",
            "monitor_task",
            "step_items",
            "openai_models",
            "openai_model",
            "task_events",
            "all_events",
            "task_transcript",
            "transcript_revisions",
            "task_file",
            "task_media",
            "task_deliveries",
            "list_workflows",
            "get_workflow",
            "workflow_revisions",
            "get_workflow_revision",
            "workflow_schema",
            "workflow_kinds",
            "list_models",
            "get_model",
            "list_devices",
            "list_nodes",
            "info",
            "usage",
            "services_query",
            "services_result",
            "services_subtitles",
            "services_callback_test",
            "whisper_api_list",
            "whisper_api_get",
            "whisper_api_usage",
        ],
    ),
    (
        Need::Change,
        &[
            "delete_task",
            "edit_transcript",
            "upload_offset",
            "append_upload",
            "delete_upload",
            "cancel_task",
            "retry_task",
            "validate_workflow",
            "test_workflow",
            "preview_schedule",
            "services_delete",
            "whisper_api_delete",
        ],
    ),
    (
        Need::Make,
        &[
            "create_task",
            "resolve_link",
            "redeliver",
            "services_summary",
            "services_extract_audio",
            "create_tasks",
            "upload_task",
            "rerun_task",
            "create_upload",
            "openai_transcribe",
            "openai_translate",
            "transcribe_folder",
            "upload_audio",
            "process_audio",
            "transcribe_file",
            "transcribe_binary",
            "asr",
            "detect_language",
            "services_create",
            "services_tiktok",
            "services_douyin",
            "whisper_api_transcribe",
        ],
    ),
    (
        Need::Admin,
        &[
            "doctor",
            "redeliver_many",
            "list_endpoints",
            "get_endpoint",
            "change_endpoint",
            "list_tokens",
            "create_token",
            "revoke_token",
            "create_source",
            "list_sources",
            "get_source",
            "change_source",
            "delete_source",
            "run_source",
            "source_items",
            "create_schedule",
            "list_schedules",
            "get_schedule",
            "change_schedule",
            "delete_schedule",
            "run_schedule",
            "schedule_fires",
            "workflow_fires",
            "list_identities",
            "create_identity",
            "get_identity",
            "change_identity",
            "delete_identity",
            "list_secrets",
            "put_secret",
            "delete_secret",
            "create_workflow",
            "put_workflow",
            "delete_workflow",
            "create_work_flow",
            "pull_model",
            "cancel_pull",
            "delete_model",
            "load_model",
            "unload_model",
        ],
    ),
];

/// What an operation needs: an admin where nobody has said it.
pub(in crate::api) fn need(operation: &str) -> Need {
    said(operation).unwrap_or(Need::Admin)
}

fn said(operation: &str) -> Option<Need> {
    TABLE.iter().find(|(_, operations)| operations.contains(&operation)).map(|(need, _)| *need)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use poem_openapi::OpenApi;

    use super::*;
    use crate::api::native::Described;

    #[test]
    fn the_table_says_it_of_every_operation_and_of_no_other() {
        let paths = Described::meta().into_iter().flat_map(|api| api.paths);
        let operations: HashSet<&str> =
            paths.flat_map(|path| path.operations).filter_map(|operation| operation.operation_id).collect();
        let missing: Vec<_> = operations.iter().filter(|operation| said(operation).is_none()).collect();
        assert!(missing.is_empty(), "src/api/access/scopes.rs does not say what these need: {missing:?}");
        let mut listed = HashSet::new();
        for operation in TABLE.iter().flat_map(|(_, operations)| *operations) {
            assert!(operations.contains(operation), "there is no operation {operation}");
            assert!(listed.insert(operation), "{operation} stands there twice");
        }
        assert_eq!(need("no_such_operation"), Need::Admin);
    }
}
