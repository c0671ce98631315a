//! From a request to a submission.

use std::collections::BTreeMap;

use chrono::Utc;
use poem_openapi::{ApiResponse, Object, payload::Json};
use serde_json::Value;

use super::{Context, current::CurrentStep, views::TaskView};
use crate::{
    api::{sample::sample, words::Word},
    domain::{Caller, Priority, Task},
    error::{Code, Error, Result},
    intake::Submission,
    store::LiveStep,
};

/// The longest Idempotency-Key.
const MAX_KEY: usize = 255;

/// What to transcribe and how. Exactly one of `link`, `media_id` and `upload_id` says what; none is needed for a
/// workflow without a parameter `link`. / 要转写什么、如何转写；`link`、`media_id`、`upload_id` 三选一。
#[derive(Debug, Default, Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct NewTask {
    /// A link, or a share text with a link in it.
    #[oai(nullable)]
    pub link: Option<String>,
    /// The id of a media that is already here.
    #[oai(nullable)]
    pub media_id: Option<i64>,
    /// The id of a finished upload.
    #[oai(nullable)]
    pub upload_id: Option<String>,
    /// The workflow's name; `transcribe` when there is none.
    #[oai(nullable)]
    pub workflow: Option<String>,
    /// The workflow's parameters.
    #[oai(nullable)]
    pub params: Option<BTreeMap<String, Value>>,
    /// Transcription options: `model`, `language`, `task`, `initial_prompt`, `temperature`, `beam_size`,
    /// `word_timestamps`, `vad`.
    #[oai(nullable)]
    pub options: Option<BTreeMap<String, Value>>,
    /// How urgent it is; `normal` when nothing is said.
    #[oai(nullable)]
    pub priority: Option<Word<Priority>>,
    /// Where the task's end is told, as a signed POST (Standard Webhooks).
    #[oai(nullable)]
    pub callback_url: Option<String>,
}

impl NewTask {
    /// The submission, with its one source.
    pub(super) fn submission(self) -> Result<Submission> {
        let media = self.media_id.map(|id| format!("media:{id}"));
        let upload = self.upload_id.as_deref().map(|id| format!("upload:{id}"));
        let given: Vec<String> = [self.link.clone(), media, upload].into_iter().flatten().collect();
        match <[String; 1]>::try_from(given) {
            Ok([link]) => Ok(self.with_link(link)),
            // Whether a workflow does without one is for the intake to say.
            Err(given) if given.is_empty() && self.workflow.is_some() => Ok(self.with_link(String::new())),
            Err(given) => {
                let what = if given.is_empty() { "None" } else { "More than one" };
                let detail = format!("{what} of `link`, `media_id` and `upload_id` is given");
                Err(Error::new(Code::InvalidValue, detail).with_hint("Give exactly one of them.").with_field("link"))
            }
        }
    }

    /// The submission for a link that comes from elsewhere.
    pub(super) fn with_link(self, link: String) -> Submission {
        Submission {
            link,
            workflow: self.workflow.unwrap_or_default(),
            revision: None,
            params: self.params.unwrap_or_default().into_iter().collect(),
            options: self.options.unwrap_or_default().into_iter().collect(),
            priority: self.priority.map(|priority| priority.0),
            callback_url: self.callback_url,
            caller: Caller::default(),
            facade: None,
            idempotency: None,
        }
    }
}

/// A task that was taken on.
#[derive(ApiResponse)]
pub(super) enum Accepted {
    /// The task is stored and will be worked on. / 任务已保存，将被处理。
    #[oai(status = 202)]
    Task(
        Json<TaskView>,
        /// The task's path.
        #[oai(header = "Location")]
        String,
    ),
}

/// The answer for a task that was taken on.
pub(super) async fn accepted(context: &Context, task: Task) -> Result<Accepted> {
    let view = context.view(task).await?;
    let path = view.links.own.clone();
    Ok(Accepted::Task(Json(view), path))
}

/// Checks an Idempotency-Key.
pub(super) fn idempotency(key: Option<String>, sha256: String) -> Result<Option<(String, String)>> {
    let Some(key) = key else { return Ok(None) };
    if key.is_empty() || key.len() > MAX_KEY || !key.bytes().all(|byte| (0x21..0x7F).contains(&byte)) {
        let detail = format!("The Idempotency-Key must have 1 to {MAX_KEY} printable characters without spaces");
        let hint = "Take a random one, such as a UUID.";
        return Err(Error::new(Code::InvalidValue, detail).with_hint(hint).with_field("Idempotency-Key"));
    }
    Ok(Some((key, sha256)))
}

impl Context {
    /// A task with its media and its steps.
    pub(super) async fn view(&self, task: Task) -> Result<TaskView> {
        let media = match task.media_id {
            Some(id) => self.store().media(id).await?,
            None => None,
        };
        let rows = self.store().main_steps_of(task.id).await?;
        let current = CurrentStep::of(&task, rows.iter().filter_map(LiveStep::of).collect(), Utc::now());
        let steps = Some(self.step_views(rows).await?);
        let parent = self.parent_of(&task).await?;
        Ok(TaskView { current, steps, parent, ..TaskView::new(self.base(), task, media) })
    }
}

sample!(NewTask, {
    "link": "https://www.tiktok.com/@name/video/7301234567890123456",
    "options": { "language": "en", "word_timestamps": true },
    "priority": "high",
    "callback_url": "https://example.com/hooks/trawl"
});
