//! Patterns against an independent model that looks at every minute of a year.

use std::collections::{BTreeSet, HashSet};

use chrono::{Datelike, Timelike};
use proptest::prelude::*;

use super::*;

const MINUTE: i64 = 60_000;

fn ms(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
}

fn shown(cron: &str, tz: &str, since: &str, count: usize) -> Vec<String> {
    let cron = Cron::parse(cron, tz).unwrap();
    let show = |ms: i64| cron.zone.timestamp_millis_opt(ms).unwrap().format("%m-%d %H:%M %:z").to_string();
    cron.times_after(ms(since), count).into_iter().map(show).collect()
}

/// Which values a field of numbers, lists, ranges and steps has.
fn values(field: &str, first: u32, last: u32) -> [bool; 60] {
    let mut found = [false; 60];
    for item in field.split(',') {
        let (range, step) = item.split_once('/').unwrap_or((item, "1"));
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (first, last),
            Some((from, to)) => (from.parse().unwrap(), to.parse().unwrap()),
            None => (range.parse().unwrap(), range.parse().unwrap()),
        };
        for value in (from..=to).step_by(step.parse().unwrap()) {
            found[value as usize] = true;
        }
    }
    found
}

/// What the clock on the wall shows in each minute of a span.
fn walls(tz: Tz, from: i64, to: i64) -> Vec<NaiveDateTime> {
    let minutes = (from..=to).step_by(usize::try_from(MINUTE).unwrap());
    minutes.map(|at| tz.timestamp_millis_opt(at).unwrap().naive_local()).collect()
}

/// Every time of a span by the rule in the module's words: each minute is looked at, nothing is searched.
fn slow(expr: &str, from: i64, walls: &[NaiveDateTime]) -> Vec<i64> {
    let parts: Vec<&str> = expr.split_whitespace().collect();
    let (minutes, hours) = (values(parts[0], 0, 59), values(parts[1], 0, 23));
    let (days, months) = (values(parts[2], 1, 31), values(parts[3], 1, 12));
    let mut weekdays = values(parts[4], 0, 7);
    weekdays[0] |= weekdays[7];
    let (any_day, any_weekday) = (parts[2] == "*", parts[4] == "*");
    // The minute first: most are passed over by it.
    let fits = |wall: NaiveDateTime| {
        minutes[wall.minute() as usize] && hours[wall.hour() as usize] && months[wall.month() as usize] && {
            let day = days[wall.day() as usize];
            let weekday = weekdays[wall.weekday().num_days_from_sunday() as usize];
            if any_day || any_weekday { day && weekday } else { day || weekday }
        }
    };
    let any_hour = parts[1] == "*";
    let (mut found, mut before, mut fired) = (Vec::new(), None, HashSet::new());
    for (at, wall) in (from..).step_by(usize::try_from(MINUTE).unwrap()).zip(walls.iter().copied()) {
        let jumped_over = before.map_or(0, |before: NaiveDateTime| (wall - before).num_minutes() - 1).max(0);
        before = Some(wall);
        let fires = if any_hour {
            fits(wall)
        } else {
            let jumped = (1..=jumped_over).any(|back| fits(wall - Duration::minutes(back)));
            (fits(wall) && fired.insert(wall)) || jumped
        };
        if fires {
            found.push(at);
        }
    }
    found
}

#[track_caller]
fn compare(expr: &str, tz: Tz, from: i64, walls: &[NaiveDateTime]) {
    let to = from + MINUTE * (i64::try_from(walls.len()).unwrap() - 1);
    let cron = Cron::parse(expr, tz.name()).unwrap();
    let mut quick = Vec::new();
    let mut at = from - 1;
    while let Some(next) = cron.next_after(at).filter(|next| *next <= to) {
        quick.push(next);
        at = next;
    }
    let slow = slow(expr, from, walls);
    let (found, wanted): (BTreeSet<i64>, BTreeSet<i64>) =
        (quick.iter().copied().collect(), slow.iter().copied().collect());
    assert_eq!(found.symmetric_difference(&wanted).collect::<Vec<_>>(), Vec::<&i64>::new(), "{expr} in {tz}");
    assert_eq!(quick, slow, "{expr} in {tz}: the order");
}

#[test]
fn a_year_in_four_zones_is_as_the_slow_model_says() {
    let zones = [
        chrono_tz::Europe::Berlin,
        chrono_tz::America::New_York,
        chrono_tz::Asia::Shanghai,
        chrono_tz::Australia::Lord_Howe,
    ];
    let patterns = [
        "30 2 * * *",
        "0 2 * * *",
        "30 1 * * *",
        "15 1,2,3 * * *",
        "*/20 * * * *",
        "45 */2 * * *",
        "0 */6 * * *",
        "10-50/10 1-3 * * 0",
        "0 0 1 */3 *",
        "0 12 13 * 5",
        "5 2 29 3,10 *",
        "59 23 31 12 *",
        "* 2 * * 7",
    ];
    let (from, to) = (ms("2026-01-01T00:00:00Z"), ms("2027-01-01T00:00:00Z"));
    for zone in zones {
        let walls = walls(zone, from, to);
        for pattern in patterns {
            compare(pattern, zone, from, &walls);
        }
    }
}

#[test]
fn clocks_that_are_changed_neither_lose_nor_double_a_time() {
    // 02:30 is left out on March 29th and comes twice on October 25th.
    assert_eq!(
        shown("30 2 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z", 3),
        ["03-28 02:30 +01:00", "03-29 03:00 +02:00", "03-30 02:30 +02:00"]
    );
    assert_eq!(
        shown("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
        ["10-25 02:30 +02:00", "10-26 02:30 +01:00"]
    );
    // Every half hour means every half hour.
    assert_eq!(
        shown("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:15:00Z", 4),
        ["10-25 02:30 +02:00", "10-25 02:00 +01:00", "10-25 02:30 +01:00", "10-25 03:00 +01:00"]
    );
    // Two times in one gap are one moment.
    assert_eq!(
        shown("15,45 2,3 * * *", "Europe/Berlin", "2026-03-29T00:59:00Z", 3),
        ["03-29 03:00 +02:00", "03-29 03:15 +02:00", "03-29 03:45 +02:00"]
    );
    // Lord Howe puts its clock forward by half an hour; Samoa once left out a whole day.
    assert_eq!(shown("10 2 4 10 *", "Australia/Lord_Howe", "2026-01-01T00:00:00Z", 1), ["10-04 02:30 +11:00"]);
    assert_eq!(
        shown("0 9 * * *", "Pacific/Apia", "2011-12-29T20:00:00Z", 2),
        ["12-31 00:00 +14:00", "12-31 09:00 +14:00"]
    );
}

#[test]
fn names_last_days_and_leap_days_are_known() {
    let since = "2026-11-20T00:00:00Z";
    assert_eq!(shown("0 9 * * MON-FRI", "UTC", since, 2), ["11-20 09:00 +00:00", "11-23 09:00 +00:00"]);
    assert_eq!(shown("0 9 * * fri-sun", "UTC", since, 3)[2], "11-22 09:00 +00:00");
    assert_eq!(shown("0 9 L feb *", "UTC", since, 2), ["02-28 09:00 +00:00", "02-29 09:00 +00:00"]);
    assert_eq!(shown("0 9 * * 5L", "UTC", since, 1), ["11-27 09:00 +00:00"]);
    assert_eq!(shown("0 0 29 2 *", "UTC", since, 1), ["02-29 00:00 +00:00"]);
}

#[test]
fn what_is_wrong_is_quoted() {
    let told = |expr: &str| check(expr, "UTC").unwrap_err();
    assert_eq!(told("0 25 * * *"), "\"0 25 * * *\": hour 25");
    assert_eq!(told("60 * * * *"), "\"60 * * * *\": minute 60");
    assert_eq!(told("0 0 0 * *"), "\"0 0 0 * *\": day 0");
    assert_eq!(told("0 0 * MOON *"), "\"0 0 * MOON *\": month MOON");
    assert_eq!(told("0 0 * * 5-2"), "\"0 0 * * 5-2\": weekday 5-2");
    assert_eq!(told("*/0 * * * *"), "\"*/0 * * * *\": minute */0");
    assert_eq!(told("5/10 * * * *"), "\"5/10 * * * *\": minute 5/10");
    assert_eq!(told("1,,2 * * * *"), "\"1,,2 * * * *\": minute is empty");
    assert_eq!(told("0 0 * *"), "\"0 0 * *\": 4 fields instead of 5 (minute, hour, day, month, weekday)");
    assert_eq!(told("0 0 0 * * *"), "\"0 0 0 * * *\": 6 fields instead of 5 (minute, hour, day, month, weekday)");
    assert_eq!(told("@daily"), "\"@daily\": write \"0 0 * * *\"");
    assert_eq!(told(""), "\"\": 0 fields instead of 5 (minute, hour, day, month, weekday)");
    assert_eq!(told("0 0 30 2 *"), "\"0 0 30 2 *\": there is no such day, so it never fires");
    assert_eq!(
        check("0 0 * * *", "Europe/Berlim").unwrap_err(),
        "no time zone \"Europe/Berlim\"; did you mean \"Europe/Berlin\"?"
    );
    assert!(check("0 0 * * *", "").is_err());
    assert!(check(&"1,".repeat(200), "UTC").is_err());
}

/// A field of numbers between `first` and `last`.
fn field(first: u32, last: u32) -> impl Strategy<Value = String> {
    let item = prop_oneof![
        Just("*".to_owned()),
        (1..=last.max(1)).prop_map(|step| format!("*/{step}")),
        (first..=last).prop_map(|value| value.to_string()),
        (first..=last, first..=last).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
    ];
    prop::collection::vec(item, 1..3).prop_map(|items| {
        // A star beside others would make a field that is everything, and the two day fields differ in what that means.
        if items.iter().any(|item| item == "*") { "*".to_owned() } else { items.join(",") }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn patterns_by_chance_are_as_the_slow_model_says(
        minute in field(0, 59), hour in field(0, 23), day in field(1, 31), month in field(1, 12),
        weekday in field(0, 6), zone in 0..4usize, start in 0..360i64,
    ) {
        let zones = [chrono_tz::Europe::Berlin, chrono_tz::America::Havana, chrono_tz::Australia::Lord_Howe, chrono_tz::Africa::Cairo];
        let from = ms("2026-01-01T00:00:00Z") + start * 24 * 60 * MINUTE;
        let walls = walls(zones[zone], from, from + 7 * 24 * 60 * MINUTE);
        compare(&format!("{minute} {hour} {day} {month} {weekday}"), zones[zone], from, &walls);
    }

    #[test]
    fn whatever_is_written_is_answered(expr in "[0-9*/,#LWA-Z@?+ -]{0,24}", tz in "[A-Za-z/_]{0,12}") {
        if check(&expr, "Europe/Berlin").is_ok() {
            prop_assert!(Cron::parse(&expr, "Europe/Berlin").unwrap().next_after(0).is_some());
        }
        let _ = check("* * * * *", &tz);
    }
}
