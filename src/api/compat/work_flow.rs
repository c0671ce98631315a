//! `POST /api/workflow/create_work_flow`: workflows in the upper-case JSON of the README era.

use poem_openapi::{OpenApi, payload::Json};
use serde_json::{Value, json};

use super::services::Envelope;
use crate::{
    api::{
        body::Document,
        native::{Context, Group},
        sample::Sample,
    },
    error::{Code, Error},
    store::Origin,
    workflow::translate::translate,
};

const ROUTE: &str = "/api/workflow/create_work_flow";

/// The old route.
pub(in crate::api) struct CreateWorkFlow(pub(in crate::api) Context);

/// The old JSON.
struct OldWorkflow;

#[OpenApi(tag = "Group::Compatibility")]
impl CreateWorkFlow {
    /// Make a workflow from the old JSON
    ///
    /// `WORKFLOW_NAME`, `TRIGGER_TYPE`, `tasks` and the other upper-case fields become a definition of ours, which is stored as a
    /// new revision. Run it with `POST /api/tasks {"workflow": "<workflow_id>"}`.
    ///
    /// 接受旧版大写字段的工作流 JSON，转换为新定义并保存为新版本；用 `POST /api/tasks` 运行。
    #[oai(path = "/api/workflow/create_work_flow", method = "post", operation_id = "create_work_flow")]
    async fn create(&self, body: Document<OldWorkflow>) -> poem::Result<Json<Envelope>> {
        let given: Value = serde_json::from_str(&body.0)
            .map_err(|error| Error::new(Code::InvalidRequest, format!("The body is not valid JSON: {error}")))?;
        let programs: Vec<String> = self.0.state.config.exec.keys().cloned().collect();
        let translated = translate(&given, &programs)?;
        let checked = self.0.checked(&translated.definition.to_string()).await?;
        let name = translated.definition["name"].as_str().unwrap_or_default().to_owned();
        if self.0.state.queue.store().workflow(&name).await?.is_some_and(|there| there.origin == Origin::File) {
            let detail = format!("\"{name}\" is the name of a workflow that ships or comes from a file");
            return Err(Error::new(Code::Conflict, detail).with_hint("Take another WORKFLOW_NAME.").into());
        }
        let stored = self.0.store_workflow(checked, Some(&name)).await?.0;
        let mut warnings = translated.warnings;
        warnings.extend(stored.warnings.iter().filter_map(|problem| problem["message"].as_str()).map(str::to_owned));
        let data = json!({
            "workflow_id": name, "revision": stored.revision, "definition": translated.definition, "warnings": warnings,
        });
        Ok(Json(Envelope { code: 200, router: ROUTE.to_owned(), params: given, data }))
    }
}

impl Sample for OldWorkflow {
    fn sample() -> Value {
        json!({
            "WORKFLOW_NAME": "Video Workflow", "TRIGGER_TYPE": "MANUAL",
            "tasks": [
                { "TASK_ID": "video", "COMPONENT": "Downloader", "PARAMETERS": { "url": "https://example.com/v" } },
                { "TASK_ID": "words", "COMPONENT": "whisper", "DEPENDENCIES": ["video"] },
            ],
        })
    }
}
