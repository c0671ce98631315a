//! Files that steps have made.

use poem_openapi::{OpenApi, param::Path};

use super::{Context, Group, transcript::Rendered};
use crate::{
    domain::{StepKind, TaskId},
    error::{Code, Error, Result},
    subtitle::Format,
};

/// Files of steps.
pub(in crate::api) struct StepFiles(pub(super) Context);

#[OpenApi(tag = "Group::Results")]
impl StepFiles {
    /// Read a file of a step
    ///
    /// What a `subtitle` step has made: its `output.file` is this path.
    ///
    /// 读取 `subtitle` 步骤生成的文件；其 `output.file` 即为此路径。
    #[oai(path = "/api/tasks/:id/files/:name", method = "get", operation_id = "task_file")]
    async fn get(
        &self,
        /// The task.
        id: Path<i64>,
        /// The step with the file's ending, such as `subtitle.srt`.
        name: Path<String>,
    ) -> poem::Result<Rendered> {
        Ok(self.0.step_file(TaskId(id.0), &name.0).await?)
    }
}

impl Context {
    async fn step_file(&self, id: TaskId, name: &str) -> Result<Rendered> {
        self.task(id).await?;
        let none = || Error::new(Code::NotFound, format!("Task {id} has no file \"{}\"", name.escape_debug()));
        let (step, ending) = name.rsplit_once('.').ok_or_else(none)?;
        let format: Format = ending.parse().map_err(|_| none())?;
        let steps = self.store().steps_of(id).await?;
        let mut made = steps.into_iter().map(|row| row.step).filter(|one| one.kind == StepKind::Subtitle);
        let output = made.find(|one| one.key == step).and_then(|one| one.output).ok_or_else(none)?;
        let text = output["text"].as_str().filter(|_| output["format"] == format.extension()).ok_or_else(none)?;
        let name = format!("task-{id}-{}", step.replace(['[', ']'], "-"));
        Ok(Rendered { name, format, text: text.to_owned(), revision: None })
    }
}
