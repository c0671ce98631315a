//! The ends of steps, written together when they come together: a commit waits for the disk, and all that come
//! meanwhile share the next one.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as Turn, oneshot};

use crate::{
    error::{Code, Error, Result, guarded},
    queue::{End, Queue, Work},
};

/// The most ends in one transaction.
const AT_ONCE: usize = 64;

/// The ends that wait to be written.
#[derive(Default)]
pub(super) struct Ends {
    waiting: Mutex<Vec<Ended>>,
    turn: Turn<()>,
}

struct Ended {
    work: Arc<Work>,
    end: Arc<End>,
    answer: oneshot::Sender<Result<bool>>,
}

impl Ends {
    /// Writes an end, with those that wait beside it. Returns whether the step was ours.
    pub async fn write(&self, queue: &Queue, work: &Arc<Work>, end: &Arc<End>) -> Result<bool> {
        let (answer, told) = oneshot::channel();
        let ended = Ended { work: Arc::clone(work), end: Arc::clone(end), answer };
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(ended);
        {
            // Whoever has the turn writes for all; those who come after find their own written or write for the next.
            let _turn = self.turn.lock().await;
            let batch = {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                let count = waiting.len().min(AT_ONCE);
                waiting.drain(..count).collect::<Vec<_>>()
            };
            write_all(queue, batch).await;
        }
        told.await.map_err(|_| Error::new(Code::Database, "A step's end was lost before it was written"))?
    }
}

async fn write_all(queue: &Queue, batch: Vec<Ended>) {
    let ends: Vec<(&Work, &End)> = batch.iter().map(|ended| (&*ended.work, &*ended.end)).collect();
    let written = if ends.len() > 1 { guarded(queue.end_all(&ends)).await.ok() } else { None };
    for (index, ended) in batch.into_iter().enumerate() {
        // What does not go together is written alone, so that one does not fail for another.
        let answer = match &written {
            Some(ours) => Ok(ours[index]),
            None => guarded(queue.end(&ended.work, &ended.end)).await,
        };
        // Whoever asked is gone only with the process.
        let _ = ended.answer.send(answer);
    }
}
