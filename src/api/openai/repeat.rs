//! Requests that are sent again: a client whose connection broke uploads the same bytes once more.

use super::ask::Ask;
use crate::{
    api::{content, facade::Given, native::Context},
    domain::{Caller, Task, TaskStatus, options::Goal},
    error::{Code, Error, Result},
    intake,
};

/// How long a request is remembered.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A request, as far as two of them can be told apart.
pub(super) struct Request {
    pub ask: Ask,
    pub given: Option<Given>,
    /// The fields as they came.
    pub fields: String,
    pub caller: Caller,
    /// What is made of it.
    pub goal: Goal,
    /// Whether the client says that it has sent it before.
    pub is_repeated: bool,
}

impl Context {
    /// The task of a request: that of its first try, if the client says that there was one and it has not failed, else a
    /// new one. Goes on to its end even when the client does not wait for it.
    pub(super) async fn task_of(&self, request: Request) -> Result<Task> {
        let context = self.clone();
        let work = tokio::spawn(async move { context.find_or_make(request).await });
        work.await.map_err(|error| Error::new(Code::Internal, "The request was lost").with_source(error))?
    }

    async fn find_or_make(&self, request: Request) -> Result<Task> {
        let Request { ask, given, fields, caller, goal, is_repeated } = request;
        let file = match &given {
            Some(given) => given.file.sha256().await?,
            None => String::new(),
        };
        let key = key(&format!("{goal:?} {:?} {file} {fields}", caller.token));
        let kept = intake::stored_key(caller, &key);
        let store = self.state.queue.store();
        let tx = store.begin().await?;
        if is_repeated
            && let Some((id, _)) = tx.idempotent(&kept, DAY_MS).await?
            && let Some(task) = tx.lock_task(id).await?
            && !matches!(task.status, TaskStatus::Failed | TaskStatus::Cancelled)
        {
            return Ok(task);
        }
        tx.forget_key(&kept).await?;
        tx.commit().await?;
        let mut submission = ask.submission;
        submission.caller = caller;
        submission.idempotency = Some((key, String::new()));
        self.take(given, submission).await
    }
}

/// The name under which a request is remembered. No Idempotency-Key has a blank.
fn key(request: &str) -> String {
    format!("openai {}", content::sha256(request.as_bytes()))
}
