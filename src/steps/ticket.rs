//! What was resolved, for the step that fetches it.
//!
//! Links to media are tickets: they open for minutes or hours, some of them only together with a cookie. What a step puts
//! out is stored, and workflows send it anywhere, so it holds no cookies; they stay in memory. A ticket that has lost them
//! (the daemon was started anew) is as stale as one whose time is over.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use crawlers::{Attempt, Candidate, Resolved, Sound, Subtitle};
use serde::Deserialize;

use crate::{
    crawl::is_hidden,
    domain::{MediaId, TaskId},
};

/// Nothing is known of most links' ends, so none is trusted for longer.
const FRESH: TimeDelta = TimeDelta::minutes(10);

/// What is used of a resolved link.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Ticket {
    /// What was asked for.
    pub link: Option<String>,
    /// When; none for what a workflow has made itself.
    pub resolved_at: Option<DateTime<Utc>>,
    pub duration_ms: Option<u64>,
    pub candidates: Vec<Candidate>,
    pub sound: Option<Sound>,
    pub silent: Option<String>,
    pub may_be_silent: bool,
    pub subtitles: Vec<Subtitle>,
    pub warnings: Vec<String>,
    pub attempts: Vec<Attempt>,
    /// The id of the identity through whose proxy it was resolved: the media come the same way.
    pub identity: Option<String>,
}

impl Ticket {
    pub fn of(resolved: &Resolved, identity: Option<String>, link: &str, at: DateTime<Utc>) -> Self {
        let Resolved { duration_ms, candidates, sound, silent, may_be_silent, subtitles, warnings, attempts, .. } =
            resolved.clone();
        let (link, resolved_at) = (Some(link.to_owned()), Some(at));
        Self {
            link,
            resolved_at,
            duration_ms,
            candidates,
            sound,
            silent,
            may_be_silent,
            subtitles,
            warnings,
            attempts,
            identity,
        }
    }

    /// Whether it may be used as it is: not for longer than [`FRESH`], nor after the first of its links has expired.
    pub fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        let over = self.candidates.iter().filter_map(|candidate| candidate.expires_at).min();
        let is_young = self.resolved_at.is_none_or(|at| now < at + FRESH);
        is_young && over.is_none_or(|over| now < over) && !self.headers().flatten().any(is_hidden)
    }

    /// The ticket without headers whose values are lost.
    pub fn without_hidden(mut self) -> Self {
        let candidates = self.candidates.iter_mut().map(|candidate| &mut candidate.headers);
        let subtitles = self.subtitles.iter_mut().map(|subtitle| &mut subtitle.headers);
        candidates.chain(subtitles).for_each(|headers| headers.retain(|header| !is_hidden(header)));
        self
    }

    fn headers(&self) -> impl Iterator<Item = &Vec<(String, String)>> {
        let candidates = self.candidates.iter().map(|candidate| &candidate.headers);
        candidates.chain(self.subtitles.iter().map(|subtitle| &subtitle.headers))
    }
}

/// The tickets of this process that are fresh. Clones share them.
#[derive(Clone, Default)]
pub struct Tickets(Arc<Mutex<HashMap<(TaskId, MediaId), Ticket>>>);

impl Tickets {
    /// Keeps a ticket, and forgets those that nobody may use any more.
    pub(super) fn keep(&self, task: TaskId, media: MediaId, ticket: Ticket) {
        let now = Utc::now();
        let mut tickets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tickets.retain(|_, ticket| ticket.is_fresh(now));
        tickets.insert((task, media), ticket);
    }

    /// The newest ticket for a media of a task.
    pub(super) fn get(&self, task: TaskId, media: MediaId) -> Option<Ticket> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(task, media)).cloned()
    }

    /// Forgets a ticket that was used.
    pub(super) fn forget(&self, task: TaskId, media: MediaId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&(task, media));
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    #[test]
    fn a_ticket_has_its_time() {
        let now = Utc::now();
        let at = |minutes| Some(now + TimeDelta::minutes(minutes));
        let candidate = |expires_at| Candidate { expires_at, ..Candidate::file(Url::parse("http://a/").unwrap()) };
        let ticket = |resolved_at, expiries: &[Option<DateTime<Utc>>]| Ticket {
            resolved_at,
            candidates: expiries.iter().map(|at| candidate(*at)).collect(),
            ..Ticket::default()
        };
        for (resolved_at, expiries, expected) in [
            (None, &[None][..], true),
            (at(-9), &[None, at(1)], true),
            (at(-11), &[None], false),
            (at(-1), &[None, at(-1), at(5)], false),
            (None, &[at(-1)], false),
        ] {
            assert_eq!(ticket(resolved_at, expiries).is_fresh(now), expected, "{resolved_at:?} {expiries:?}");
        }
        let mut hidden = ticket(None, &[None]);
        hidden.candidates[0].headers = vec![("Cookie".into(), "(hidden)".into()), ("Referer".into(), "r".into())];
        assert!(!hidden.is_fresh(now));
        let bare = hidden.without_hidden();
        assert!(bare.is_fresh(now) && bare.candidates[0].headers.len() == 1);
    }

    #[test]
    fn only_fresh_tickets_are_kept() {
        let (tickets, now) = (Tickets::default(), Utc::now());
        let ticket = |at| Ticket { resolved_at: Some(at), ..Ticket::default() };
        tickets.keep(TaskId(1), MediaId(1), ticket(now - FRESH));
        tickets.keep(TaskId(2), MediaId(1), ticket(now));
        tickets.keep(TaskId(3), MediaId(1), ticket(now));
        tickets.forget(TaskId(3), MediaId(1));
        let kept = [1, 2, 3].map(|task| tickets.get(TaskId(task), MediaId(1)).is_some());
        assert_eq!(kept, [false, true, false]);
    }
}
