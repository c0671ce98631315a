//! A task that is made and waited for within one request.

use std::time::Duration;

use super::form::Given;
use crate::{
    api::native::{
        Context,
        upload::{keep, receive::Received},
    },
    domain::{Task, TaskId, TaskStatus, Transcript},
    error::{Code, Error, Result},
    intake::Submission,
};

/// How long one look at a task waits; after it comes the next.
const LOOK: Duration = Duration::from_secs(3600);

/// A task that has completed.
pub(in crate::api) struct Ended {
    /// The task.
    pub task: Task,
    /// Its transcript, in the script that it was made with.
    pub transcript: Transcript,
}

impl Context {
    /// Makes a task of a submission and the file that came with it. What it returns is stored: the client may go away.
    pub(in crate::api) async fn take(&self, given: Option<Given>, submission: Submission) -> Result<Task> {
        match given {
            Some(Given { file, name, .. }) => {
                let received = Received { file, name, submission, fields: String::new() };
                keep::submit(self, received, None).await
            }
            None => self.state.intake.submit(submission).await,
        }
    }

    /// Waits for a task's end, however long that takes.
    pub(in crate::api) async fn outcome(&self, id: TaskId) -> Result<Ended> {
        loop {
            let task = self.ended(id, LOOK).await?;
            match task.status {
                TaskStatus::Completed => {
                    let transcript = self.transcript_of(id, None).await?;
                    return Ok(Ended { task, transcript });
                }
                TaskStatus::Cancelled => {
                    return Err(Error::new(Code::Conflict, format!("Task {id} was cancelled")));
                }
                status if status.is_final() => {
                    let error = task.error.map(|report| Error::from(&report));
                    let error = error.unwrap_or_else(|| Error::new(Code::Internal, format!("Task {id} has failed")));
                    // Whatever could pass was waited for by the task itself.
                    return Err(error.for_good());
                }
                _ if self.stop.is_cancelled() => {
                    let detail = format!("The daemon stops; task {id} goes on after its next start");
                    return Err(Error::new(Code::ShuttingDown, detail).with_retry_after(Some(Duration::from_secs(10))));
                }
                _ => {}
            }
        }
    }

    /// What a task has heard, once it has completed; none when its workflow has heard nothing.
    pub(in crate::api) async fn words_of(&self, task: &Task) -> Result<Option<Transcript>> {
        if task.status != TaskStatus::Completed {
            return Ok(None);
        }
        match self.transcript_of(task.id, None).await {
            Ok(transcript) => Ok(Some(transcript)),
            Err(error) if error.code == Code::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
