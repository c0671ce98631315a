//! What goes. Pure: what is known goes in, the decision comes out.

use std::time::Duration;

use crate::{
    config::RetentionConfig,
    store::{FileFacts, LogFacts, TaskFacts},
};

/// The times before which things are too old, in milliseconds since 1970; none: they stay for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Tasks that ended before go.
    pub tasks: Option<i64>,
    /// Kept files that were used last before go.
    pub media: Option<i64>,
    /// The bytes that kept files may have.
    pub media_bytes: Option<i64>,
    /// Events from before go.
    pub events: Option<i64>,
    /// Attempts from before go.
    pub attempts: Option<i64>,
    /// Up to which number events have been looked at by whoever starts workflows; none: nothing waits for them.
    pub events_read: Option<i64>,
}

impl Rules {
    /// What a configuration means at a time (milliseconds since 1970).
    pub fn at(config: &RetentionConfig, now: i64, events_read: Option<i64>) -> Self {
        let before = |span: Duration| {
            let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
            (span > 0).then(|| now.saturating_sub(span))
        };
        Self {
            tasks: before(config.tasks.0),
            media: before(config.media.0),
            media_bytes: i64::try_from(config.media_bytes).ok().filter(|bytes| *bytes > 0),
            events: before(config.events.0),
            attempts: before(config.attempts.0),
            events_read,
        }
    }

    /// Whether a task goes.
    pub fn takes_task(&self, task: &TaskFacts) -> bool {
        let is_old = task.finished_at.zip(self.tasks).is_some_and(|(ended, before)| ended < before);
        is_old && !task.is_child && task.hold.is_none() && self.is_read(task.last_event)
    }

    /// Whether a kept file goes; `excess` bytes are too many.
    pub fn takes_file(&self, file: &FileFacts, excess: i64) -> bool {
        let is_old = self.media.is_some_and(|before| file.last_used < before);
        (is_old || excess > 0) && !file.is_live
    }

    /// The events among these that go, and whether younger ones may go, too.
    pub fn takes_events(&self, page: &[LogFacts]) -> (Vec<i64>, bool) {
        let read = page.iter().take_while(|event| self.is_read(event.id)).count();
        let (gone, more) = old(&page[..read], self.events);
        (gone, more && read == page.len())
    }

    /// The attempts among these that go, and whether younger ones may go, too.
    pub fn takes_attempts(&self, page: &[LogFacts]) -> (Vec<i64>, bool) {
        old(page, self.attempts)
    }

    fn is_read(&self, event: i64) -> bool {
        self.events_read.is_none_or(|read| event <= read)
    }
}

/// The rows of a log that are old and done with, and whether all of them are old. A log is in the order of its numbers, and
/// nearly in that of its times: the first young row ends the look.
fn old(page: &[LogFacts], before: Option<i64>) -> (Vec<i64>, bool) {
    let is_old = |row: &&LogFacts| before.is_some_and(|before| row.at < before);
    let old: Vec<&LogFacts> = page.iter().take_while(is_old).collect();
    let gone = old.iter().filter(|row| !row.is_live).map(|row| row.id).collect();
    (gone, !page.is_empty() && old.len() == page.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Config, domain::Span, store::Hold};

    const DAY: i64 = 24 * 60 * 60 * 1000;
    const NOW: i64 = 1_000 * DAY;

    fn rules(change: impl Fn(&mut RetentionConfig)) -> Rules {
        let mut config = Config::defaults().retention;
        change(&mut config);
        Rules::at(&config, NOW, None)
    }

    fn days(days: u64) -> Span {
        Span(Duration::from_secs(days * 24 * 60 * 60))
    }

    #[test]
    fn without_a_wish_tasks_and_media_stay() {
        let rules = rules(|_| {});
        let ancient = TaskFacts { finished_at: Some(0), is_child: false, hold: None, last_event: 0 };
        assert!(!rules.takes_task(&ancient));
        let file = FileFacts { key: String::new(), size: i64::MAX, last_used: 0, is_live: false };
        assert!(!rules.takes_file(&file, 0));
        assert_eq!((rules.events, rules.media_bytes), (Some(NOW - 90 * DAY), None));
    }

    #[test]
    fn a_task_goes_when_it_is_old_and_nobody_needs_it() {
        let mut rules = rules(|config| config.tasks = days(7));
        let old = TaskFacts { finished_at: Some(NOW - 8 * DAY), is_child: false, hold: None, last_event: 5 };
        assert!(rules.takes_task(&old));
        for kept in [
            TaskFacts { finished_at: Some(NOW - 7 * DAY), ..old },
            TaskFacts { finished_at: None, ..old },
            TaskFacts { is_child: true, ..old },
            TaskFacts { hold: Some(Hold::Telling), ..old },
        ] {
            assert!(!rules.takes_task(&kept), "{kept:?}");
        }
        rules.events_read = Some(4);
        assert!(!rules.takes_task(&old), "an event that no trigger has seen went with its task");
    }

    #[test]
    fn a_file_goes_by_its_age_or_for_room() {
        let rules = rules(|config| config.media = days(7));
        let file = |age: i64, is_live| FileFacts { key: String::new(), size: 1, last_used: NOW - age * DAY, is_live };
        assert!(rules.takes_file(&file(8, false), 0) && rules.takes_file(&file(1, false), 1));
        assert!(!rules.takes_file(&file(1, false), 0) && !rules.takes_file(&file(8, true), 1));
    }

    #[test]
    fn a_log_is_cut_at_its_first_young_row_and_live_rows_stay() {
        let mut rules = rules(|_| {});
        let row = |id, days: i64, is_live| LogFacts { id, at: NOW - days * DAY, is_live };
        let old = [row(1, 99, false), row(2, 98, true), row(3, 97, false)];
        assert_eq!(rules.takes_events(&old), (vec![1, 3], true));
        let mixed = [row(1, 99, false), row(2, 1, false), row(3, 99, false)];
        assert_eq!(rules.takes_attempts(&mixed), (vec![1], false));
        rules.events_read = Some(2);
        assert_eq!(rules.takes_events(&old), (vec![1], false));
        assert_eq!(rules.takes_events(&[]), (vec![], false));
    }
}
