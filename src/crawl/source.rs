//! Which list a link means, whatever way it is written.

use crawlers::{CrawlError, ErrorClass, LinkKind};
use sha2::{Digest, Sha256};

use super::{Crawl, told};
use crate::error::Result;

/// A list that a link means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The platform that it belongs to.
    pub platform: String,
    /// The link by which it is listed, without its fragment.
    pub link: String,
    /// The same for every way of writing the same list: 64 hex digits.
    pub key: String,
}

impl Crawl {
    /// Finds the link in what was pasted and says which list it means, without asking anyone.
    pub fn name(&self, pasted: &str) -> Result<Named> {
        let mut link = crawlers::find_link(pasted).map_err(|error| told(error).with_field("link"))?;
        link.set_fragment(None);
        let crawler = self.crawlers.claimant(&link).ok_or_else(|| {
            let error = CrawlError::new(ErrorClass::InvalidLink, "No crawler knows what to do with this link.");
            told(error).with_field("link")
        })?;
        // A list has an id whose link may carry all sorts of things besides; where a short link leads is not known here.
        let is_list =
            |kind| matches!(kind, LinkKind::User | LinkKind::Mix | LinkKind::List | LinkKind::Music | LinkKind::Tag);
        let form = crawler.read(&link).filter(|form| is_list(form.kind) && !form.parts.is_empty());
        let same = match form {
            Some(form) => format!("{:?} {:?}", form.kind, form.parts),
            None => link.to_string(),
        };
        let digest = Sha256::digest(format!("{} {same}", crawler.name()));
        Ok(Named {
            platform: crawler.name().to_owned(),
            link: link.into(),
            key: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        })
    }
}
