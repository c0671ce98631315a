//! Reading a list from outside.

use std::{error::Error as _, time::Duration};

use crawlers::{CrawlError, ErrorClass, ListRequest};

use super::{
    Lists,
    reading::{Next, Reading, key},
};
use crate::{
    domain::Source,
    error::{Code, Error, Result},
    store::Store,
};

/// How long one page may take, the rhythm that the platform is asked in included.
const PAGE_WITHIN: Duration = Duration::from_secs(120);

/// What was read.
pub(crate) struct Read {
    pub reading: Reading,
    /// The list's name, as it says.
    pub title: Option<String>,
    /// For the next request for its first page.
    pub etag: Option<String>,
    /// For the next request for its first page.
    pub last_modified: Option<String>,
    /// Nothing has changed since the last poll.
    pub not_modified: bool,
    /// Why the reading broke off.
    pub error: Option<Error>,
}

/// What to read.
pub(crate) struct Wanted<'a> {
    pub link: &'a str,
    /// What is known of it.
    pub known: Known<'a>,
    pub max_pages: u32,
    /// So many posts are enough.
    pub enough: Option<usize>,
}

/// What is known of a list.
#[derive(Clone, Copy)]
pub(crate) enum Known<'a> {
    /// Nothing: every post is new.
    Nothing,
    /// What was seen of it since it is followed as a source.
    Source(&'a Source),
    /// What was seen under this key of `seen_items`.
    Seen(&'a str),
}

/// Reads a list page by page, as far as needed.
pub(crate) async fn read(lists: &dyn Lists, store: &Store, wanted: Wanted<'_>) -> Result<Read> {
    let mut read = Read {
        reading: Reading::new(wanted.max_pages),
        title: None,
        etag: None,
        last_modified: None,
        not_modified: false,
        error: None,
    };
    let source = match wanted.known {
        Known::Source(source) => Some(source),
        Known::Nothing | Known::Seen(_) => None,
    };
    let mut request = ListRequest {
        cursor: None,
        etag: source.and_then(|source| source.etag.clone()),
        last_modified: source.and_then(|source| source.last_modified.clone()),
    };
    loop {
        let slow = |_| Error::new(Code::SourceTimeout, "The site took longer than two minutes to show the list");
        let page = tokio::time::timeout(PAGE_WITHIN, lists.page(wanted.link, &request)).await;
        let page = match page.map_err(slow).and_then(|page| page) {
            Ok(page) => page,
            // The list leads back to where it was: all that it has was read.
            Err(error) if is_loop(&error) && read.reading.pages > 0 => return Ok(read),
            Err(error) => {
                read.error = Some(error);
                return Ok(read);
            }
        };
        if request.cursor.is_none() {
            read.title = page.title.clone();
            read.etag = page.etag.clone();
            read.last_modified = page.last_modified.clone();
            read.not_modified = page.not_modified;
            if page.not_modified {
                return Ok(read);
            }
        }
        let keys: Vec<_> = page.items.iter().map(key).collect();
        let seen = match wanted.known {
            Known::Source(source) => store.seen_items(source.id, &keys).await?,
            Known::Seen(list) => store.seen_in_list(list, &keys).await?,
            Known::Nothing => Default::default(),
        };
        match read.reading.take(page, &seen) {
            Next::Page(_) if wanted.enough.is_some_and(|enough| read.reading.new.len() >= enough) => {
                return Ok(read);
            }
            Next::Page(cursor) => request = ListRequest { cursor: Some(cursor), ..ListRequest::default() },
            Next::End => return Ok(read),
        }
    }
}

fn is_loop(error: &Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<CrawlError>());
    cause.is_some_and(|cause| cause.class == ErrorClass::PagingLoop)
}
