//! When a failed step is tried again: data, and one pure function.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{Span, StepKind},
    error::Class,
};

/// The longest wait that another side may impose on us.
const RETRY_AFTER_CAP: Duration = Duration::from_secs(3600);

/// How often and when a step is tried again. Waits are `min(cap, first × factor^(n−1))`, then halved at most by chance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Retry {
    /// Tries after the first one, 0 to 50.
    #[schemars(range(max = 50))]
    pub max: u32,
    /// The first wait.
    pub first: Span,
    /// By how much each wait is longer than the one before, 1 to 10.
    #[schemars(range(min = 1.0, max = 10.0))]
    pub factor: f64,
    /// The longest wait.
    pub cap: Span,
    /// Only failures of these classes are tried again; none listed means every class that can pass.
    #[schemars(extend("uniqueItems" = true))]
    pub on: Vec<Class>,
    /// Failures of these classes are not tried again.
    #[schemars(extend("uniqueItems" = true))]
    pub not: Vec<Class>,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            max: 4,
            first: Span(Duration::from_secs(5)),
            factor: 2.0,
            cap: Span(Duration::from_secs(600)),
            on: Vec::new(),
            not: Vec::new(),
        }
    }
}

impl Retry {
    /// The rule of a kind whose step has none.
    pub fn for_kind(kind: StepKind) -> Self {
        let max = match kind {
            // What depends on a server elsewhere: sites, receivers, remote engines.
            StepKind::Resolve
            | StepKind::Download
            | StepKind::Transcribe
            | StepKind::Callback
            | StepKind::Llm
            | StepKind::Http => 4,
            StepKind::Extract => 1,
            // What comes to the same whenever it is tried, and what may have done something already.
            StepKind::Subtitle | StepKind::Condition | StepKind::Workflow | StepKind::Exec => 0,
        };
        Self { max, ..Self::default() }
    }

    /// The wait before the next try, or `None` when there is none.
    ///
    /// `attempt` is the number of tries made, from 1; `chance` is uniform in 0..1; `asked` is the other side's
    /// Retry-After, which wins over our own wait but never exceeds an hour.
    pub fn wait(&self, attempt: i64, class: Class, asked: Option<Duration>, chance: f64) -> Option<Duration> {
        let wanted = if self.on.is_empty() { class.is_retryable() } else { self.on.contains(&class) };
        if !wanted || self.not.contains(&class) || attempt > i64::from(self.max) {
            return None;
        }
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let cap = self.cap.0.as_secs_f64();
        let wait = (self.first.0.as_secs_f64() * self.factor.powi(exponent)).min(cap);
        let own = Duration::from_secs_f64(wait * (0.5 + chance.clamp(0.0, 1.0) / 2.0));
        Some(asked.map_or(own, |asked| asked.min(RETRY_AFTER_CAP).max(own)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn permanent_failures_are_not_tried_again() {
        let retry = Retry::default();
        assert_eq!(retry.wait(1, Class::NotFound, None, 0.5), None);
        assert_eq!(retry.wait(5, Class::Timeout, None, 0.5), None);
        assert_eq!(retry.wait(1, Class::Timeout, None, 1.0), Some(Duration::from_secs(5)));
        assert_eq!(retry.wait(3, Class::Timeout, None, 0.0), Some(Duration::from_secs(10)));
    }

    #[test]
    fn what_hangs_on_others_is_tried_five_times() {
        for kind in [StepKind::Resolve, StepKind::Download, StepKind::Transcribe, StepKind::Callback] {
            let retry = Retry::for_kind(kind);
            assert!(retry.wait(4, Class::Unavailable, None, 0.5).is_some(), "{kind}");
            assert_eq!(retry.wait(5, Class::Unavailable, None, 0.5), None, "{kind}");
        }
        assert_eq!(Retry::for_kind(StepKind::Extract).wait(2, Class::Unavailable, None, 0.5), None);
    }

    #[test]
    fn the_other_side_may_ask_for_up_to_an_hour() {
        let retry = Retry::default();
        let minute = Duration::from_secs(60);
        assert_eq!(retry.wait(1, Class::RateLimited, Some(minute), 1.0), Some(minute));
        assert_eq!(retry.wait(1, Class::RateLimited, Some(minute * 600), 1.0), Some(RETRY_AFTER_CAP));
    }

    proptest! {
        #[test]
        fn waits_stay_within_the_cap(attempt in 1i64..60, factor in 1.0f64..10.0, chance in 0.0f64..1.0) {
            let retry = Retry { max: 50, factor, ..Retry::default() };
            match retry.wait(attempt, Class::Unavailable, None, chance) {
                Some(wait) => prop_assert!(attempt <= 50 && wait <= retry.cap.0 && wait >= Duration::from_millis(2_500)),
                None => prop_assert!(attempt > 50),
            }
        }
    }
}
