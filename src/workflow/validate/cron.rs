//! Time tables and their zones.

use std::str::FromStr;

use super::{Problem, shown};
use crate::domain::options::nearest;

/// The fields of a time table with the numbers that each may hold.
const FIELDS: [(&str, u32, u32); 5] =
    [("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("day of the week", 0, 7)];

/// What is wrong with a time table, after its text in quotes.
pub(super) fn check(table: &str, pointer: &str) -> Option<Problem> {
    let why = wrong(table)?;
    Some(Problem::new("E_CRON", pointer, format!("\"{}\": {why}", shown(table))))
}

fn wrong(table: &str) -> Option<String> {
    let parts: Vec<&str> = table.split_whitespace().collect();
    if parts.len() != FIELDS.len() {
        let order = "minute, hour, day of the month, month, day of the week";
        return Some(format!("{} fields; a time table has five: {order}", parts.len()));
    }
    for (part, (name, least, most)) in parts.iter().zip(FIELDS) {
        for piece in part.split(',') {
            // What follows a slash is a distance, not a time.
            let (range, step) = piece.split_once('/').map_or((piece, None), |(range, step)| (range, Some(step)));
            let numbers = range
                .split('-')
                .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.is_empty());
            for digits in numbers {
                if digits.parse::<u32>().ok().is_none_or(|number| number < least || number > most) {
                    return Some(format!("{name} {digits}"));
                }
            }
            if step.is_some_and(|step| step.parse::<u32>().ok().is_none_or(|step| step == 0 || step > most)) {
                return Some(format!("{name} {piece}"));
            }
        }
    }
    croner::Cron::from_str(table).err().map(|error| error.to_string().to_lowercase())
}

/// What is wrong with a time zone.
pub(super) fn check_zone(zone: &str, pointer: &str) -> Option<Problem> {
    if chrono_tz::Tz::from_str(zone).is_ok() {
        return None;
    }
    let known = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
    let message = format!("\"{}\" is no time zone such as Asia/Shanghai", shown(zone));
    Some(Problem::new("E_CRON", pointer, message).or(nearest(zone, known)))
}
