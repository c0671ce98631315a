//! Times that come again and again: five fields (minute, hour, day of the month, month, day of the week) in a time zone.
//!
//! Where clocks are changed, one rule holds: a pattern with `*` for its hours follows the time that passes, so it fires in
//! both halves of an hour that comes twice and knows nothing of one that is left out; every other pattern follows the
//! clock on the wall, so a time that comes twice fires once, the first time, and one that is left out fires at the moment
//! when the clock is changed. As in other crons, a day fires when either of two restricted day fields has it.

use std::str::FromStr;

use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use croner::parser::{CronParser, Seconds, Year};

use crate::domain::options::nearest;

/// No pattern is looked for longer than this: the 29th of February on one weekday comes every 28 years, or 40.
const HORIZON_DAYS: i64 = 366 * 41;
/// The longest time for which any place has put its clock forward.
const LONGEST_GAP_MINUTES: i64 = 26 * 60;
/// The longest pattern, in bytes.
const LONGEST: usize = 200;
/// Nothing before this time is asked for in a check: any would do, as long as it is always the same.
const CHECK_FROM_MS: i64 = 1_735_689_600_000;

/// One of the five fields.
struct Field {
    name: &'static str,
    first: u32,
    last: u32,
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", first: 0, last: 59, names: &[] },
    Field { name: "hour", first: 0, last: 23, names: &[] },
    Field { name: "day", first: 1, last: 31, names: &[] },
    Field {
        name: "month",
        first: 1,
        last: 12,
        names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    },
    // 7 is Sunday, too.
    Field { name: "weekday", first: 0, last: 7, names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] },
];

/// What people write for whole patterns elsewhere.
const WORDS: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// A pattern in its zone.
#[derive(Clone, Debug)]
pub struct Cron {
    pattern: croner::Cron,
    zone: Tz,
    every_hour: bool,
}

/// Checks a pattern and a zone. The error quotes what is wrong: `"0 25 * * *": hour 25`.
pub fn check(expr: &str, tz: &str) -> Result<(), String> {
    let cron = Cron::parse(expr, tz)?;
    match cron.next_after(CHECK_FROM_MS) {
        Some(_) => Ok(()),
        None => Err(format!("\"{expr}\": there is no such day, so it never fires")),
    }
}

/// Checks the name of a time zone.
pub fn check_zone(tz: &str) -> Result<(), String> {
    zone(tz).map(|_| ())
}

impl Cron {
    /// Reads a pattern and an IANA time zone.
    pub fn parse(expr: &str, tz: &str) -> Result<Self, String> {
        let zone = zone(tz)?;
        fields(expr).map_err(|problem| format!("\"{}\": {problem}", expr.escape_debug()))?;
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let pattern = parser.parse(expr).map_err(|error| format!("\"{}\": {error}", expr.escape_debug()))?;
        let every_hour = expr.split_whitespace().nth(1) == Some("*");
        Ok(Self { pattern, zone, every_hour })
    }

    /// The first time after `ms`, in milliseconds since 1970; none when there is none in the next 41 years.
    pub fn next_after(&self, ms: i64) -> Option<i64> {
        let since = Utc.timestamp_millis_opt(ms).single()?.with_timezone(&self.zone);
        let found = if self.every_hour {
            self.pattern.find_next_occurrence(&since, false).ok()?.with_timezone(&Utc)
        } else {
            self.next_on_wall(&since)?
        };
        let is_near = found.signed_duration_since(since).num_days() <= HORIZON_DAYS;
        is_near.then(|| found.timestamp_millis())
    }

    /// The next `count` times after `ms`.
    pub fn times_after(&self, ms: i64, count: usize) -> Vec<i64> {
        std::iter::successors(self.next_after(ms), |last| self.next_after(*last)).take(count).collect()
    }

    /// Walks over what the clock on the wall shows, as if it were never changed. A later time on the wall is never an
    /// earlier moment, so the first that is not over is the next.
    fn next_on_wall(&self, since: &DateTime<Tz>) -> Option<DateTime<Utc>> {
        let mut wall = since.naive_local().and_utc();
        loop {
            wall = self.pattern.find_next_occurrence(&wall, false).ok()?;
            let moment = self.moment(wall.naive_utc())?;
            if moment > *since {
                return Some(moment);
            }
        }
    }

    /// When the clock on the wall shows this for the first time, or has just jumped over it.
    fn moment(&self, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
        let at = |wall: NaiveDateTime| match self.zone.from_local_datetime(&wall) {
            LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => Some(moment.with_timezone(&Utc)),
            LocalResult::None => None,
        };
        (0..=LONGEST_GAP_MINUTES).find_map(|minutes| at(wall + Duration::minutes(minutes)))
    }
}

fn zone(tz: &str) -> Result<Tz, String> {
    Tz::from_str(tz).map_err(|_| {
        let best = nearest(tz, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
        let suggestion = best.map_or_else(String::new, |best| format!("; did you mean \"{best}\"?"));
        format!("no time zone \"{}\"{suggestion}", tz.escape_debug())
    })
}

fn fields(expr: &str) -> Result<(), String> {
    if let Some((_, pattern)) = WORDS.iter().find(|(word, _)| expr.trim().eq_ignore_ascii_case(word)) {
        return Err(format!("write \"{pattern}\""));
    }
    if expr.len() > LONGEST {
        return Err(format!("longer than {LONGEST} characters"));
    }
    let parts: Vec<&str> = expr.split_whitespace().collect();
    if parts.len() != FIELDS.len() {
        return Err(format!("{} fields instead of 5 (minute, hour, day, month, weekday)", parts.len()));
    }
    FIELDS.iter().zip(parts).try_for_each(|(field, part)| part.split(',').try_for_each(|item| field.check(item)))
}

impl Field {
    /// `*`, `5`, `MON`, `1-5`, each with `/2` behind it; days also `L` and `15W`, weekdays `5L` and `5#2`.
    fn check(&self, item: &str) -> Result<(), String> {
        let wrong = || {
            format!(
                "{} {}",
                self.name,
                if item.is_empty() { "is empty".into() } else { item.escape_debug().to_string() }
            )
        };
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (item, None),
        };
        if let Some(step) = step {
            let fits = number(step).is_some_and(|step| (1..=self.last).contains(&step));
            // A step needs something to step through.
            if !fits || (range != "*" && !range.contains('-')) {
                return Err(wrong());
            }
        }
        if range == "*" {
            return Ok(());
        }
        if let Some((from, to)) = range.split_once('-') {
            // Sunday ends a week as its seventh day.
            let last =
                if to.eq_ignore_ascii_case("SUN") && self.names.contains(&"SUN") { Some(7) } else { self.value(to) };
            let is_range = self.value(from).zip(last).is_some_and(|(from, last)| from <= last);
            return if is_range { Ok(()) } else { Err(wrong()) };
        }
        let fits = self.value(range).is_some() || (step.is_none() && self.is_special(range));
        if fits { Ok(()) } else { Err(wrong()) }
    }

    fn value(&self, text: &str) -> Option<u32> {
        let named = || self.names.iter().position(|name| text.eq_ignore_ascii_case(name));
        let value = number(text).or_else(|| Some(self.first + u32::try_from(named()?).ok()?))?;
        (self.first..=self.last).contains(&value).then_some(value)
    }

    fn is_special(&self, text: &str) -> bool {
        let text = text.to_ascii_uppercase();
        match self.name {
            "day" => text == "L" || text.strip_suffix('W').is_some_and(|day| self.value(day).is_some()),
            "weekday" => {
                let last = text.strip_suffix('L').is_some_and(|day| self.value(day).is_some());
                let nth = |(day, n): (&str, &str)| {
                    self.value(day).is_some() && number(n).is_some_and(|n| (1..=5).contains(&n))
                };
                last || text.split_once('#').is_some_and(nth)
            }
            _ => false,
        }
    }
}

/// A number of at most two digits, without a sign.
fn number(text: &str) -> Option<u32> {
    let is_plain = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests;
