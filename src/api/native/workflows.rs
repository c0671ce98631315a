//! Workflows: listed, made, changed, deleted.

use std::sync::Arc;

use poem_openapi::{ApiResponse, OpenApi, param::Path, payload::Json};

use super::{
    Context, Group,
    workflow_views::{RevisionList, WorkflowList, WorkflowView, shown},
};
use crate::{
    api::{body::Document, content},
    domain::options::unknown,
    error::{Code, Error, Result},
    schedule, steps,
    store::{Origin, WorkflowRevision},
    workflow::{
        Definition,
        validate::{self, Checked, Machine, Other, World},
    },
};

/// Workflows.
pub(in crate::api) struct Workflows(pub(super) Context);

/// A workflow that was made.
#[derive(ApiResponse)]
enum Made {
    /// The workflow is stored; tasks can name it. / 工作流已保存，可用于任务。
    #[oai(status = 201)]
    Workflow(
        Json<WorkflowView>,
        /// The workflow's path.
        #[oai(header = "Location")]
        String,
    ),
}

/// A workflow that is gone.
#[derive(ApiResponse)]
enum Gone {
    /// The workflow is not found any more; tasks that were made of it go on. / 工作流已删除；已创建的任务不受影响。
    #[oai(status = 204)]
    Done,
}

#[OpenApi(tag = "Group::Workflows")]
impl Workflows {
    /// List workflows
    ///
    /// The newest revision of each, by their names, with what a task of it must or may give.
    ///
    /// 列出工作流的最新版本，包括任务必须或可以提供的参数。
    #[oai(path = "/api/workflows", method = "get", operation_id = "list_workflows")]
    async fn list(&self) -> poem::Result<Json<WorkflowList>> {
        let items = self.0.store().workflows().await?.into_iter().map(Into::into).collect();
        Ok(Json(WorkflowList { items }))
    }

    /// Make a workflow
    ///
    /// The body is the definition (see `GET /api/workflows/schema.json`). It is checked whole: everything that is wrong with it
    /// is in `problems`. It takes the place of one that ships or comes from a file; any other name that is taken is a conflict:
    /// `PUT` makes a new revision.
    ///
    /// 创建工作流；请求体即定义。所有问题会一次性列在 `problems` 中。同名的内置或文件工作流会被取代；其他名称已存在时返回冲突，请用 `PUT` 创建新版本。
    #[oai(path = "/api/workflows", method = "post", operation_id = "create_workflow")]
    async fn create(&self, body: Document<Definition>) -> poem::Result<Made> {
        let checked = self.0.checked(&body.0).await?;
        let view = self.0.store_workflow(checked, None).await?;
        let path = format!("{}/api/workflows/{}", self.0.base(), view.1);
        Ok(Made::Workflow(Json(view.0), path))
    }

    /// Look at a workflow
    ///
    /// Its newest revision, as it was written.
    ///
    /// 查看工作流的最新版本。
    #[oai(path = "/api/workflows/:name", method = "get", operation_id = "get_workflow")]
    async fn get(
        &self,
        /// The workflow's name.
        name: Path<String>,
    ) -> poem::Result<Json<WorkflowView>> {
        Ok(Json(self.0.workflow(&name.0).await?.into()))
    }

    /// Change a workflow
    ///
    /// Makes a new revision, unless the definition is that of the newest; a workflow that is not there is made. Tasks keep the
    /// revision that they were made of.
    ///
    /// 修改工作流：内容有变化时创建新版本；不存在时新建。已创建的任务保持原版本。
    #[oai(path = "/api/workflows/:name", method = "put", operation_id = "put_workflow")]
    async fn put(
        &self,
        /// The workflow's name; the definition must have the same.
        name: Path<String>,
        body: Document<Definition>,
    ) -> poem::Result<Json<WorkflowView>> {
        let checked = self.0.checked(&body.0).await?;
        Ok(Json(self.0.store_workflow(checked, Some(&name.0)).await?.0))
    }

    /// Delete a workflow
    ///
    /// Its revisions stay for the tasks that were made of them. One that comes from a file comes back when the file changes.
    ///
    /// 删除工作流；各版本为已创建的任务保留。来自文件的工作流会在文件变化后恢复。
    #[oai(path = "/api/workflows/:name", method = "delete", operation_id = "delete_workflow")]
    async fn delete(
        &self,
        /// The workflow's name.
        name: Path<String>,
    ) -> poem::Result<Gone> {
        let tx = self.0.store().begin().await?;
        let deleted = tx.delete_workflow(&name.0).await?;
        schedule::sync(&tx, &name.0).await?;
        tx.commit().await?;
        if !deleted {
            return Err(self.0.no_workflow(&name.0).await?.into());
        }
        Ok(Gone::Done)
    }

    /// List a workflow's revisions
    ///
    /// The newest first; those of a deleted workflow, too.
    ///
    /// 列出工作流的各个版本，最新的在前。
    #[oai(path = "/api/workflows/:name/revisions", method = "get", operation_id = "workflow_revisions")]
    async fn revisions(
        &self,
        /// The workflow's name.
        name: Path<String>,
    ) -> poem::Result<Json<RevisionList>> {
        let rows = self.0.revisions(&name.0).await?;
        Ok(Json(RevisionList { items: rows.into_iter().map(Into::into).collect() }))
    }

    /// Look at a revision
    ///
    /// As it was written.
    ///
    /// 查看工作流的某个版本。
    #[oai(path = "/api/workflows/:name/revisions/:revision", method = "get", operation_id = "get_workflow_revision")]
    async fn revision(
        &self,
        /// The workflow's name.
        name: Path<String>,
        /// The revision's number.
        revision: Path<i64>,
    ) -> poem::Result<Json<WorkflowView>> {
        let mut rows = self.0.revisions(&name.0).await?.into_iter();
        let found = rows.find(|row| row.revision == revision.0).ok_or_else(|| {
            Error::new(Code::NotFound, format!("Workflow \"{}\" has no revision {}", name.0.escape_debug(), revision.0))
        })?;
        Ok(Json(found.into()))
    }
}

impl Context {
    /// The newest revision of a workflow.
    pub(super) async fn workflow(&self, name: &str) -> Result<WorkflowRevision> {
        match self.store().workflow(name).await? {
            Some(found) => Ok(found),
            None => Err(self.no_workflow(name).await?),
        }
    }

    pub(super) async fn revisions(&self, name: &str) -> Result<Vec<WorkflowRevision>> {
        let rows = self.store().workflow_revisions(name).await?;
        if rows.is_empty() { Err(self.no_workflow(name).await?) } else { Ok(rows) }
    }

    async fn no_workflow(&self, name: &str) -> Result<Error> {
        let names = self.store().workflow_names().await?;
        let hint = unknown("workflow", name, names.iter().map(String::as_str)).hint;
        let detail = format!("There is no workflow \"{}\"", name.escape_debug());
        Ok(Error::new(Code::UnknownWorkflow, detail).with_hint(hint).with_field("name"))
    }

    /// Reads a definition and lists everything that is wrong with it.
    pub(in crate::api) async fn checked(&self, text: &str) -> Result<Checked> {
        let rows = self.store().workflows().await?.into_iter();
        let workflows =
            rows.map(|row| (row.name, Other { revision: Some(row.revision), definition: row.definition })).collect();
        let secrets = self.store().secrets().await?.into_iter().map(|secret| secret.name).collect();
        let (config, text) = (Arc::clone(&self.state.config), text.to_owned());
        let check = move || {
            let machine = steps::machine(&config).unwrap_or_else(|error| {
                tracing::warn!(error = %error.chain(), "what this machine has for workflows is not known");
                Machine::default()
            });
            let machine = Machine { secrets: Some(secrets), ..machine };
            validate::check(&text, &World { workflows, machine })
        };
        let checked = tokio::task::spawn_blocking(check).await;
        checked.map_err(|error| Error::new(Code::Internal, "The check was lost").with_source(error))
    }

    /// Stores a definition that has passed, under `name` or, without one, as a new workflow. Returns it with its name.
    pub(in crate::api) async fn store_workflow(
        &self,
        checked: Checked,
        name: Option<&str>,
    ) -> Result<(WorkflowView, String)> {
        let Checked { definition, value, problems } = checked;
        let (Some(definition), Some(value)) = (definition, value) else {
            return Err(validate::refused(&problems));
        };
        if let Some(name) = name.filter(|name| *name != definition.name) {
            let detail = format!("The definition's name is \"{}\", not \"{}\"", definition.name, name.escape_debug());
            return Err(Error::new(Code::InvalidWorkflow, detail).with_field("/name"));
        }
        let hash = content::sha256(value.to_string().as_bytes());
        let tx = self.store().begin().await?;
        let there = if name.is_none() { tx.newest_workflow(&definition.name).await? } else { None };
        if there.is_some_and(|there| there.origin == Origin::Api) {
            let detail = format!("There is a workflow \"{}\" already", definition.name);
            return Err(Error::new(Code::Conflict, detail).with_hint("Take another name, or PUT a new revision of it."));
        }
        tx.put_workflow(&definition.name, value, &hash).await?;
        schedule::sync(&tx, &definition.name).await?;
        let stored = tx.newest_workflow(&definition.name).await?;
        tx.commit().await?;
        let stored = stored.ok_or_else(|| Error::new(Code::Internal, "The workflow that was just written is gone"))?;
        let mut view = WorkflowView::from(stored);
        view.warnings = shown(&problems);
        Ok((view, definition.name))
    }
}
