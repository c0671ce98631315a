//! From a request to a schedule.

use std::collections::BTreeMap;

use poem_openapi::Object;
use serde_json::{Value, json};

use crate::{
    api::{
        sample::sample,
        words::{Time, Word},
    },
    domain::{Catchup, Overlap, Priority, Schedule, ScheduleState, SourceId, Span, Wishes},
    error::{Code, Error, Result},
};

/// The longest name that is taken.
const MAX_NAME: usize = 300;

/// What to start, and when. / 要定时启动的内容与时间。
#[derive(Debug, Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct NewSchedule {
    /// What to call it; the workflow's name when nothing is said.
    #[oai(nullable)]
    name: Option<String>,
    /// The workflow to start; `transcribe` when there is none.
    #[oai(nullable)]
    workflow: Option<String>,
    /// The link of its tasks; the same as `params.link`.
    #[oai(nullable)]
    link: Option<String>,
    /// The workflow's parameters.
    #[oai(nullable)]
    params: Option<BTreeMap<String, Value>>,
    /// Transcription options, as for one task.
    #[oai(nullable)]
    options: Option<BTreeMap<String, Value>>,
    /// How urgent the tasks are; `normal` when nothing is said.
    #[oai(nullable)]
    priority: Option<Word<Priority>>,
    /// Where each task's end is told.
    #[oai(nullable)]
    callback_url: Option<String>,
    /// A source to poll instead: what is done with its posts is the source's own.
    #[oai(nullable)]
    source_id: Option<i64>,
    /// Minute, hour, day of the month, month, day of the week: `0 */6 * * *`, `30 8 * * MON-FRI`.
    cron: String,
    /// The IANA time zone in which they are read; `UTC` when nothing is said.
    #[oai(nullable)]
    tz: Option<String>,
    /// What happens when the fire before has not ended; `skip` when nothing is said.
    #[oai(nullable)]
    overlap: Option<Word<Overlap>>,
    /// What happens to times that passed while nothing could fire; `latest` when nothing is said.
    #[oai(nullable)]
    catchup: Option<Word<Catchup>>,
    /// By how much chance puts a fire off at most: `30s`, `5m`. No longer than the time between two fires.
    #[oai(nullable)]
    jitter: Option<String>,
    /// `paused` for one that begins to fire later.
    #[oai(nullable)]
    state: Option<Word<ScheduleState>>,
    /// It does not fire before this time.
    #[oai(nullable)]
    paused_until: Option<Time>,
    /// After so many failures in a row `alert_url` is told; 0 (the default) for never.
    #[oai(nullable, validator(minimum(value = "0"), maximum(value = "1000")))]
    alert_after: Option<i64>,
    /// Gets `schedule.failing` after so many failures and `schedule.recovered` after the next success.
    #[oai(nullable)]
    alert_url: Option<String>,
}

/// What to change of a schedule; what is left out stays. / 要修改的字段；省略的保持不变。
#[derive(Debug, Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct ScheduleChange {
    /// What to call it.
    #[oai(nullable)]
    name: Option<String>,
    /// The workflow to start.
    #[oai(nullable)]
    workflow: Option<String>,
    /// The workflow's parameters, all of them.
    #[oai(nullable)]
    params: Option<BTreeMap<String, Value>>,
    /// Transcription options, all of them.
    #[oai(nullable)]
    options: Option<BTreeMap<String, Value>>,
    /// How urgent the tasks are.
    #[oai(nullable)]
    priority: Option<Word<Priority>>,
    /// Where each task's end is told; an empty text for nowhere.
    #[oai(nullable)]
    callback_url: Option<String>,
    /// Minute, hour, day of the month, month, day of the week.
    #[oai(nullable)]
    cron: Option<String>,
    /// The IANA time zone in which they are read.
    #[oai(nullable)]
    tz: Option<String>,
    /// What happens when the fire before has not ended.
    #[oai(nullable)]
    overlap: Option<Word<Overlap>>,
    /// What happens to times that passed while nothing could fire.
    #[oai(nullable)]
    catchup: Option<Word<Catchup>>,
    /// By how much chance puts a fire off at most; `0s` for not at all.
    #[oai(nullable)]
    jitter: Option<String>,
    /// `paused`: it fires only by hand; `active` also ends a pause with an end of its own.
    #[oai(nullable)]
    state: Option<Word<ScheduleState>>,
    /// It does not fire before this time.
    #[oai(nullable)]
    paused_until: Option<Time>,
    /// After so many failures in a row `alert_url` is told; 0 for never.
    #[oai(nullable, validator(minimum(value = "0"), maximum(value = "1000")))]
    alert_after: Option<i64>,
    /// Who is told; an empty text for nobody.
    #[oai(nullable)]
    alert_url: Option<String>,
}

/// A pattern whose times are asked for. / 要预览的时间表达式。
#[derive(Debug, Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct Preview {
    /// Minute, hour, day of the month, month, day of the week.
    pub cron: String,
    /// The IANA time zone in which they are read; `UTC` when nothing is said.
    #[oai(nullable)]
    pub tz: Option<String>,
    /// How many times; 5 when nothing is said.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "100")))]
    pub count: Option<u64>,
}

impl NewSchedule {
    /// The schedule that is wanted, not checked.
    pub(super) fn schedule(self) -> Result<Schedule> {
        let own = [self.workflow.is_some(), self.link.is_some(), self.params.is_some(), self.options.is_some()];
        if self.source_id.is_some() && own.contains(&true) {
            let detail = "Field \"source_id\": a source has its own workflow, parameters and options";
            return Err(Error::new(Code::InvalidValue, detail).with_field("source_id"));
        }
        let given = self.workflow.filter(|name| !name.is_empty()).unwrap_or_else(|| "transcribe".to_owned());
        let workflow = if self.source_id.is_some() { String::new() } else { given };
        let mut params: serde_json::Map<String, Value> = self.params.unwrap_or_default().into_iter().collect();
        if let Some(link) = self.link {
            params.insert("link".to_owned(), json!(link));
        }
        let fallback = self.source_id.map_or_else(|| workflow.clone(), |id| format!("Source {id}"));
        let wishes = Wishes {
            workflow,
            params,
            options: self.options.unwrap_or_default().into_iter().collect(),
            priority: self.priority.map_or(Priority::Normal, |priority| priority.0),
            callback_url: some(self.callback_url),
        };
        let new = Schedule::new(wishes, &self.cron, self.tz.as_deref().unwrap_or("UTC"));
        Ok(Schedule {
            name: name(self.name)?.unwrap_or(fallback),
            source_id: self.source_id.map(SourceId),
            overlap: self.overlap.map_or(new.overlap, |word| word.0),
            catchup: self.catchup.map_or(new.catchup, |word| word.0),
            jitter_ms: jitter(self.jitter.as_deref())?.unwrap_or(0),
            state: self.state.map_or(new.state, |word| word.0),
            paused_until: self.paused_until.map(|time| time.0.timestamp_millis()),
            alert_after: self.alert_after.unwrap_or(0),
            alert_url: some(self.alert_url),
            ..new
        })
    }
}

impl ScheduleChange {
    /// What the change makes of a schedule.
    pub(super) fn applier(self) -> Result<impl Fn(&mut Schedule)> {
        let (name, jitter) = (name(self.name)?, jitter(self.jitter.as_deref())?);
        let paused_until = self.paused_until.map(|time| time.0.timestamp_millis());
        Ok(move |schedule: &mut Schedule| {
            let set = |place: &mut String, value: &Option<String>| {
                if let Some(value) = value {
                    place.clone_from(value);
                }
            };
            set(&mut schedule.name, &name);
            set(&mut schedule.wishes.workflow, &self.workflow);
            set(&mut schedule.cron, &self.cron);
            set(&mut schedule.tz, &self.tz);
            if let Some(params) = &self.params {
                schedule.wishes.params = params.clone().into_iter().collect();
            }
            if let Some(options) = &self.options {
                schedule.wishes.options = options.clone().into_iter().collect();
            }
            if let Some(url) = &self.callback_url {
                schedule.wishes.callback_url = some(Some(url.clone()));
            }
            if let Some(url) = &self.alert_url {
                schedule.alert_url = some(Some(url.clone()));
            }
            schedule.wishes.priority = self.priority.map_or(schedule.wishes.priority, |word| word.0);
            schedule.overlap = self.overlap.map_or(schedule.overlap, |word| word.0);
            schedule.catchup = self.catchup.map_or(schedule.catchup, |word| word.0);
            schedule.jitter_ms = jitter.unwrap_or(schedule.jitter_ms);
            schedule.alert_after = self.alert_after.unwrap_or(schedule.alert_after);
            if let Some(state) = self.state {
                schedule.state = state.0;
                schedule.paused_until = None;
            }
            schedule.paused_until = paused_until.or(schedule.paused_until);
        })
    }
}

fn some(url: Option<String>) -> Option<String> {
    url.filter(|url| !url.trim().is_empty())
}

fn name(name: Option<String>) -> Result<Option<String>> {
    let name = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    if name.as_ref().is_some_and(|name| name.chars().count() > MAX_NAME) {
        let detail = format!("Field \"name\": is longer than {MAX_NAME} characters");
        return Err(Error::new(Code::InvalidValue, detail).with_field("name"));
    }
    Ok(name)
}

fn jitter(text: Option<&str>) -> Result<Option<i64>> {
    let Some(text) = text else { return Ok(None) };
    let span: Span = text
        .parse()
        .map_err(|error| Error::new(Code::InvalidValue, format!("Field \"jitter\": {error}")).with_field("jitter"))?;
    Ok(Some(i64::try_from(span.0.as_millis()).unwrap_or(i64::MAX)))
}

sample!(NewSchedule, {
    "name": "every morning",
    "workflow": "transcribe",
    "link": "https://example.com/news.mp3",
    "cron": "0 7 * * 1-5",
    "tz": "Europe/Berlin",
    "overlap": "skip"
});

sample!(ScheduleChange, { "cron": "30 6 * * *", "tz": "Asia/Shanghai" });

sample!(Preview, { "cron": "0 7 * * 1-5", "tz": "Europe/Berlin", "count": 5 });
