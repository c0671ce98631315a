//! yt-dlp's JSON, read so that nothing in it has to be there or of the right type.

use chrono::{DateTime, Utc};
use serde_json::Value;
use url::Url;

use crate::{generic::tidy, key::media_id, link::is_fetchable};

/// Extractors that look at pages in general: what they call an id is a file's name, and not unique.
const WITHOUT_IDS: [&str; 2] = ["generic", "html5mediaembed"];

/// One of yt-dlp's objects: an item, an entry of a list, a format.
#[derive(Clone, Copy)]
pub(super) struct Info<'a>(pub(super) &'a Value);

impl<'a> Info<'a> {
    /// A text that is not empty; numbers count as text, because ids are sometimes numbers.
    pub(super) fn text(self, key: &str) -> Option<String> {
        match self.0.get(key)? {
            Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// A number that is not negative, also one written as text.
    pub(super) fn number(self, key: &str) -> Option<f64> {
        let value = self.0.get(key)?;
        let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
        (number.is_finite() && number >= 0.0).then_some(number)
    }

    /// Any whole number.
    pub(super) fn integer(self, key: &str) -> Option<i64> {
        self.0.get(key)?.as_i64()
    }

    pub(super) fn is(self, key: &str) -> bool {
        self.0.get(key).is_some_and(|value| value.as_bool() == Some(true))
    }

    /// A URL that may be fetched.
    pub(super) fn url(self, key: &str) -> Option<Url> {
        Url::parse(&self.text(key)?).ok().filter(is_fetchable)
    }

    /// What is in a list, without the `null`s that stand for what failed.
    pub(super) fn list(self, key: &str) -> impl Iterator<Item = Info<'a>> {
        let list = self.0.get(key).and_then(Value::as_array);
        list.into_iter().flatten().filter(|value| value.is_object()).map(Info)
    }

    /// What an object holds, by name.
    pub(super) fn pairs(self, key: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let object = self.0.get(key).and_then(Value::as_object);
        object.into_iter().flatten().map(|(name, value)| (name.as_str(), value))
    }

    pub(super) fn is_list(self) -> bool {
        matches!(self.text("_type").as_deref(), Some("playlist" | "multi_video"))
    }

    /// Whether it is still going on, or has not begun.
    pub(super) fn is_live(self) -> bool {
        self.is("is_live") || matches!(self.text("live_status").as_deref(), Some("is_live" | "is_upcoming"))
    }

    pub(super) fn title(self) -> Option<String> {
        ["title", "fulltitle"].into_iter().find_map(|key| tidy(&self.text(key)?))
    }

    pub(super) fn author(self) -> Option<String> {
        ["channel", "uploader", "creator", "artist"].into_iter().find_map(|key| tidy(&self.text(key)?))
    }

    pub(super) fn duration_ms(self) -> Option<u64> {
        self.number("duration").map(|seconds| (seconds * 1000.0).round() as u64).filter(|ms| *ms > 0)
    }

    pub(super) fn published_at(self) -> Option<DateTime<Utc>> {
        let moment = ["timestamp", "release_timestamp"].into_iter().find_map(|key| self.number(key));
        let day = || {
            let day = chrono::NaiveDate::parse_from_str(&self.text("upload_date")?, "%Y%m%d").ok()?;
            Some(day.and_time(chrono::NaiveTime::MIN).and_utc())
        };
        moment.and_then(|seconds| DateTime::from_timestamp(seconds as i64, 0)).or_else(day)
    }

    /// What the wide web's items are known by: the site's own id behind the site's name, else a hash of the address.
    pub(super) fn web_id(self, link: &Url) -> String {
        let site = ["extractor_key", "ie_key"].into_iter().find_map(|key| self.text(key)).map(|key| key.to_lowercase());
        match (site, self.text("id")) {
            (Some(site), Some(id)) if !WITHOUT_IDS.contains(&site.as_str()) => format!("{site}:{id}"),
            _ => media_id(link),
        }
    }
}
