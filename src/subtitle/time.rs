//! Seconds to milliseconds and to the clock of subtitle files.

/// 99,999 hours: beyond any recording, and the place where nonsense such as infinity ends up.
const LATEST: f64 = 359_999_999_999.0;

/// A time in milliseconds, rounded to the nearest one. Before the start, and no number at all, is the start.
pub(super) fn millis(seconds: f64) -> u64 {
    // A float-to-integer `as` saturates, and NaN becomes 0.
    (seconds * 1000.0).round().clamp(0.0, LATEST) as u64
}

/// `HH:MM:SS`; more than two digits of hours when there are that many.
pub(super) fn seconds(millis: u64) -> String {
    let seconds = millis / 1000;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}", seconds % 60)
}

/// `HH:MM:SS` and the milliseconds after the given mark.
pub(super) fn clock(millis: u64, mark: char) -> String {
    format!("{}{mark}{:03}", seconds(millis), millis % 1000)
}

/// The minutes, also beyond an hour, and seconds to the hundredth, as lyrics have them: `MM:SS.xx`.
pub(super) fn lyric(millis: u64) -> String {
    let hundredths = (millis + 5) / 10;
    format!("{:02}:{:02}.{:02}", hundredths / 6000, hundredths / 100 % 60, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_to_the_millisecond_and_carries() {
        for (seconds, expected) in [
            (0.0, "00:00:00,000"),
            (4.3, "00:00:04,300"),
            (0.0004, "00:00:00,000"),
            (59.9994, "00:00:59,999"),
            (59.9996, "00:01:00,000"),
            (3599.9999, "01:00:00,000"),
            (359_999.999_9, "100:00:00,000"),
            (444_444.444, "123:27:24,444"),
        ] {
            assert_eq!(clock(millis(seconds), ','), expected, "{seconds}");
        }
    }

    #[test]
    fn lyrics_count_minutes() {
        for (millis, expected) in
            [(0, "00:00.00"), (4_304, "00:04.30"), (4_305, "00:04.31"), (59_995, "01:00.00"), (7_205_250, "120:05.25")]
        {
            assert_eq!(lyric(millis), expected, "{millis}");
        }
    }

    #[test]
    fn nonsense_has_a_place() {
        for (seconds, expected) in [
            (f64::NAN, 0),
            (-0.0, 0),
            (-7.5, 0),
            (f64::NEG_INFINITY, 0),
            (f64::INFINITY, LATEST as u64),
            (f64::MAX, LATEST as u64),
        ] {
            assert_eq!(millis(seconds), expected, "{seconds}");
        }
    }
}
