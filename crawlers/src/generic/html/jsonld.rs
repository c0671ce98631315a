//! schema.org descriptions in `<script type="application/ld+json">`.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value};
use url::Url;

use super::{About, Offer, candidate, page::Page};

/// Types that are media themselves.
const MEDIA_TYPES: [&str; 4] = ["VideoObject", "AudioObject", "PodcastEpisode", "MediaObject"];
/// Where media hides inside other things.
const NESTED: [&str; 7] = ["@graph", "mainEntity", "mainEntityOfPage", "video", "audio", "associatedMedia", "hasPart"];

/// What the descriptions say.
#[derive(Default)]
pub(super) struct Linked {
    pub(super) offers: Vec<Offer>,
    pub(super) embeds: Vec<Url>,
    pub(super) about: About,
}

pub(super) fn read(page: &Page) -> Linked {
    let mut linked = Linked::default();
    for block in page.texts(r#"script[type*="ld+json" i]"#) {
        // Each block stands alone; a broken one says nothing.
        if let Ok(value) = serde_json::from_str::<Value>(block.trim()) {
            walk(&value, page, &mut linked);
        }
    }
    linked
}

fn walk(value: &Value, page: &Page, linked: &mut Linked) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| walk(value, page, linked)),
        Value::Object(object) => {
            if is_media(object) {
                media(object, page, linked);
            }
            NESTED.iter().filter_map(|key| object.get(*key)).for_each(|value| walk(value, page, linked));
        }
        _ => {}
    }
}

fn is_media(object: &Map<String, Value>) -> bool {
    let named =
        |value: &Value| value.as_str().is_some_and(|name| MEDIA_TYPES.iter().any(|known| name.ends_with(known)));
    match object.get("@type") {
        Some(Value::Array(types)) => types.iter().any(named),
        Some(one) => named(one),
        None => false,
    }
}

fn media(object: &Map<String, Value>, page: &Page, linked: &mut Linked) {
    let content_type = object.get("encodingFormat").and_then(Value::as_str).filter(|kind| kind.contains('/'));
    let candidates: Vec<_> =
        strings(object.get("contentUrl")).filter_map(|url| candidate(page, url, content_type)).collect();
    linked.embeds.extend(strings(object.get("embedUrl")).filter_map(|url| page.resolve(url)));
    let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let about = About {
        title: text("name").or_else(|| text("headline")).map(str::to_owned),
        author: ["author", "creator"].iter().find_map(|key| name(object.get(*key)?)),
        published_at: text("uploadDate").or_else(|| text("datePublished")).and_then(date),
        duration_ms: text("duration").and_then(duration),
    };
    // The first description of the page wins; an outer one (an episode) fills what its audio leaves out.
    linked.about = std::mem::take(&mut linked.about).or(about);
    if !candidates.is_empty() {
        linked.offers.push(Offer { candidates, ..Offer::default() });
    }
}

fn strings(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let (one, many) = match value {
        Some(Value::Array(values)) => (None, values.as_slice()),
        other => (other, [].as_slice()),
    };
    one.into_iter().chain(many).filter_map(Value::as_str)
}

/// A person or organisation: its name, or the first one's.
fn name(value: &Value) -> Option<String> {
    match value {
        Value::String(name) => Some(name.trim().to_owned()).filter(|name| !name.is_empty()),
        Value::Object(object) => {
            object.get("name").and_then(|value| if value.is_string() { name(value) } else { None })
        }
        Value::Array(values) => values.iter().filter(|value| !value.is_array()).find_map(name),
        _ => None,
    }
}

/// RFC 3339, or a date alone.
pub(super) fn date(text: &str) -> Option<DateTime<Utc>> {
    let full = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%z"));
    full.map(|date| date.with_timezone(&Utc)).ok().or_else(|| {
        let day = NaiveDate::parse_from_str(text.get(..10)?, "%Y-%m-%d").ok()?;
        Some(day.and_hms_opt(0, 0, 0)?.and_utc())
    })
}

/// ISO 8601 (`P0Y0M0DT1H2M3.5S`) in milliseconds; other forms say nothing.
pub(crate) fn duration(text: &str) -> Option<u64> {
    let rest = text.trim().strip_prefix('P')?;
    let (days, time) = rest.split_once('T').unwrap_or((rest, ""));
    let mut total = 0.0;
    let mut part = |text: &str, units: &[(char, f64)]| -> Option<()> {
        let mut number = String::new();
        for c in text.chars() {
            match units.iter().find(|(unit, _)| *unit == c) {
                Some((_, seconds)) => total += std::mem::take(&mut number).parse::<f64>().ok()? * seconds,
                None if c.is_ascii_digit() || c == '.' => number.push(c),
                None => return None,
            }
        }
        number.is_empty().then_some(())
    };
    part(days, &[('Y', 31_536_000.0), ('M', 2_592_000.0), ('D', 86_400.0)])?;
    part(time, &[('H', 3_600.0), ('M', 60.0), ('S', 1.0)])?;
    let ms = (total * 1000.0).round();
    (ms > 0.0 && ms < 1e15).then_some(ms as u64)
}
