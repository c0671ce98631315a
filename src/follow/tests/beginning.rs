//! Beginning to follow.

use super::*;
use crate::{domain::SourceState, follow::create::Backfill};

fn three() -> Stub {
    Stub::of(["pin-1", "5", "gone-4", "3", "2"].map(post).to_vec(), 3)
}

#[tokio::test]
async fn the_first_page_becomes_tasks_unless_nothing_or_more_is_wanted() {
    for (backfill, pages, new, skipped) in [
        (Backfill::Page, 1, &["p1", "p5"][..], 0),
        (Backfill::None, 1, &[], 2),
        (Backfill::Newest(1), 2, &["p5"], 1),
        (Backfill::Newest(3), 2, &["p2", "p3", "p5"], 1),
        (Backfill::Newest(3), 1, &["p1", "p5"], 0),
        (Backfill::Newest(9), 2, &["p1", "p2", "p3", "p5"], 0),
    ] {
        let bench = Bench::new(three()).await;
        let (source, polled) = bench.start(backfill, pages).await;
        assert_eq!(bench.links(&polled.tasks).await, new, "{backfill:?}");
        assert_eq!((polled.skipped, polled.unavailable, polled.error), (skipped, 1, None), "{backfill:?}");
        assert_eq!((source.title.as_str(), source.state, source.failures), ("The list", SourceState::Active, 0));
        assert_eq!(source.last_new_at.is_some(), !new.is_empty());
        let first = bench.new_in(&source).await;
        assert_eq!(first, Vec::<String>::new(), "{backfill:?}: what is old is new");
        bench.list.show(["pin-1", "6", "5", "gone-4", "3", "2"].map(post).to_vec());
        assert_eq!(bench.new_in(&source).await, ["p6"], "{backfill:?}");
    }
}

#[tokio::test]
async fn the_tasks_are_as_wished() {
    let bench = Bench::new(three()).await;
    let mut start = start(Backfill::Newest(1));
    start.link = "看这里 https://example.com/list#top".to_owned();
    start.title = Some("Mine".to_owned());
    start.wishes.options.insert("language".to_owned(), "en".into());
    start.wishes.callback_url = Some("https://example.com/hook".to_owned());
    let (source, polled) = bench.follow.create(start).await.unwrap();
    assert_eq!(source.title, "Mine");
    let task = bench.queue.store().task(polled.tasks[0]).await.unwrap().unwrap();
    assert_eq!((task.priority, task.options["language"].as_str()), (Priority::Low, Some("en")));
    assert_eq!(task.callback_url.as_deref(), Some("https://example.com/hook"));
    let steps = bench.queue.store().steps_of(task.id).await.unwrap();
    assert_eq!(steps.len(), 4);
}

#[tokio::test]
async fn whole_podcasts_are_not_taken_by_accident() {
    let days: Vec<_> = (1..=130).rev().map(|day| post(&day.to_string())).collect();
    let bench = Bench::new(Stub::of(days, 200)).await;
    let (source, polled) = bench.start(Backfill::Page, 1).await;
    let links = bench.links(&polled.tasks).await;
    assert_eq!((links.len(), polled.skipped), (Backfill::PAGE, 30));
    assert_eq!((links[0].as_str(), links[99].as_str()), ("p31", "p130"));
    assert_eq!(bench.queue.store().count_items(source.id).await.unwrap(), 130);
}

#[tokio::test]
async fn what_cannot_be_followed_leaves_nothing_behind() {
    let bench = Bench::new(three()).await;
    let refuse = async |change: fn(&mut Start)| {
        let mut start = start(Backfill::Page);
        change(&mut start);
        bench.follow.create(start).await.unwrap_err()
    };
    assert_eq!(refuse(|start| start.link = "nothing".to_owned()).await.code, Code::InvalidLink);
    assert_eq!(refuse(|start| start.wishes.workflow = "x".to_owned()).await.code, Code::UnknownWorkflow);
    assert_eq!(refuse(|start| start.link = "http://10.0.0.1/list".to_owned()).await.code, Code::AddressRefused);
    assert_eq!(refuse(|start| start.pages = 21).await.field.as_deref(), Some("pages"));
    assert!(bench.list.asked.lock().unwrap().is_empty(), "the site was asked in vain");
    *bench.list.fails.lock().unwrap() = Some((0, || Error::new(Code::NoMediaFound, "This link is not a list")));
    assert_eq!(refuse(|_| ()).await.code, Code::NoMediaFound);
    *bench.list.fails.lock().unwrap() = None;
    assert_eq!(bench.queue.store().sources(None, 9, None).await.unwrap().total, 0);
    // The same list twice, one after the other and at the same time.
    let (one, other) =
        tokio::join!(bench.follow.create(start(Backfill::Page)), bench.follow.create(start(Backfill::Page)));
    let (made, refused) = match (one, other) {
        (Ok((source, _)), Err(error)) | (Err(error), Ok((source, _))) => (source, error),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused.code, Code::Conflict);
    assert!(refused.detail.contains(&made.id.to_string()) && refused.hint.contains("/api/sources/"), "{refused:?}");
    assert_eq!(refuse(|_| ()).await.code, Code::Conflict);
    assert_eq!(bench.queue.store().open_tasks().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_list_that_breaks_off_at_the_beginning_is_followed_all_the_same() {
    let bench = Bench::new(three()).await;
    *bench.list.fails.lock().unwrap() = Some((1, || Error::new(Code::SourceBlocked, "Page 2 is withheld")));
    let (source, polled) = bench.start(Backfill::Newest(4), 2).await;
    assert_eq!(bench.links(&polled.tasks).await, ["p1", "p5"]);
    assert_eq!((polled.error.unwrap().code.as_str(), source.failures), ("source_blocked", 1));
    assert_eq!(source.horizon, None);
    // The next poll goes on where this one broke off.
    *bench.list.fails.lock().unwrap() = None;
    assert_eq!(bench.new_in(&source).await, ["p2", "p3"]);
    assert_eq!(bench.new_in(&source).await, Vec::<String>::new());
}
