//! The workflows that there are.

use poem_openapi::{Object, OpenApi, param::Path, payload::Json};
use serde_json::Value;

use super::{Context, Group};
use crate::{
    domain::options::unknown,
    error::{Code, Error, Result},
};

/// Workflows.
pub(in crate::api) struct Workflows(pub(super) Context);

/// The workflows that there are. / 现有的工作流。
#[derive(Debug, Object)]
struct WorkflowList {
    /// Their names, sorted.
    items: Vec<String>,
}

/// The newest revision of a workflow. / 工作流的最新版本。
#[derive(Debug, Object)]
#[oai(rename = "Workflow")]
struct WorkflowView {
    /// Its name.
    name: String,
    /// The revision's number, from 1.
    revision: i64,
    /// The definition.
    definition: Value,
}

#[OpenApi(tag = "Group::Workflows")]
impl Workflows {
    /// List workflows
    ///
    /// Their names, sorted.
    ///
    /// 列出工作流的名称。
    #[oai(path = "/api/workflows", method = "get", operation_id = "list_workflows")]
    async fn list(&self) -> poem::Result<Json<WorkflowList>> {
        Ok(Json(WorkflowList { items: self.0.store().workflow_names().await? }))
    }

    /// Look at a workflow
    ///
    /// Its newest revision.
    ///
    /// 查看工作流的最新版本。
    #[oai(path = "/api/workflows/:name", method = "get", operation_id = "get_workflow")]
    async fn get(
        &self,
        /// The workflow's name.
        name: Path<String>,
    ) -> poem::Result<Json<WorkflowView>> {
        Ok(Json(self.0.workflow(name.0).await?))
    }
}

impl Context {
    async fn workflow(&self, name: String) -> Result<WorkflowView> {
        if let Some(found) = self.store().workflow(&name).await? {
            return Ok(WorkflowView { name, revision: found.revision, definition: found.definition });
        }
        let names = self.store().workflow_names().await?;
        let hint = unknown("workflow", &name, names.iter().map(String::as_str)).hint;
        let detail = format!("There is no workflow \"{}\"", name.escape_debug());
        Err(Error::new(Code::UnknownWorkflow, detail).with_hint(hint).with_field("name"))
    }
}
