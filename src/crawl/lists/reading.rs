//! Which posts of a list are new, and how far it has to be read to know. Pure.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use crawlers::{Item, Page};
use sha2::{Digest, Sha256};

/// After so many pages in a row with nothing on them the list has ended, whatever it says.
const MAX_EMPTY: u32 = 3;
/// Longer ids are replaced by their hash.
const MAX_ID: usize = 255;

/// What tells a post from every other one of a source: its platform and its id there.
pub(crate) type Key = (String, String);

/// How a post is told from the others.
pub(crate) fn key(item: &Item) -> Key {
    let id = if item.id.is_empty() { &item.link } else { &item.id };
    let id = match id.chars().count() {
        0..=MAX_ID => id.clone(),
        _ => {
            let hash: String = Sha256::digest(id).iter().map(|byte| format!("{byte:02x}")).collect();
            format!("sha256:{hash}")
        }
    };
    (item.platform.clone(), id)
}

/// What comes after a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// Another page is to be asked for.
    Page(String),
    /// The list was read as far as it has to be.
    End,
}

/// A list while it is read.
#[derive(Debug)]
pub(crate) struct Reading {
    max_pages: u32,
    /// Pages with posts on them.
    pub pages: u32,
    empty: u32,
    cursors: HashSet<String>,
    shown: HashSet<Vec<Key>>,
    read: HashSet<Key>,
    oldest_first: bool,
    newest_first: bool,
    oldest: Option<DateTime<Utc>>,
    more: bool,
    cut: bool,
    /// Posts that were not seen before and are there, in the list's order.
    pub new: Vec<Item>,
    /// Posts that were seen before.
    pub seen: u64,
    /// Posts that are named but gone.
    pub unavailable: u64,
}

impl Reading {
    /// Reads at most so many pages.
    pub fn new(max_pages: u32) -> Self {
        Self {
            max_pages,
            pages: 0,
            empty: 0,
            cursors: HashSet::new(),
            shown: HashSet::new(),
            read: HashSet::new(),
            oldest_first: false,
            newest_first: false,
            oldest: None,
            more: false,
            cut: false,
            new: Vec::new(),
            seen: 0,
            unavailable: 0,
        }
    }

    /// Takes the next page. `seen` holds what earlier polls have seen of it, and whether each of those is anchored: whether
    /// the poll that saw it knew everything behind it, too.
    ///
    /// In a list with the newest posts first, a page whose last post is anchored is where the news ends. Pinned posts stand
    /// anywhere and deleted ones were never seen: they say nothing about that.
    pub fn take(&mut self, page: Page, seen: &HashMap<Key, bool>) -> Next {
        self.oldest_first |= is_sorted(&page.items, |earlier, later| earlier < later);
        self.newest_first |= is_sorted(&page.items, |earlier, later| earlier > later);
        let standing = || page.items.iter().filter(|item| item.available && !item.pinned);
        let is_known = standing().next_back().is_some_and(|last| seen.get(&key(last)) == Some(&true));
        let oldest = standing().filter_map(|item| item.published_at).min();
        self.oldest = self.oldest.into_iter().chain(oldest).min();
        self.more = page.next.is_some();
        let is_empty = page.items.is_empty();
        // Pinned posts may fill a page at the top and stand in their own places once more.
        let is_plain = page.items.iter().any(|item| !item.pinned);
        let is_repeated = is_plain && !self.shown.insert(page.items.iter().map(key).collect());
        for item in page.items {
            let key = key(&item);
            if !self.read.insert(key.clone()) {
                continue;
            }
            if !item.available {
                self.unavailable += 1;
            } else if seen.contains_key(&key) {
                self.seen += 1;
            } else {
                self.new.push(item);
            }
        }
        if is_empty {
            self.empty += 1;
        } else {
            self.empty = 0;
            self.pages += 1;
        }
        let is_all = is_repeated || self.empty >= MAX_EMPTY || (is_known && !self.oldest_first);
        self.cut = self.pages >= self.max_pages && self.more && !is_all;
        let ends = is_all || self.pages >= self.max_pages;
        match page.next {
            Some(cursor) if !ends && self.cursors.insert(cursor.clone()) => Next::Page(cursor),
            _ => Next::End,
        }
    }

    /// Where the news began: posts with an earlier date stand behind what was read, or come up in a feed that shows a
    /// window of its posts when others are deleted. None when nothing can be told: in a list that was read to its end and
    /// whose dates do not run from new to old, earlier dates may be news.
    pub fn horizon(&self) -> Option<DateTime<Utc>> {
        self.oldest.filter(|_| (self.more || self.newest_first) && !self.oldest_first)
    }

    /// Whether the reading ended at its last page although the list goes on with what may be news.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// The new posts, the oldest first: by their dates where all have one, else against the list's order, with pinned
    /// posts before all others.
    pub fn oldest_first(&mut self) -> Vec<Item> {
        let mut new = std::mem::take(&mut self.new);
        if !self.oldest_first {
            new.reverse();
        }
        if new.iter().all(|item| item.published_at.is_some()) {
            new.sort_by_key(|item| item.published_at);
        } else {
            new.sort_by_key(|item| !item.pinned);
        }
        new
    }
}

/// Whether a page's dates tell in which order the list stands: whether each is before, by `is_before`, what follows it,
/// or the same. Playlists grow at their end, accounts and feeds at their beginning.
fn is_sorted(items: &[Item], is_before: fn(DateTime<Utc>, DateTime<Utc>) -> bool) -> bool {
    let dates: Option<Vec<_>> = items.iter().filter(|item| !item.pinned).map(|item| item.published_at).collect();
    let Some(dates) = dates else { return false };
    let ends = dates.first().zip(dates.last());
    dates.is_sorted_by(|earlier, later| earlier == later || is_before(*earlier, *later))
        && ends.is_some_and(|(first, last)| is_before(*first, *last))
}
