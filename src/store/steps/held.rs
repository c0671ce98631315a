//! What those need to know who end several steps at once, read for all of them together.

use std::collections::{BTreeSet, HashMap, HashSet};

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    Column, Entity, Fence,
    fenced::held,
    reads::{StepView, views},
};
use crate::{
    domain::{MediaId, Task, TaskId},
    error::Result,
    store::{
        Tx,
        entities::{task, task_media},
    },
};

/// A row that is still its worker's, with its task, which is locked.
#[derive(Clone, Debug)]
pub struct Held {
    /// The task.
    pub task: Task,
    /// Its rows without items, as far as the rules need them, where they were read.
    pub views: Option<Vec<StepView>>,
    /// Media of which it is known that the task uses them.
    pub media: BTreeSet<MediaId>,
}

impl Tx {
    /// The task of a row that is still the worker's, locked as by [`Tx::lock_task`]. Nothing takes the row away before the
    /// transaction ends.
    pub async fn hold(&self, fence: &Fence, task: TaskId) -> Result<Option<Held>> {
        let Some(task) = self.lock_task(task).await? else { return Ok(None) };
        let is_ours = self.is_held(fence).await?;
        Ok(is_ours.then_some(Held { task, views: None, media: BTreeSet::new() }))
    }

    /// As [`Tx::hold`] for many rows in four statements, by the rows' ids. All their tasks are locked; those of which more
    /// than one row is named are left out, because the first end changes what the second one needs to know.
    pub async fn hold_all(&self, wanted: &[(&Fence, TaskId)]) -> Result<HashMap<String, Held>> {
        let (mut once, mut twice) = (HashSet::new(), HashSet::new());
        for (_, task) in wanted {
            if !once.insert(task.0) {
                twice.insert(task.0);
            }
        }
        // All nodes lock in the same order, so that none waits for another that waits for it.
        let found = task::Entity::find().filter(task::Column::Id.is_in(once.iter().copied()));
        let found = self.locked(found.order_by_asc(task::Column::Id)).all(&self.inner).await?;
        let mut tasks = HashMap::new();
        for row in found.into_iter().filter(|row| !twice.contains(&row.id)) {
            tasks.insert(row.id, Task::try_from(row)?);
        }
        // Looked at with the locks in hand: whoever had them before may have taken a row away.
        let ours = wanted.iter().map(|(fence, _)| held(fence).add(Column::Id.eq(&fence.id)));
        let ours = ours.fold(sea_orm::Condition::any(), sea_orm::Condition::add);
        let ours = Entity::find().select_only().column(Column::Id).column(Column::TaskId).filter(ours);
        let ours: Vec<(String, i64)> = ours.into_tuple().all(&self.inner).await?;
        let mut views = views(&self.inner, tasks.keys().copied()).await?;
        let used = task_media::Entity::find().select_only();
        let used = used.columns([task_media::Column::TaskId, task_media::Column::MediaId]);
        let used = used.filter(task_media::Column::TaskId.is_in(tasks.keys().copied()));
        let mut media: HashMap<i64, BTreeSet<MediaId>> = HashMap::new();
        for (task, id) in used.into_tuple::<(i64, i64)>().all(&self.inner).await? {
            media.entry(task).or_default().insert(MediaId(id));
        }
        let of = |(step, task): (String, i64)| {
            let media = media.remove(&task).unwrap_or_default();
            Some((step, Held { task: tasks.remove(&task)?, views: views.remove(&task), media }))
        };
        Ok(ours.into_iter().filter_map(of).collect())
    }
}
