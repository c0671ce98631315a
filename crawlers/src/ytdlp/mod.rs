//! The hand-over to yt-dlp, which knows many sites: its answers become ours. Somebody else runs it
//! ([`crate::External`]).

mod captions;
mod failures;
mod formats;
mod info;
mod listing;

use async_trait::async_trait;
use url::Url;

use crate::{CrawlError, Dump, Dumped, ErrorClass, ListRequest, Outcome, Page, Resolved, Rhythm, Strategy, Visit};

/// The strategy's name.
pub(crate) const NAME: &str = "ytdlp";

/// A post whose page can be handed over.
pub(crate) trait HasPage: Sync {
    /// The page that a person would open.
    fn page(&self) -> &Url;

    /// The platform, and its id of the post: what the answer must be about.
    fn post(&self) -> (&'static str, &str);
}

/// The last way to a post of any platform.
pub(crate) struct HandOver;

#[async_trait]
impl<P: HasPage> Strategy<P> for HandOver {
    fn name(&self) -> &'static str {
        NAME
    }

    fn hindrance(&self, visit: &Visit<'_>) -> Option<String> {
        let why = "yt-dlp is not at hand: not installed, switched off, or left out for an identity's proxy.";
        visit.external().is_none().then(|| why.to_owned())
    }

    async fn find(&self, post: &P, visit: &Visit<'_>) -> Outcome {
        match resolve(post.page(), Some(post.post()), visit).await {
            Ok(resolved) => Outcome::Found(Box::new(resolved)),
            Err(error) if is_definite(error.class) => Outcome::Answer(error),
            // That yt-dlp finds nothing says little about a post that its platform knows.
            Err(error) => Outcome::Failed(error),
        }
    }
}

fn is_definite(class: ErrorClass) -> bool {
    // Not found may be what it asks for the post: only the platform's own ways can tell.
    matches!(class, ErrorClass::Private | ErrorClass::RegionBlocked | ErrorClass::LiveNotSupported)
}

/// The media behind a link. `post` says which post of which platform it must be; none: whatever is there.
pub(crate) async fn resolve(
    link: &Url,
    post: Option<(&'static str, &str)>,
    visit: &Visit<'_>,
) -> Result<Resolved, CrawlError> {
    let identity = post.and_then(|(platform, _)| visit.lent_identity(platform));
    let json = run(Rhythm::Post, Dump { link, entries: None, identity }, visit).await?;
    formats::resolved(&json, link, post)
}

/// One page of the list behind a link; `platform` is whose posts these are, none: the wide web's.
pub(crate) async fn list(
    source: &Url,
    platform: Option<&'static str>,
    request: &ListRequest,
    visit: &Visit<'_>,
) -> Result<Page, CrawlError> {
    let offset = listing::offset(request.cursor.as_deref());
    let identity = platform.and_then(|platform| visit.lent_identity(platform));
    let dump = Dump { link: source, entries: Some(offset + listing::PAGE), identity };
    listing::page(&run(Rhythm::List, dump, visit).await?, offset, platform)
}

/// What yt-dlp prints, if there is anything in it.
async fn run(rhythm: Rhythm, dump: Dump<'_>, visit: &Visit<'_>) -> Result<bytes::Bytes, CrawlError> {
    let Dumped { status, stdout, stderr } = visit.dump(rhythm, dump).await?;
    match stdout.trim_ascii() {
        // It prints what it has although some entries of a list failed.
        b"" | b"null" => Err(failures::judge(status, &stderr)),
        _ => Ok(stdout),
    }
}

#[cfg(test)]
pub(crate) mod tests;
