//! Claims that this process does not know it has: the database took them, and its answer was lost with the connection.
//! Nobody works on them, so nobody died; they go back at once instead of counting as a crash when their lease is over.

use std::collections::HashSet;

use super::{Queue, Work};
use crate::{
    error::Result,
    store::{Fence, StepRow},
};

/// What looked like such a claim at the last look: the step and the claim's token.
#[derive(Debug, Default)]
pub struct Unheard {
    seen: HashSet<(String, i64)>,
}

impl Queue {
    /// Gives back the steps that this process has claimed and that are not in `ours`, what it works on; how many. Only for
    /// a lease's length after trouble with the database, and what was seen so by two looks: the answer to a claim may
    /// just be on its way. Should it come later still, its work is refused like any whose claim was taken away.
    pub async fn give_back_unheard(&self, unheard: &mut Unheard, ours: &[String]) -> Result<usize> {
        let is_recent = |trouble: tokio::time::Instant| trouble.elapsed() < self.config.lease.0;
        if !self.pulse.last_trouble().is_some_and(is_recent) {
            unheard.seen.clear();
            return Ok(0);
        }
        let rows = self.store.steps_claimed_by(&self.owner).await?;
        let lost = rows.into_iter().filter(|row| !ours.contains(&row.step.id));
        let (sure, new): (Vec<StepRow>, Vec<StepRow>) =
            lost.partition(|row| unheard.seen.contains(&(row.step.id.clone(), row.lease_token)));
        unheard.seen = new.into_iter().map(|row| (row.step.id, row.lease_token)).collect();
        let mut given = 0;
        for row in sure {
            let fence = Fence { id: row.step.id.clone(), token: row.lease_token, owner: self.owner.to_string() };
            given += usize::from(self.release(&Work { row, fence }).await?);
        }
        Ok(given)
    }
}
