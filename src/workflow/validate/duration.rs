//! Lengths of time that are not written as they should be.

use std::time::Duration;

use serde_json::Value;

use super::{Problem, below, shown};
use crate::domain::Span;

/// The longest time that something may take or wait: a year.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Looks for times that nothing can end in, and for those that nobody lives to see.
pub(super) fn check(value: &Value, problems: &mut Vec<Problem>) {
    let mut look = |holder: &Value, pointer: &str, field: &str, may_be_none: bool| {
        let span = holder.get(field).and_then(Value::as_str).and_then(|text| text.parse::<Span>().ok());
        let message = match span {
            Some(Span(span)) if span.is_zero() && !may_be_none => "must be longer than nothing",
            Some(Span(span)) if span > LONGEST => "must be at most 366d",
            _ => return,
        };
        problems.push(Problem::new("E_DURATION", format!("{pointer}/{field}"), message));
    };
    look(value, "", "deadline", false);
    for group in ["steps", "on_error"] {
        for (name, step) in value.get(group).and_then(Value::as_object).into_iter().flatten() {
            let pointer = below(&format!("/{group}"), name);
            look(step, &pointer, "timeout", false);
            look(step, &pointer, "deadline", false);
            look(step, &pointer, "delay", true);
        }
    }
}

/// The problem of a text that is no length of time, with how it is written where that can be guessed.
pub(super) fn problem(given: &str, pointer: String) -> Problem {
    let text = shown(given);
    match guess(given) {
        Some(right) => Problem::new("E_DURATION", pointer, format!("\"{text}\": write \"{right}\"")).better(right),
        None => Problem::new("E_DURATION", pointer, format!("\"{text}\": write it like 500ms, 30s, 5m, 2h or 1d")),
    }
}

/// `5 minutes` → `5m`, `1.5h` → `90m`.
fn guess(given: &str) -> Option<String> {
    let given = given.trim().to_lowercase();
    let digits = given.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(given.len());
    let (number, word) = given.split_at(digits);
    let (unit, ms) = match word.trim() {
        "ms" | "msec" | "millisecond" | "milliseconds" => ("ms", 1.0),
        "" | "s" | "sec" | "secs" | "second" | "seconds" => ("s", 1_000.0),
        "m" | "min" | "mins" | "minute" | "minutes" => ("m", 60_000.0),
        "h" | "hr" | "hrs" | "hour" | "hours" => ("h", 3_600_000.0),
        "d" | "day" | "days" => ("d", 86_400_000.0),
        "w" | "week" | "weeks" => ("d", 604_800_000.0),
        _ => return None,
    };
    if word.trim().starts_with('w') {
        let weeks: u32 = number.parse().ok().filter(|weeks| *weeks < 10_000)?;
        return Some(format!("{}d", weeks * 7));
    }
    if let Ok(whole) = number.parse::<u64>() {
        return Some(format!("{whole}{unit}"));
    }
    let number: f64 = number.parse().ok().filter(|number: &f64| *number < 1e6)?;
    let total = number * ms;
    [("h", 3_600_000.0), ("m", 60_000.0), ("s", 1_000.0), ("ms", 1.0)]
        .into_iter()
        .find(|(_, size)| (total / size).fract() == 0.0)
        .map(|(unit, size)| format!("{}{unit}", total / size))
}
