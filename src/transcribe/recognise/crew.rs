//! Windows of one job handed to slots, some at a time.

use futures_util::{StreamExt, future::BoxFuture, stream};
use tokio_util::sync::CancellationToken;

use super::merge::Merge;
use crate::{
    error::{Code, Error, Result},
    transcribe::engine::{Ask, Detected, Recognised, Slots, Window},
};

/// The slots, as one job uses them.
pub(super) struct Crew<'a> {
    pub slots: &'a dyn Slots,
    /// Stops every window of the job.
    pub stop: CancellationToken,
}

impl Crew<'_> {
    /// The languages of each window.
    pub(super) async fn detect(&self, windows: &[&Window]) -> Result<Vec<Detected>> {
        let one = |index: usize| -> BoxFuture<'_, _> { Box::pin(self.slots.detect(windows[index], &self.stop)) };
        self.all(windows.len(), self.at_a_time(), &one).await
    }

    /// Recognises windows, with what `ask` says when the window's turn comes.
    pub(super) async fn recognise(
        &self,
        windows: &[Window],
        ask: &(dyn Fn(usize) -> Ask + Sync),
        is_sequential: bool,
        merge: &Merge<'_>,
    ) -> Result<Vec<Recognised>> {
        let one = |index: usize| -> BoxFuture<'_, _> {
            Box::pin(async move {
                let listener = |heard| merge.hear(index, heard);
                let recognised = self.slots.recognise(&windows[index], &ask(index), &listener, &self.stop).await?;
                merge.end(index);
                Ok(recognised)
            })
        };
        let at_a_time = if is_sequential { 1 } else { self.at_a_time() };
        self.all(windows.len(), at_a_time, &one).await
    }

    /// One more than there is room for, so that no slot is idle between two windows.
    fn at_a_time(&self) -> usize {
        self.slots.width() + 1
    }

    /// Does `count` pieces of work, begun in order, and gives their results in order. The first that fails stops the
    /// others, and is waited for until they have stopped.
    async fn all<'f, T: Send>(
        &self,
        count: usize,
        at_a_time: usize,
        one: &(dyn Fn(usize) -> BoxFuture<'f, Result<T>> + Sync),
    ) -> Result<Vec<T>> {
        let begin = |index| async move {
            let result = if self.stop.is_cancelled() { Err(cancelled()) } else { one(index).await };
            (index, result)
        };
        let mut work = stream::iter((0..count).map(begin)).buffer_unordered(at_a_time);
        let (mut results, mut failure) = (Vec::new(), None);
        while let Some((index, result)) = work.next().await {
            match result {
                Ok(result) => results.push((index, result)),
                Err(error) => {
                    self.stop.cancel();
                    failure.get_or_insert(error);
                }
            }
        }
        results.sort_by_key(|(index, _)| *index);
        failure.map_or_else(|| Ok(results.into_iter().map(|(_, result)| result).collect()), Err)
    }
}

/// The error of a job that was told to stop.
pub(super) fn cancelled() -> Error {
    Error::new(Code::Cancelled, "The transcription was cancelled")
}
