//! Many links at once.

use std::collections::{BTreeMap, HashSet};

use poem_openapi::{ApiResponse, Object, OpenApi, param::Header, payload::Json};
use serde_json::Value;

use super::{
    Context, Group,
    submit::{NewTask, idempotency},
    views::{Report, TaskView},
};
use crate::{
    api::{body::JsonBody, sample::sample, who::Who, words::Word},
    domain::{Caller, Priority},
    error::{Code, Error, Result},
};

/// The most links in one request.
const MAX_LINKS: usize = 500;

/// Many links at once.
pub(in crate::api) struct Batch(pub(super) Context);

/// Many links with the same wishes. / 多个链接，共用同样的设置。
#[derive(Debug, Object)]
#[oai(example, skip_serializing_if_is_none)]
struct NewTasks {
    /// Lines with links or share texts; several links in one line are several tasks, the same link is one.
    text: String,
    /// The workflow's name; `transcribe` when there is none.
    #[oai(nullable)]
    workflow: Option<String>,
    /// The workflow's parameters.
    #[oai(nullable)]
    params: Option<BTreeMap<String, Value>>,
    /// Transcription options, as for one task.
    #[oai(nullable)]
    options: Option<BTreeMap<String, Value>>,
    /// How urgent they are; `normal` when nothing is said.
    #[oai(nullable)]
    priority: Option<Word<Priority>>,
    /// Where each task's end is told.
    #[oai(nullable)]
    callback_url: Option<String>,
}

/// What became of the lines. / 各行的处理结果。
#[derive(Debug, Object)]
struct Taken {
    /// The tasks, in the order of their links.
    accepted: Vec<TaskView>,
    /// The lines without a usable link.
    rejected: Vec<Rejected>,
}

/// A line that made no task. / 未能创建任务的行。
#[derive(Debug, Object)]
struct Rejected {
    /// The line's number, from 1.
    line: u64,
    /// What was wrong with it.
    error: Report,
}

#[derive(ApiResponse)]
enum BatchAccepted {
    /// The tasks are stored and will be worked on. / 任务已保存，将被处理。
    #[oai(status = 202)]
    Tasks(Json<Taken>),
}

#[OpenApi(tag = "Group::Tasks")]
impl Batch {
    /// Paste many links, get many tasks
    ///
    /// One task for every link in the text. Lines that cannot be used are named and do not stop the others.
    ///
    /// 粘贴多个链接，每个链接一个任务；无法使用的行会被列出，不影响其他行。
    #[oai(path = "/api/tasks/batch", method = "post", operation_id = "create_tasks")]
    async fn create(
        &self,
        /// A key of your own which makes the request safe to repeat for 24 hours.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        who: Who,
        body: JsonBody<NewTasks>,
    ) -> poem::Result<BatchAccepted> {
        let key = idempotency(key.0, body.sha256)?;
        Ok(BatchAccepted::Tasks(Json(submit_all(&self.0, who.0, body.value, key).await?)))
    }
}

async fn submit_all(
    context: &Context,
    caller: Caller,
    wishes: NewTasks,
    key: Option<(String, String)>,
) -> Result<Taken> {
    let mut taken = Taken { accepted: Vec::new(), rejected: Vec::new() };
    for (number, (line, link)) in links(&wishes.text)?.into_iter().enumerate() {
        let submitted = match link {
            Ok(link) => submit(context, caller, &wishes, link, (number, key.as_ref())).await,
            Err(error) => Err(error),
        };
        match submitted {
            Ok(view) => taken.accepted.push(view),
            // What is wrong with the wishes is wrong for every link.
            Err(error) if error.field.as_deref().is_some_and(|field| field != "link") => return Err(error),
            Err(error) => taken.rejected.push(Rejected { line, error: error.report().into() }),
        }
    }
    Ok(taken)
}

async fn submit(
    context: &Context,
    caller: Caller,
    wishes: &NewTasks,
    link: String,
    (number, key): (usize, Option<&(String, String)>),
) -> Result<TaskView> {
    // Each link is a task; the request was let through as one.
    context.state.access.admit(caller, 0).await?;
    let task = NewTask {
        workflow: wishes.workflow.clone(),
        params: wishes.params.clone(),
        options: wishes.options.clone(),
        priority: wishes.priority,
        callback_url: wishes.callback_url.clone(),
        ..NewTask::default()
    };
    let mut submission = task.with_link(link);
    submission.caller = caller;
    submission.idempotency = key.map(|(key, sha256)| (format!("{key}#{number}"), sha256.clone()));
    let task = context.state.intake.submit(submission).await?;
    context.view(task).await
}

/// The links of a text with the numbers of their lines, each link once; a line without one is an error.
fn links(text: &str) -> Result<Vec<(u64, Result<String>)>> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let links = crawlers::extract_links(line);
        if links.is_empty() {
            let why = crawlers::find_link(line).err().map(|error| error.message);
            let why = why.unwrap_or_else(|| "No link was found in this line".to_owned());
            found.push((number, Err(Error::new(Code::InvalidLink, why).with_field("link"))));
        }
        let fresh = links.into_iter().filter(|link| seen.insert(link.clone()));
        found.extend(fresh.map(|link| (number, Ok(link.to_string()))));
        if found.len() > MAX_LINKS {
            let detail = format!("The text has more than {MAX_LINKS} links or lines");
            return Err(Error::new(Code::InvalidValue, detail).with_hint("Send it in parts.").with_field("text"));
        }
    }
    match found.is_empty() {
        true => Err(Error::new(Code::InvalidLink, "The text is empty").with_field("text")),
        false => Ok(found),
    }
}

sample!(NewTasks, {
    "text": "https://example.com/one.mp4\nhttps://example.com/two.mp4",
    "options": { "model": "large-v3-turbo" },
    "priority": "low"
});
