//! JSON: TikTok's `{"utterances": [{"start_time": ms, "end_time": ms, "text"}]}`, and the podcasts'
//! `{"segments": [{"startTime": s, "endTime": s, "body"}]}`.

use serde_json::Value;

use super::Raw;
use crate::subtitle::time;

/// Where a list is in the file, what its fields are called, and their seconds.
const SHAPES: [(&str, [&str; 3], f64); 3] = [
    ("utterances", ["start_time", "end_time", "text"], 0.001),
    ("segments", ["startTime", "endTime", "body"], 1.0),
    ("segments", ["start", "end", "text"], 1.0),
];

pub(super) fn read(text: &str) -> Vec<Raw> {
    let Ok(file) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    let shapes = SHAPES.iter().filter_map(|(list, fields, unit)| {
        let list = file.get(list)?.as_array()?;
        Some(list.iter().filter_map(|item| line(item, *fields, *unit)).collect::<Vec<_>>())
    });
    shapes.into_iter().find(|lines| !lines.is_empty()).unwrap_or_default()
}

fn line(item: &Value, [start, end, text]: [&str; 3], unit: f64) -> Option<Raw> {
    let time = |name: &str| Some(time::millis(number(item.get(name)?)? * unit));
    let start = time(start)?;
    let lines = item.get(text)?.as_str()?.lines().map(str::to_owned).collect();
    Some(Raw { start, end: time(end).unwrap_or(start), lines })
}

/// Numbers are written as text at times.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|number: &f64| number.is_finite())
}
