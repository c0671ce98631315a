//! `resolve` with `expand`: the posts of an account, a playlist or a feed.
//!
//! With `new_only` each post is shown once in a workflow, whatever becomes of the task: it is marked as seen in the
//! transaction in which the step succeeds. What does not fit into `limit` is shown the next time.

use crawlers::Item;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    crawl::{
        Lists, Named,
        lists::{self, Key, Known, Read, Wanted, key},
    },
    domain::source::MAX_PAGES,
    error::{Code, Error, Result},
    queue::{Done, Seen},
    steps::{Job, Outcome, stopped},
    workflow::kinds::resolve::With,
};

/// How many posts are shown, unless the step says otherwise.
const USUAL: u32 = 50;
/// The most posts that one step shows.
const MOST: u32 = 1_000;

pub(super) async fn run(job: &Job<'_>, with: &With) -> Result<Outcome> {
    let limit = with.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        let detail = format!("The field \"limit\" of the step must be 1 to {MOST}");
        return Err(Error::new(Code::InvalidWorkflow, detail).with_field("limit"));
    }
    let named = job.services.crawl.name(&with.link)?;
    let list = list_key(&job.task.workflow, &named);
    let known = if with.new_only { Known::Seen(&list) } else { Known::Nothing };
    let enough = limit as usize;
    // One more than fits, so that it is known whether there is more.
    let wanted = Wanted { link: &named.link, known, max_pages: MAX_PAGES, enough: Some(enough + 1) };
    let mut read = tokio::select! {
        read = lists::read(&job.services.crawl as &dyn Lists, job.services.queue.store(), wanted) => read?,
        () = job.cancel.cancelled() => return Err(stopped()),
    };
    let error = match read.error.take() {
        Some(error) if read.reading.new.is_empty() => return Err(error),
        error => error,
    };
    let mut posts = std::mem::take(&mut read.reading.new);
    let more = posts.len() > enough;
    posts.truncate(enough);
    let whole = !more && error.is_none();
    let (shown, passed): (Vec<Item>, Vec<Item>) = posts.into_iter().partition(is_link);
    let output = output(&named, &read, &shown, more, error.as_ref());
    let keys = |items: &[Item]| items.iter().map(key).collect::<Vec<Key>>();
    let seen = with.new_only.then(|| Seen { list, shown: keys(&shown), passed: keys(&passed), whole });
    tracing::info!(task = %job.task.id, platform = named.platform, posts = shown.len(), more, "list read");
    Ok(Outcome::Done(Box::new(Done { output, seen, ..Done::default() })))
}

/// What is here already (`media:7`) is not a stranger's to name.
fn is_link(item: &Item) -> bool {
    item.link.starts_with("http://") || item.link.starts_with("https://")
}

/// The list as this workflow sees it: another one has its own news.
fn list_key(workflow: &str, named: &Named) -> String {
    let digest = Sha256::digest(format!("{workflow} {}", named.key));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn output(named: &Named, read: &Read, shown: &[Item], more: bool, error: Option<&Error>) -> Value {
    let items: Vec<Value> = shown
        .iter()
        .map(|item| {
            json!({
                "id": item.id, "platform": item.platform, "url": item.link, "title": item.title,
                "published_at": item.published_at, "duration_ms": item.duration_ms, "pinned": item.pinned,
            })
        })
        .collect();
    let broken = error.map(|error| format!("The list was not read to its end: {}", error.detail));
    let cut = read.reading.is_cut() && !more;
    let far = cut.then(|| format!("The list goes on behind the {MAX_PAGES} pages that were read"));
    let warnings: Vec<String> = broken.into_iter().chain(far).collect();
    json!({
        "platform": named.platform, "link": named.link, "title": read.title, "items": items, "more": more,
        "seen": read.reading.seen, "unavailable": read.reading.unavailable, "warnings": warnings,
    })
}
