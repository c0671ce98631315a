//! Links and pages that yt-dlp knows more about than a page reader.

use std::time::Instant;

use url::Url;

use super::html::on;
use crate::{
    CrawlError, Ending, ErrorClass, Resolved, Visit,
    chain::attempt,
    ytdlp::{self, NAME},
};

/// Whether a link is one of those that go to yt-dlp without looking at the page.
pub(super) fn is_listed(link: &Url, visit: &Visit<'_>) -> bool {
    visit.settings.ytdlp.hosts.iter().any(|host| on(link, host))
}

/// The same, where there is a yt-dlp to go to.
pub(super) fn goes_at_once(link: &Url, visit: &Visit<'_>) -> bool {
    visit.external().is_some() && is_listed(link, visit)
}

/// What yt-dlp makes of a link whose page was of no use, else the error that says more. `begun` is when the page was
/// asked for.
pub(super) async fn instead(
    link: &Url,
    visit: &Visit<'_>,
    of_page: CrawlError,
    begun: Instant,
) -> Result<Resolved, CrawlError> {
    let ms = |since: Instant| u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
    let failed = |name: &str, error: &CrawlError, ms| {
        attempt(name, Ending::Failed, Some(error.class), Some(error.message.clone()), ms)
    };
    let mut story = vec![failed("page", &of_page, ms(begun))];
    let handed = Instant::now();
    match ytdlp::resolve(link, None, visit).await {
        Ok(found) => {
            story.push(attempt(NAME, Ending::Found, None, None, ms(handed)));
            Ok(Resolved { attempts: story, ..found })
        }
        Err(theirs) => {
            story.push(failed(NAME, &theirs, ms(handed)));
            Err(if says_more(theirs.class) { theirs } else { of_page }.with_attempts(story))
        }
    }
}

/// Whether an error of yt-dlp's is about the link itself rather than about what yt-dlp can do.
fn says_more(class: ErrorClass) -> bool {
    !matches!(class, ErrorClass::NoMediaFound | ErrorClass::SiteError | ErrorClass::Blocked | ErrorClass::Transport)
}
