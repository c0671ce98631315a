//! The filters of `POST /api/whisper/tasks/query`. Pure.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde_json::{Map, Value, json};

use super::ask::word;
use crate::{
    api::facade::Fields,
    domain::{TaskStatus, TokenId},
    error::{Code, Error, Result},
    store::{Ends, TaskFilter},
};

/// Names that stand for the engine here; the first one is the old default.
pub(super) const ENGINES: [&str; 3] = ["faster_whisper", "openai_whisper", "whisper.cpp"];
/// How many tasks where nobody says.
pub(super) const LIMIT: u64 = 20;
/// How many at most: each comes with its whole result.
const MOST: u64 = 200;

/// What is asked for.
pub(super) struct Filters {
    /// Which tasks.
    pub filter: TaskFilter,
    /// How they have ended.
    pub ends: Ends,
    /// How many are left out.
    pub offset: u64,
    /// What the envelope echoes.
    pub params: Map<String, Value>,
}

impl Filters {
    /// Reads the fields: one that is left out has its default, one that is `null` or empty lets everything through.
    pub(super) fn read(fields: &Fields, owner: Option<TokenId>) -> Result<Self> {
        let chosen = |name: &str, usual: &str, known: &[&str]| match fields.has(name) && fields.text(name).is_none() {
            true => Ok(None),
            false => word(fields, name, usual, known).map(Some),
        };
        let flag = |name: &str, usual: bool| match fields.has(name) {
            true => fields.flag(name),
            false => Ok(Some(usual)),
        };
        let status = chosen("status", "completed", &["queued", "processing", "completed", "failed"])?;
        let priority = chosen("priority", "normal", &["high", "normal", "low"])?;
        let engine = chosen("engine_name", ENGINES[0], &ENGINES)?;
        let (has_result, has_error) = (flag("has_result", true)?, flag("has_error", false)?);
        let limit = fields.parsed::<u64>("limit", "a whole number")?.unwrap_or(LIMIT).clamp(1, MOST);
        let offset = fields.parsed::<u64>("offset", "a whole number")?.unwrap_or(0).min(i64::MAX.unsigned_abs());
        let language = fields.text("language").map(|code| code.trim().to_owned());
        let params = json!({
            "status": status, "priority": priority, "created_after": fields.text("created_after"),
            "created_before": fields.text("created_before"), "language": language, "engine_name": engine,
            "has_result": has_result, "has_error": has_error, "limit": limit, "offset": offset,
        });
        let filter = TaskFilter {
            priority: priority.and_then(|word| word.parse().ok()),
            created_after: time(fields, "created_after")?,
            created_before: time(fields, "created_before")?,
            language,
            owner,
            limit,
            ..TaskFilter::default()
        };
        let ends = Ends { statuses: statuses(status.as_deref()), has_result, has_error };
        let params = params.as_object().cloned().unwrap_or_default();
        Ok(Self { filter, ends, offset, params })
    }
}

/// Our words for one of the old API's, which knows no cancelled tasks; none for every one.
fn statuses(word: Option<&str>) -> Vec<TaskStatus> {
    match word {
        Some("failed") => vec![TaskStatus::Failed, TaskStatus::Cancelled],
        Some(word) => word.parse().into_iter().collect(),
        None => Vec::new(),
    }
}

fn time(fields: &Fields, name: &str) -> Result<Option<i64>> {
    let Some(text) = fields.text(name) else { return Ok(None) };
    let text = text.trim();
    let zoned = || DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc());
    let bare = |form: &str| NaiveDateTime::parse_from_str(text, form).ok().map(|time| time.and_utc());
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0).map(|time| time.and_utc());
    let read: Option<DateTime<Utc>> =
        zoned().or_else(|| bare("%Y-%m-%dT%H:%M:%S%.f")).or_else(|| bare("%Y-%m-%d %H:%M:%S%.f")).or_else(day);
    read.map(|time| Some(time.timestamp_millis())).ok_or_else(|| {
        let shown: String = text.chars().take(60).collect();
        let detail =
            format!("Field \"{name}\" must be a time like 2024-11-07T16:43:33, not \"{}\"", shown.escape_debug());
        Error::new(Code::InvalidValue, detail).with_field(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: Value) -> Result<Filters> {
        let fields = given.as_object().unwrap().clone();
        Filters::read(&Fields::of(fields.iter().map(|(name, value)| (name.as_str(), value.clone()))), None)
    }

    #[test]
    fn what_is_left_out_has_its_default_and_what_is_empty_lets_everything_through() {
        let usual = read(json!({})).unwrap();
        assert_eq!(usual.ends.statuses, [TaskStatus::Completed]);
        assert_eq!((usual.ends.has_result, usual.ends.has_error), (Some(true), Some(false)));
        assert_eq!((usual.filter.limit, usual.offset), (LIMIT, 0));
        assert_eq!(usual.params["engine_name"], ENGINES[0]);
        let all = read(json!({ "status": null, "priority": "", "engine_name": null, "has_result": null,
            "has_error": "", "language": "" }))
        .unwrap();
        assert!(all.ends.statuses.is_empty() && all.filter.priority.is_none() && all.filter.language.is_none());
        assert_eq!((all.ends.has_result, all.ends.has_error), (None, None));
        assert_eq!(read(json!({ "limit": 10_000 })).unwrap().filter.limit, MOST);
        assert_eq!(
            read(json!({ "status": "failed" })).unwrap().ends.statuses,
            [TaskStatus::Failed, TaskStatus::Cancelled]
        );
    }

    #[test]
    fn times_are_utc_where_no_zone_is_given() {
        let of = |text: &str| read(json!({ "created_after": text })).map(|filters| filters.filter.created_after);
        let noon = Some(1_700_049_600_000);
        for text in
            ["2023-11-15T12:00:00", "2023-11-15 12:00:00", "2023-11-15T12:00:00.000000", "2023-11-15T14:00:00+02:00"]
        {
            assert_eq!(of(text).unwrap(), noon, "{text}");
        }
        assert_eq!(of("2023-11-15").unwrap(), noon.map(|at| at - 12 * 3_600_000));
        assert_eq!(of("").unwrap(), None);
        assert!(of("noon").is_err());
    }
}
