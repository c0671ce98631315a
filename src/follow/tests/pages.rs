//! Which posts are new: every order, pin, deletion, repetition and interruption.

use std::collections::{HashMap, HashSet};

use crawlers::{Item, Page};
use proptest::prelude::*;

use super::post;
use crate::crawl::lists::{Key, Next, Reading, key};

fn page(names: &[&str], next: Option<&str>) -> Page {
    Page { items: names.iter().map(|name| post(name)).collect(), next: next.map(str::to_owned), ..Page::default() }
}

fn seen(names: &[&str]) -> HashMap<Key, bool> {
    names.iter().map(|name| (key(&post(name)), true)).collect()
}

fn more(cursor: &str) -> Next {
    Next::Page(cursor.to_owned())
}

fn ids(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| item.id.as_str()).collect()
}

#[test]
fn a_page_whose_last_post_is_known_is_where_the_news_ends() {
    let known = seen(&["3", "2", "1"]);
    assert_eq!(Reading::new(9).take(page(&["4", "3", "2"], Some("b")), &known), Next::End);
    assert_eq!(Reading::new(9).take(page(&["6", "5", "4"], Some("b")), &known), more("b"));
    // Pins that are known say nothing, whether they are marked or not; neither do deleted posts.
    assert_eq!(Reading::new(9).take(page(&["pin-1", "6", "5"], Some("b")), &known), more("b"));
    assert_eq!(Reading::new(9).take(page(&["1", "6", "5"], Some("b")), &known), more("b"));
    assert_eq!(Reading::new(9).take(page(&["6", "pin-1"], Some("b")), &known), more("b"));
    assert_eq!(Reading::new(9).take(page(&["pin-1", "pin-2"], Some("b")), &known), more("b"));
    assert_eq!(Reading::new(9).take(page(&["6", "2", "gone-5"], Some("b")), &known), Next::End);
    // What a poll has seen that broke off later is no end.
    let loose = known.into_keys().map(|key| (key, false)).collect();
    assert_eq!(Reading::new(9).take(page(&["4", "3", "2"], Some("b")), &loose), more("b"));
    // A list that grows at its end has its news there.
    let known = seen(&["1", "2"]);
    assert_eq!(Reading::new(9).take(page(&["1", "2"], Some("b")), &known), more("b"));
}

#[test]
fn lists_end_by_themselves_at_the_limit_and_when_they_go_round() {
    let none = HashMap::new();
    assert_eq!(Reading::new(9).take(page(&["1"], None), &none), Next::End);
    let mut reading = Reading::new(2);
    assert_eq!(reading.take(page(&["4", "3"], Some("b")), &none), more("b"));
    assert_eq!(reading.take(page(&["2", "1"], Some("c")), &none), Next::End);
    // The same page again, under another cursor or the same one.
    for cursor in ["b", "c"] {
        let mut reading = Reading::new(9);
        assert_eq!(reading.take(page(&["2", "1"], Some("b")), &none), more("b"));
        assert_eq!(reading.take(page(&["2", "1"], Some(cursor)), &none), Next::End);
        assert_eq!(ids(&reading.new), ["p2", "p1"]);
    }
    // Pins that fill a page come again in their own places.
    let mut reading = Reading::new(9);
    assert_eq!(reading.take(page(&["pin-3", "pin-2"], Some("b")), &none), more("b"));
    assert_eq!(reading.take(page(&["pin-3", "pin-2"], Some("c")), &none), more("c"));
    // Empty pages are no end, and cost no page; three in a row are.
    let mut reading = Reading::new(2);
    assert_eq!(reading.take(page(&[], Some("b")), &none), more("b"));
    assert_eq!(reading.take(page(&[], Some("c")), &none), more("c"));
    assert_eq!(reading.take(page(&["2"], Some("d")), &none), more("d"));
    assert_eq!(reading.take(page(&[], Some("e")), &none), more("e"));
    assert_eq!(reading.take(page(&["2", "1"], Some("f")), &none), Next::End);
    assert_eq!((ids(&reading.new), reading.pages), (vec!["p2", "p1"], 2));
    let mut reading = Reading::new(2);
    assert_eq!(reading.take(page(&[], Some("b")), &none), more("b"));
    assert_eq!(reading.take(page(&[], Some("c")), &none), more("c"));
    assert_eq!(reading.take(page(&[], Some("d")), &none), Next::End);
}

#[test]
fn the_oldest_comes_first() {
    let order = |items: Vec<Item>| {
        let mut reading = Reading::new(1);
        reading.take(Page { items, ..Page::default() }, &HashMap::new());
        reading.oldest_first().into_iter().map(|item| item.id).collect::<Vec<_>>()
    };
    let posts = || ["pin-1", "5", "3", "4"].map(post);
    assert_eq!(order(posts().to_vec()), ["p1", "p3", "p4", "p5"]);
    // Without dates the list's order counts, and pins are taken for old.
    let undated = posts().map(|item| Item { published_at: None, ..item });
    assert_eq!(order(undated.to_vec()), ["p1", "p4", "p3", "p5"]);
    assert_eq!(order(["1", "2", "3"].map(post).to_vec()), ["p1", "p2", "p3"]);
}

#[test]
fn ids_that_are_missing_or_endless_still_tell_posts_apart() {
    let named = |id: &str| key(&Item { id: id.to_owned(), ..post("1") }).1;
    assert_eq!(named(""), "https://example.com/p1");
    assert_eq!(named("字"), "字");
    let (one, other) = (named(&"a".repeat(300)), named(&format!("{}b", "a".repeat(300))));
    assert!(one != other && one.len() < 100 && one.starts_with("sha256:"), "{one}");
}

/// An account between polls.
#[derive(Clone, Debug)]
enum Change {
    /// So many new posts.
    Add(usize),
    /// A post is pinned, or no longer.
    Pin(prop::sample::Index),
    /// A post is deleted; the list may still name it.
    Delete(prop::sample::Index, bool),
}

/// How the list is shown to one poll.
#[derive(Clone, Debug)]
struct Showing {
    size: usize,
    /// Empty pages before each page.
    empty: usize,
    /// What comes after the last page: nothing, or that page for ever.
    goes_round: bool,
    /// Whether pinned posts stand in their own place, too.
    doubled: bool,
    /// The page that fails.
    fails: Option<usize>,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => (0..7usize).prop_map(Change::Add),
        1 => any::<prop::sample::Index>().prop_map(Change::Pin),
        1 => (any::<prop::sample::Index>(), any::<bool>()).prop_map(|(which, named)| Change::Delete(which, named)),
    ]
}

fn showing() -> impl Strategy<Value = Showing> {
    (2..6usize, 0..3usize, any::<bool>(), any::<bool>(), proptest::option::weighted(0.3, 0..5usize))
        .prop_map(|(size, empty, goes_round, doubled, fails)| Showing { size, empty, goes_round, doubled, fails })
}

/// The pages of a list, the newest post first and pinned ones before them.
fn shown(posts: &[Item], how: &Showing) -> Vec<Page> {
    let pinned = posts.iter().rev().filter(|post| post.pinned);
    let others = posts.iter().rev().filter(|post| how.doubled || !post.pinned);
    let all: Vec<Item> = pinned.chain(others).cloned().collect();
    let mut pages: Vec<Page> = Vec::new();
    for items in all.chunks(how.size) {
        pages.extend(std::iter::repeat_n(Page::default(), how.empty));
        pages.push(Page { items: items.to_vec(), ..Page::default() });
    }
    if how.goes_round {
        pages.extend(pages.last().cloned());
    }
    let last = pages.len();
    for (number, page) in (1..).zip(&mut pages) {
        page.next = (number < last || how.goes_round).then(|| number.to_string());
    }
    pages
}

/// One poll; the new posts, and whether it came to its end.
fn poll(posts: &[Item], how: &Showing, known: &mut HashMap<Key, bool>) -> (Vec<Item>, bool) {
    let pages = shown(posts, how);
    let mut reading = Reading::new(100);
    let mut ended = pages.is_empty();
    for (number, page) in pages.into_iter().enumerate() {
        if how.fails == Some(number) {
            break;
        }
        if reading.take(page, known) == Next::End {
            ended = true;
            break;
        }
    }
    let new = reading.oldest_first();
    known.extend(new.iter().map(|item| (key(item), false)));
    if ended {
        known.values_mut().for_each(|anchored| *anchored = true);
    }
    (new, ended)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_post_is_new_exactly_once(rounds in prop::collection::vec((prop::collection::vec(change(), 0..5), showing()), 1..7)) {
        let (mut posts, mut known, mut taken) = (Vec::<Item>::new(), HashMap::new(), HashSet::new());
        for (changes, how) in rounds {
            for change in changes {
                match change {
                    Change::Add(count) => {
                        for _ in 0..count {
                            posts.push(post(&(posts.len() + 1).to_string()));
                        }
                    }
                    Change::Pin(which) if !posts.is_empty() => {
                        let one = which.index(posts.len());
                        posts[one].pinned ^= true;
                    }
                    Change::Delete(which, true) if !posts.is_empty() => {
                        let one = which.index(posts.len());
                        posts[one].available = false;
                    }
                    Change::Delete(which, false) if !posts.is_empty() => {
                        // Its number is not given again.
                        let one = which.index(posts.len());
                        posts[one].available = false;
                        posts[one].title = "unnamed".to_owned();
                    }
                    _ => {}
                }
            }
            let named: Vec<Item> = posts.iter().filter(|post| post.title != "unnamed").cloned().collect();
            let (new, ended) = poll(&named, &how, &mut known);
            prop_assert!(new.is_sorted_by_key(|item| item.published_at));
            for item in new {
                prop_assert!(item.available, "{} is deleted", item.id);
                prop_assert!(taken.insert(item.id.clone()), "{} is new twice", item.id);
            }
            if ended {
                for post in posts.iter().filter(|post| post.available) {
                    prop_assert!(taken.contains(&post.id), "{} was missed", post.id);
                }
            }
        }
    }

    #[test]
    fn whatever_a_site_shows_the_reading_ends(
        pages in prop::collection::vec((prop::collection::vec("(pin-|gone-)?[1-9]", 0..4), prop::option::of("[ab]{1,2}")), 1..60),
        known in prop::collection::vec("[1-9]", 0..9),
        max_pages in 1..6u32,
    ) {
        let known = seen(&known.iter().map(String::as_str).collect::<Vec<_>>());
        let mut reading = Reading::new(max_pages);
        let mut requests = 0;
        for (names, next) in pages.iter().cycle() {
            requests += 1;
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            if reading.take(page(&names, next.as_deref()), &known) == Next::End {
                break;
            }
        }
        prop_assert!(requests <= (max_pages + 1) * 3);
        let new = reading.oldest_first();
        let unique: HashSet<_> = new.iter().map(key).collect();
        prop_assert_eq!(unique.len(), new.len());
        prop_assert!(new.iter().all(|item| item.available && !known.contains_key(&key(item))));
    }
}
