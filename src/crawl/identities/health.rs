//! Which identity is next, and how what happened changes its health. No I/O, no clock.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use crawlers::{Attempt, Ending, ErrorClass};

use crate::domain::{Health, Identity, IdentityState};

/// The first rest, in seconds; each further one is twice as long.
const FIRST_REST: i64 = 60;
/// The longest rest, in seconds.
const LONGEST_REST: i64 = 6 * 3600;

/// Who goes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<'a> {
    /// This one.
    Take(&'a Identity),
    /// Those that could are all on their way.
    Wait,
    /// Nobody can.
    Nobody,
}

/// Of the identities that may be used now the one whose last use is longest ago.
pub(super) fn next<'a>(
    all: impl IntoIterator<Item = &'a Identity>,
    busy: &HashSet<String>,
    now: DateTime<Utc>,
) -> Next<'a> {
    let ready = all.into_iter().filter(|one| one.health.state_at(now) == IdentityState::Ready);
    let (waiting, free): (Vec<_>, Vec<_>) = ready.partition(|one| busy.contains(&one.id));
    match free.into_iter().min_by_key(|one| (one.last_used_at, one.created_at)) {
        Some(one) => Next::Take(one),
        None if waiting.is_empty() => Next::Nobody,
        None => Next::Wait,
    }
}

/// What a crawl says about the identity that it used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was let in.
    Served,
    /// The platform was wary of it.
    Wary(ErrorClass),
    /// The platform does not take it for logged in.
    LoggedOut,
    /// Nothing.
    Nothing,
}

/// Judges by the attempts that used the identity; without a chain of attempts by how the whole has ended. That a guest
/// should log in is said of the post, and nothing against the guest.
pub(super) fn judge(attempts: Option<&[Attempt]>, failure: Option<ErrorClass>, is_guest: bool) -> Verdict {
    let mut verdict = Verdict::Nothing;
    let used = attempts.unwrap_or_default().iter().filter(|attempt| attempt.identity);
    let ends = used.map(|attempt| (attempt.ending != Ending::Failed, attempt.class));
    let whole = attempts.is_none().then_some((failure.is_none(), failure));
    for (is_served, class) in ends.chain(whole) {
        match class {
            _ if is_served => return Verdict::Served,
            Some(ErrorClass::LoginRequired) if !is_guest => verdict = Verdict::LoggedOut,
            Some(class) if is_wary(class) && verdict != Verdict::LoggedOut => verdict = Verdict::Wary(class),
            _ => {}
        }
    }
    verdict
}

/// Whether a failure means that the platform takes this visitor for a robot.
fn is_wary(class: ErrorClass) -> bool {
    use ErrorClass::{Blocked, Captcha, RateLimited, SignatureRejected};
    matches!(class, Captcha | Blocked | RateLimited | SignatureRejected)
}

/// The health after that. Who is not taken for logged in may just have met a post for fewer eyes: only the second time in
/// a row, with a rest between them, ends in a refusal.
pub(super) fn after(health: &Health, verdict: Verdict, now: DateTime<Utc>) -> Health {
    let failures = health.failures.saturating_add(1);
    let is_known = health.last_error.as_deref() == Some(ErrorClass::LoginRequired.as_str());
    let resting = |class: ErrorClass| {
        let rest = FIRST_REST.saturating_mul(1 << (failures - 1).min(20)).min(LONGEST_REST);
        Health {
            state: IdentityState::Resting,
            cool_until: Some(now + TimeDelta::seconds(rest)),
            failures,
            last_error: Some(class.as_str().to_owned()),
        }
    };
    match verdict {
        Verdict::Nothing => health.clone(),
        Verdict::Served => Health::default(),
        Verdict::Wary(class) => resting(class),
        Verdict::LoggedOut if !is_known || health.state_at(now) == IdentityState::Resting => {
            resting(ErrorClass::LoginRequired)
        }
        Verdict::LoggedOut => Health {
            state: IdentityState::Refused,
            cool_until: None,
            failures,
            last_error: Some(ErrorClass::LoginRequired.as_str().to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn identity(id: &str, used: Option<i64>, state: IdentityState, cool_until: Option<i64>) -> Identity {
        Identity {
            id: id.to_owned(),
            platform: "douyin".to_owned(),
            name: id.to_owned(),
            user_agent: String::new(),
            health: Health { state, cool_until: cool_until.map(at), ..Health::default() },
            last_used_at: used.map(at),
            created_at: at(0),
        }
    }

    #[test]
    fn the_ready_one_that_has_waited_longest_goes_next() {
        use IdentityState::{Ready, Refused, Resting};
        let all = [
            identity("refused", None, Refused, None),
            identity("resting", None, Resting, Some(101)),
            identity("rested", Some(50), Resting, Some(100)),
            identity("late", Some(60), Ready, None),
            identity("early", Some(40), Ready, None),
            identity("new", None, Ready, None),
        ];
        let mut busy = HashSet::new();
        for expected in ["new", "early", "rested", "late"] {
            let Next::Take(one) = next(&all, &busy, at(100)) else { panic!("{expected}") };
            assert_eq!(one.id, expected);
            busy.insert(one.id.clone());
        }
        assert_eq!(next(&all, &busy, at(100)), Next::Wait);
        assert_eq!(next(&all[..2], &busy, at(100)), Next::Nobody);
    }

    #[test]
    fn rests_double_up_to_six_hours_and_success_ends_them() {
        let mut health = Health::default();
        let mut rests = Vec::new();
        for _ in 0..40 {
            health = after(&health, Verdict::Wary(ErrorClass::Captcha), at(0));
            assert_eq!(health.state_at(at(0)), IdentityState::Resting);
            rests.push(health.cool_until.unwrap().timestamp());
        }
        assert_eq!(rests[..4], [60, 120, 240, 480]);
        assert_eq!((rests[8], rests[9], rests[39]), (15_360, 21_600, 21_600));
        assert_eq!((health.failures, health.last_error.as_deref()), (40, Some("captcha")));
        assert_eq!(after(&health, Verdict::Nothing, at(0)), health);
        assert_eq!(after(&health, Verdict::Served, at(0)), Health::default());
        let doubted = after(&Health::default(), Verdict::LoggedOut, at(0));
        assert_eq!((doubted.state, doubted.cool_until), (IdentityState::Resting, Some(at(60))));
        assert_eq!(after(&doubted, Verdict::LoggedOut, at(59)).state, IdentityState::Resting, "the same link again");
        let other = after(&doubted, Verdict::Wary(ErrorClass::Captcha), at(60));
        assert_eq!(after(&other, Verdict::LoggedOut, at(9_999)).state, IdentityState::Resting, "not in a row");
        let refused = after(&doubted, Verdict::LoggedOut, at(60));
        assert_eq!(refused.state_at(at(i64::from(i32::MAX))), IdentityState::Refused);
    }

    #[test]
    fn only_attempts_with_the_identity_count() {
        use ErrorClass::{Blocked, Captcha, LoginRequired, NotFound, Transport};
        let attempt = |identity, ending, class| Attempt {
            strategy: "x".to_owned(),
            ending,
            class,
            message: None,
            ms: 0,
            identity,
        };
        let failed = |identity, class| attempt(identity, Ending::Failed, Some(class));
        for (attempts, expected) in [
            (vec![failed(false, Captcha), failed(true, Blocked)], Verdict::Wary(Blocked)),
            (vec![failed(true, Captcha), attempt(true, Ending::Found, None)], Verdict::Served),
            (vec![failed(true, Captcha), attempt(false, Ending::Found, None)], Verdict::Wary(Captcha)),
            (vec![attempt(true, Ending::Answer, Some(NotFound))], Verdict::Served),
            (vec![failed(true, LoginRequired), failed(true, Captcha)], Verdict::LoggedOut),
            (vec![failed(true, Transport)], Verdict::Nothing),
            (vec![failed(false, LoginRequired)], Verdict::Nothing),
            // A short link that led nowhere: the identity has not been anywhere.
            (vec![], Verdict::Nothing),
        ] {
            assert_eq!(judge(Some(&attempts), Some(Blocked), false), expected, "{attempts:?}");
        }
        assert_eq!(judge(None, None, false), Verdict::Served);
        assert_eq!(judge(None, Some(Captcha), true), Verdict::Wary(Captcha));
        assert_eq!(judge(None, Some(NotFound), false), Verdict::Nothing);
        assert_eq!(judge(None, Some(LoginRequired), false), Verdict::LoggedOut);
        assert_eq!(judge(None, Some(LoginRequired), true), Verdict::Nothing, "a guest");
    }
}
