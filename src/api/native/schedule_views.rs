//! Schedules and their fires as the API shows them.

use std::collections::BTreeMap;

use poem_openapi::Object;
use serde_json::Value;

use super::views::Report;
use crate::{
    api::words::{Time, Word},
    domain::{Catchup, Fire, FireState, Overlap, Priority, Schedule, ScheduleState, Span},
    schedule::Scheduler,
    store::date,
};

/// How many of its next times a schedule shows.
const NEXT: usize = 5;

/// A page of schedules. / 一页定时计划。
#[derive(Debug, Object)]
pub(super) struct ScheduleList {
    /// The schedules, the newest first.
    pub items: Vec<ScheduleView>,
    /// What to ask for next; null on the last page.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
    /// How many there are on all pages.
    pub total: u64,
}

/// What starts again and again, and when. / 定时计划：何时启动什么。
#[derive(Debug, Object)]
#[oai(rename = "Schedule")]
pub(super) struct ScheduleView {
    /// Its id.
    id: i64,
    /// What it is called.
    name: String,
    /// The workflow whose newest revision each fire starts; null over a source, which has its own.
    #[oai(nullable)]
    workflow: Option<String>,
    /// The workflow's parameters, `link` among them.
    params: BTreeMap<String, Value>,
    /// Transcription options of the tasks.
    options: BTreeMap<String, Value>,
    /// How urgent the tasks are.
    priority: Word<Priority>,
    /// Where each task's end is told.
    #[oai(nullable)]
    callback_url: Option<String>,
    /// The source that each fire polls instead.
    #[oai(nullable)]
    source_id: Option<i64>,
    /// Minute, hour, day of the month, month, day of the week.
    cron: String,
    /// The IANA time zone in which they are read.
    tz: String,
    /// What happens when the fire before has not ended.
    overlap: Word<Overlap>,
    /// What happens to times that passed while nothing could fire.
    catchup: Word<Catchup>,
    /// By how much chance puts a fire off at most, such as `5m`.
    jitter: String,
    /// Whether it fires by itself.
    state: Word<ScheduleState>,
    /// Until when it does not, though it is active.
    #[oai(nullable)]
    paused_until: Option<Time>,
    /// `api` when it was made here, `workflow` when it stands in the workflow's definition and is changed there.
    origin: String,
    /// The number of its trigger in the definition, from 0.
    #[oai(nullable)]
    trigger: Option<i64>,
    /// When it fires next, up to five times; none while it is paused.
    next: Vec<Time>,
    /// The last time that fired.
    #[oai(nullable)]
    last_fire_at: Option<Time>,
    /// Fires in a row that failed.
    failures: i64,
    /// After so many of them `alert_url` is told; 0 for never.
    alert_after: i64,
    /// Who is told, then and when it works again.
    #[oai(nullable)]
    alert_url: Option<String>,
    /// Whether it was told that the schedule fails, and not yet that it works again.
    alerted: bool,
    /// Since when that is so.
    #[oai(nullable)]
    alerted_at: Option<Time>,
    /// When it was made.
    created_at: Time,
}

/// The next times of a pattern. / 接下来的触发时间。
#[derive(Debug, Object)]
#[oai(rename = "SchedulePreview")]
pub(super) struct PreviewView {
    /// The next times, without what chance adds.
    pub times: Vec<Time>,
}

/// A page of fires. / 一页触发记录。
#[derive(Debug, Object)]
pub(super) struct FireList {
    /// The fires, those written last first.
    pub items: Vec<FireView>,
    /// What to ask for next; null on the last page.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
    /// How many there are on all pages.
    pub total: u64,
}

/// One time of a schedule and what came of it. / 一次触发及其结果。
#[derive(Debug, Object)]
#[oai(rename = "Fire")]
pub(super) struct FireView {
    /// Its number.
    id: i64,
    /// The time by the time table; for a fire by hand, when that was.
    fire_at: Time,
    /// Where it stands.
    state: Word<FireState>,
    /// The task that it made.
    #[oai(nullable)]
    task_id: Option<i64>,
    /// How many tasks its poll made of new posts.
    #[oai(nullable)]
    new_items: Option<i64>,
    /// Why it is as it is, where that needs a word.
    #[oai(nullable)]
    note: Option<String>,
    /// Why it failed.
    #[oai(nullable)]
    error: Option<Report>,
    /// Whether it made up for a time that had passed while nothing could fire.
    caught_up: bool,
    /// When it was written: it fired, was put behind another fire or was passed over.
    created_at: Time,
    /// When its work began; null when there was none.
    #[oai(nullable)]
    started_at: Option<Time>,
    /// When it ended.
    #[oai(nullable)]
    ended_at: Option<Time>,
}

fn time(ms: i64) -> Time {
    Time(date(ms))
}

impl From<Schedule> for ScheduleView {
    fn from(schedule: Schedule) -> Self {
        let next = match schedule.state {
            ScheduleState::Active => Scheduler::next_times(&schedule, NEXT),
            ScheduleState::Paused => Vec::new(),
        };
        let jitter = std::time::Duration::from_millis(u64::try_from(schedule.jitter_ms).unwrap_or(0));
        let wishes = schedule.wishes;
        Self {
            id: schedule.id.0,
            name: schedule.name,
            workflow: Some(wishes.workflow).filter(|_| schedule.source_id.is_none()),
            params: wishes.params.into_iter().collect(),
            options: wishes.options.into_iter().collect(),
            priority: Word(wishes.priority),
            callback_url: wishes.callback_url,
            source_id: schedule.source_id.map(|id| id.0),
            cron: schedule.cron,
            tz: schedule.tz,
            overlap: Word(schedule.overlap),
            catchup: Word(schedule.catchup),
            jitter: Span(jitter).to_string(),
            state: Word(schedule.state),
            paused_until: schedule.paused_until.map(time),
            origin: if schedule.trigger.is_some() { "workflow" } else { "api" }.to_owned(),
            trigger: schedule.trigger,
            next: next.into_iter().map(time).collect(),
            last_fire_at: schedule.last_fire_at.map(time),
            failures: schedule.failures,
            alert_after: schedule.alert_after,
            alert_url: schedule.alert_url,
            alerted: schedule.alerted_at.is_some(),
            alerted_at: schedule.alerted_at.map(time),
            created_at: Time(schedule.created_at),
        }
    }
}

impl From<Vec<i64>> for PreviewView {
    fn from(times: Vec<i64>) -> Self {
        Self { times: times.into_iter().map(time).collect() }
    }
}

impl From<Fire> for FireView {
    fn from(fire: Fire) -> Self {
        Self {
            id: fire.id,
            fire_at: Time(fire.fire_at),
            state: Word(fire.state),
            task_id: fire.task_id.map(|id| id.0),
            new_items: fire.new_items,
            note: fire.note,
            error: fire.error.map(Into::into),
            caught_up: fire.caught_up,
            created_at: Time(fire.created_at),
            started_at: fire.started_at.map(Time),
            ended_at: fire.ended_at.map(Time),
        }
    }
}
