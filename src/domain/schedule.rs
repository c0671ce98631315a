//! Schedules: what starts again and again, and every time it did.

use chrono::{DateTime, Utc};

use super::{Catchup, FireState, Overlap, ScheduleId, ScheduleState, SourceId, TaskId, Wishes};
use crate::error::Report;

/// A time table with what happens at its times. Times are milliseconds since 1970 where they are reckoned with.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Its id; 0 before it is written.
    pub id: ScheduleId,
    /// What it is called: display text.
    pub name: String,
    /// The task that each fire makes; `params` hold the link, too. Over a source, the source's own wishes count.
    pub wishes: Wishes,
    /// The source that it polls instead.
    pub source_id: Option<SourceId>,
    /// Five fields.
    pub cron: String,
    /// The IANA time zone in which they are read.
    pub tz: String,
    /// What happens when the fire before has not ended.
    pub overlap: Overlap,
    /// What happens to times that passed while nothing could fire.
    pub catchup: Catchup,
    /// By how much a fire is put off at most, in milliseconds.
    pub jitter_ms: i64,
    /// Whether it fires by itself.
    pub state: ScheduleState,
    /// Until when it does not, though it is active.
    pub paused_until: Option<i64>,
    /// The number of the trigger in the definition of `wishes.workflow`; none when it was made by hand.
    pub trigger: Option<i64>,
    /// The time that fires next.
    pub next_fire: Option<i64>,
    /// When it does: `next_fire` and what chance adds.
    pub next_at: Option<i64>,
    /// The last time that fired.
    pub last_fire_at: Option<i64>,
    /// Fires in a row that failed.
    pub failures: i64,
    /// After so many of them `alert_url` is told; 0 for never.
    pub alert_after: i64,
    /// Who is told, then and when it works again.
    pub alert_url: Option<String>,
    /// Since when it is known that the schedule fails: it was told, and not yet that it works again.
    pub alerted_at: Option<i64>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl Schedule {
    /// A schedule that is not written yet, with what counts when nothing else is said: it is called after its workflow,
    /// passes a time over while the one before runs, makes up for the last one it missed and tells nobody.
    pub fn new(wishes: Wishes, cron: &str, tz: &str) -> Self {
        Self {
            id: ScheduleId(0),
            name: wishes.workflow.clone(),
            wishes,
            source_id: None,
            cron: cron.to_owned(),
            tz: tz.to_owned(),
            overlap: Overlap::Skip,
            catchup: Catchup::Latest,
            jitter_ms: 0,
            state: ScheduleState::Active,
            paused_until: None,
            trigger: None,
            next_fire: None,
            next_at: None,
            last_fire_at: None,
            failures: 0,
            alert_after: 0,
            alert_url: None,
            alerted_at: None,
            created_at: DateTime::UNIX_EPOCH,
        }
    }
}

/// One time of a schedule and what came of it. There is one for each time, whoever looks how often.
#[derive(Clone, Debug, PartialEq)]
pub struct Fire {
    /// Its number.
    pub id: i64,
    /// The schedule.
    pub schedule_id: ScheduleId,
    /// The time by the time table; for a fire by hand, when that was.
    pub fire_at: DateTime<Utc>,
    /// Where it stands.
    pub state: FireState,
    /// The task that it made.
    pub task_id: Option<TaskId>,
    /// How many tasks its poll made of new posts.
    pub new_items: Option<i64>,
    /// Why it is as it is, where that needs a word.
    pub note: Option<String>,
    /// Why it failed.
    pub error: Option<Report>,
    /// Whether it made up for a time that had passed while nothing could fire.
    pub caught_up: bool,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When its work began; none when there was none.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}
