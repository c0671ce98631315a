//! Looking again and again.

use super::*;
use crate::{domain::SourceState, store::Store};

fn shown(names: &[&str]) -> Vec<crawlers::Item> {
    names.iter().map(|name| post(name)).collect()
}

async fn followed(names: &[&str], size: usize, pages: u32) -> (Bench, Source) {
    let bench = Bench::new(Stub::of(shown(names), size)).await;
    let (source, _) = bench.start(Backfill::None, pages).await;
    (bench, source)
}

async fn source(store: &Store, id: SourceId) -> Source {
    store.source(id).await.unwrap().unwrap()
}

#[tokio::test]
async fn three_pages_with_pins_and_deletions_give_each_post_once_over_three_polls() {
    let (bench, source) = followed(&["pin-2", "5", "4", "3", "1"], 3, 3).await;
    bench.list.show(shown(&["pin-2", "pin-7", "9", "8", "gone-6", "5", "4", "3"]));
    // 3 stands behind what was known from the beginning: it is not new.
    assert_eq!(bench.new_in(&source).await, ["p7", "p8", "p9"]);
    bench.list.show(shown(&["pin-2", "9", "11", "10", "8", "7", "5", "4", "3"]));
    assert_eq!(bench.new_in(&source).await, ["p10", "p11"]);
    let tasks = bench.queue.store().open_tasks().await.unwrap();
    let tx = bench.queue.store().begin().await.unwrap();
    for task in tasks {
        tx.delete_task(task).await.unwrap();
    }
    tx.commit().await.unwrap();
    bench.list.show(shown(&["12", "11", "pin-2", "10", "9", "8", "7", "4", "3"]));
    assert_eq!(bench.new_in(&source).await, ["p12"]);
    let items = bench.queue.store().source_items(source.id, 3, None).await.unwrap();
    let ids: Vec<_> = items.items.iter().map(|item| (item.item_id.as_str(), item.status.is_some())).collect();
    assert_eq!((ids, items.total), (vec![("p12", true), ("p11", false), ("p10", false)], 10));
    let next = bench.queue.store().source_items(source.id, 200, items.next).await.unwrap();
    assert_eq!((next.items.len(), next.next), (7, None));
    assert_eq!(next.items.last().unwrap().task_id, None);
}

#[tokio::test]
async fn a_poll_that_breaks_off_hides_nothing() {
    let (bench, followed) = followed(&["1"], 2, 9).await;
    *bench.list.etag.lock().unwrap() = Some("v1".to_owned());
    bench.list.show(shown(&["6", "5", "4", "3", "2", "1"]));
    *bench.list.fails.lock().unwrap() = Some((1, || Error::new(Code::RateLimited, "Slowly")));
    let polled = bench.follow.poll(followed.id).await.unwrap();
    assert_eq!(bench.links(&polled.tasks).await, ["p5", "p6"]);
    assert_eq!(polled.error.as_ref().unwrap().code, "rate_limited");
    let now = source(bench.queue.store(), followed.id).await;
    assert_eq!((now.failures, now.last_error, now.etag), (1, polled.error, None));
    // Even on page two again.
    assert_eq!(bench.follow.poll(followed.id).await.unwrap().tasks, []);
    assert_eq!(source(bench.queue.store(), followed.id).await.failures, 2);
    *bench.list.fails.lock().unwrap() = None;
    bench.list.show(shown(&["7", "6", "5", "4", "3", "2", "1"]));
    assert_eq!(bench.new_in(&followed).await, ["p2", "p3", "p4", "p7"]);
    let now = source(bench.queue.store(), followed.id).await;
    assert_eq!((now.failures, now.last_error, now.etag.as_deref()), (0, None, Some("v1")));
    // And from then on the first page is enough.
    *bench.list.etag.lock().unwrap() = None;
    bench.list.asked.lock().unwrap().clear();
    assert_eq!(bench.new_in(&followed).await, Vec::<String>::new());
    assert_eq!(bench.list.asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_list_that_has_not_changed_is_not_read() {
    let list = Stub::of(shown(&["2", "1"]), 3);
    *list.etag.lock().unwrap() = Some("v1".to_owned());
    let bench = Bench::new(list).await;
    let (source, _) = bench.start(Backfill::Page, 1).await;
    for _ in 0..2 {
        let polled = bench.follow.poll(source.id).await.unwrap();
        assert!(polled.not_modified && polled.tasks.is_empty() && polled.error.is_none());
        assert_eq!(bench.list.asked.lock().unwrap().last().unwrap().etag.as_deref(), Some("v1"));
    }
    bench.list.show(shown(&["3", "2", "1"]));
    *bench.list.etag.lock().unwrap() = Some("v2".to_owned());
    assert_eq!(bench.new_in(&source).await, ["p3"]);
}

#[tokio::test]
async fn a_list_that_leads_back_to_its_beginning_was_read() {
    let (bench, source) = followed(&["1"], 2, 9).await;
    bench.list.show(shown(&["4", "3", "2", "1"]));
    let going_round = || {
        let class = crawlers::ErrorClass::PagingLoop;
        crate::crawl::told(crawlers::CrawlError::new(class, "The list goes round."))
    };
    *bench.list.fails.lock().unwrap() = Some((1, going_round));
    let polled = bench.follow.poll(source.id).await.unwrap();
    assert_eq!((bench.links(&polled.tasks).await, polled.error), (vec!["p3".to_owned(), "p4".to_owned()], None));
    *bench.list.fails.lock().unwrap() = Some((0, going_round));
    assert_eq!(bench.follow.poll(source.id).await.unwrap().error.unwrap().code, "no_media_found");
}

#[tokio::test]
async fn one_poll_at_a_time_and_one_that_is_given_up_leaves_nothing() {
    let (bench, source) = followed(&["1"], 3, 1).await;
    bench.list.show(shown(&["2", "1"]));
    bench.list.gate.send_replace(false);
    let mut waiting = bench.list.waiting.subscribe();
    let before = *waiting.borrow_and_update();
    let (follow, id) = (bench.follow.clone(), source.id);
    let first = tokio::spawn(async move { follow.poll(id).await });
    waiting.wait_for(|count| *count > before).await.unwrap();
    assert_eq!(bench.follow.poll(source.id).await.unwrap_err().code, Code::Conflict);
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    bench.list.gate.send_replace(true);
    assert_eq!(bench.new_in(&source).await, ["p2"]);
    assert_eq!(bench.new_in(&source).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_post_that_cannot_be_fetched_is_noted_and_keeps_no_other() {
    let (bench, source) = followed(&["1"], 9, 1).await;
    let link = |name: &str, link: &str| crawlers::Item { link: link.to_owned(), ..post(name) };
    let strange = [link("2", "http://127.0.0.1/a"), link("3", "media:1"), link("4", "upload:x"), post("5")];
    bench.list.show(strange.to_vec());
    let polled = bench.follow.poll(source.id).await.unwrap();
    assert_eq!((bench.links(&polled.tasks).await, polled.skipped), (vec!["p5".to_owned()], 3));
    assert_eq!(bench.new_in(&source).await, Vec::<String>::new());
    let items = bench.queue.store().source_items(source.id, 9, None).await.unwrap().items;
    let codes: Vec<_> = items.iter().map(|item| item.error.as_ref().map_or("", |error| error.code.as_str())).collect();
    assert_eq!(codes, ["", "invalid_link", "invalid_link", "address_refused", ""]);
}

#[tokio::test]
async fn wishes_that_do_not_hold_any_more_lose_no_post() {
    let bench = Bench::new(Stub::of(shown(&["1"]), 9)).await;
    bench.save_workflow("other").await;
    let (source, _) = bench.start(Backfill::None, 1).await;
    let unknown = |source: &mut Source| source.wishes.workflow = "unheard-of".to_owned();
    assert_eq!(bench.follow.change(source.id, unknown).await.unwrap_err().code, Code::UnknownWorkflow);
    // As when a newer version does not know what an older one has stored.
    let tx = bench.queue.store().begin().await.unwrap();
    let mut stale = source.clone();
    unknown(&mut stale);
    tx.change_source(&stale).await.unwrap();
    tx.commit().await.unwrap();
    bench.list.show(shown(&["2", "1"]));
    let polled = bench.follow.poll(source.id).await.unwrap();
    assert_eq!((polled.tasks.len(), polled.error.unwrap().code.as_str()), (0, "unknown_workflow"));
    let change = |source: &mut Source| {
        source.wishes.workflow = "other".to_owned();
        source.state = SourceState::Paused;
    };
    assert_eq!(bench.follow.change(source.id, change).await.unwrap().state, SourceState::Paused);
    // Paused or not: who asks for it gets it.
    assert_eq!(bench.new_in(&source).await, ["p2"]);
}

#[tokio::test]
async fn a_source_that_is_deleted_meanwhile_makes_no_tasks() {
    let (bench, source) = followed(&["1"], 3, 1).await;
    bench.list.show(shown(&["2", "1"]));
    bench.list.gate.send_replace(false);
    let mut waiting = bench.list.waiting.subscribe();
    let before = *waiting.borrow_and_update();
    let (follow, id) = (bench.follow.clone(), source.id);
    let poll = tokio::spawn(async move { follow.poll(id).await });
    waiting.wait_for(|count| *count > before).await.unwrap();
    bench.follow.delete(source.id).await.unwrap();
    bench.list.gate.send_replace(true);
    assert_eq!(poll.await.unwrap().unwrap_err().code, Code::NotFound);
    assert_eq!(bench.queue.store().open_tasks().await.unwrap(), []);
    assert_eq!(bench.follow.delete(source.id).await.unwrap_err().code, Code::NotFound);
    assert_eq!(bench.queue.store().count_items(source.id).await.unwrap(), 0);
    // What was seen is forgotten with it.
    let (_, polled) = bench.start(Backfill::Page, 1).await;
    assert_eq!(bench.links(&polled.tasks).await, ["p1", "p2"]);
}

#[tokio::test]
async fn a_feed_that_shows_a_window_makes_no_old_post_new() {
    let (bench, source) = followed(&["5", "4", "3"], 9, 1).await;
    bench.list.show(shown(&["6", "5", "3", "2"]));
    assert_eq!(bench.new_in(&source).await, ["p6"]);
}

#[tokio::test]
async fn a_flood_makes_a_hundred_tasks_and_is_told() {
    let (bench, followed) = followed(&["1"], 500, 1).await;
    let days: Vec<String> = (1..=131).rev().map(|day| day.to_string()).collect();
    bench.list.show(days.iter().map(|day| post(day)).collect());
    let polled = bench.follow.poll(followed.id).await.unwrap();
    let links = bench.links(&polled.tasks).await;
    assert_eq!((links.len(), links[0].as_str(), polled.skipped), (100, "p32", 30));
    let warning = polled.warning.unwrap();
    assert!(warning.detail.starts_with("30 new posts"), "{}", warning.detail);
    let now = source(bench.queue.store(), followed.id).await;
    assert_eq!((now.failures, now.last_error), (0, Some(warning)));
    assert_eq!(bench.follow.poll(followed.id).await.unwrap().warning, None);
    assert_eq!(source(bench.queue.store(), followed.id).await.last_error, None);
}

#[tokio::test]
async fn what_stands_behind_the_last_page_is_told() {
    let (bench, source) = followed(&["1"], 2, 1).await;
    bench.list.show(shown(&["5", "4", "3", "2", "1"]));
    let polled = bench.follow.poll(source.id).await.unwrap();
    assert_eq!((polled.tasks.len(), polled.error), (2, None));
    assert!(polled.warning.unwrap().detail.contains("behind the 1 pages"));
    bench.list.show(shown(&["6", "5", "4", "3", "2", "1"]));
    assert_eq!(bench.follow.poll(source.id).await.unwrap().warning, None);
}

#[tokio::test]
async fn two_changes_at_the_same_time_both_hold() {
    let (bench, source) = followed(&["1"], 2, 1).await;
    let (rename, pause) = tokio::join!(
        bench.follow.change(source.id, |source| source.title = "Other".to_owned()),
        bench.follow.change(source.id, |source| source.state = SourceState::Paused),
    );
    rename.unwrap();
    pause.unwrap();
    let now = self::source(bench.queue.store(), source.id).await;
    assert_eq!((now.title.as_str(), now.state), ("Other", SourceState::Paused));
}
