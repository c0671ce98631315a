//! Which list a link means, whatever way it is written.

use crawlers::{CrawlError, ErrorClass, Form, LinkKind};
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
        let form = crawler.read(&link).filter(|form| is_list(form.kind));
        let same = form.as_ref().and_then(identity).unwrap_or_else(|| link.to_string());
        let digest = Sha256::digest(format!("{} {same}", crawler.name()));
        Ok(Named {
            platform: crawler.name().to_owned(),
            link: link.into(),
            key: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        })
    }

    /// Whether a link is one to a list, as far as can be told from the link alone.
    pub(super) fn is_list(&self, pasted: &str) -> bool {
        let link = crawlers::find_link(pasted);
        link.ok().and_then(|link| self.crawlers.read(&link)).is_some_and(|(_, form)| is_list(form.kind))
    }
}

fn is_list(kind: LinkKind) -> bool {
    matches!(kind, LinkKind::User | LinkKind::Mix | LinkKind::List | LinkKind::Music | LinkKind::Tag)
}

/// What tells a list from all others: its id, and only without one its name, which sites read in any case.
fn identity(form: &Form) -> Option<String> {
    let id = ["id", "sec"].iter().find_map(|part| form.part(part)).map(str::to_owned);
    let id = id.or_else(|| ["user", "name"].iter().find_map(|part| form.part(part)).map(str::to_lowercase))?;
    Some(format!("{:?} {id}", form.kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Config, net::Net};

    fn crawl() -> Crawl {
        let mut config = Config::defaults();
        config.crawlers.ytdlp.program.clear();
        Crawl::new(&config, Net::new(&config.net).unwrap(), None).unwrap()
    }

    #[test]
    fn a_list_is_the_same_however_its_link_is_written() {
        let crawl = crawl();
        let key = |link: &str| crawl.name(link).unwrap().key;
        for (one, other) in [
            ("https://www.tiktok.com/@weekly.wren", "看看 https://m.tiktok.com/@Weekly.Wren/?lang=en"),
            (
                "https://www.tiktok.com/@a/playlist/Best%20of-7611111111111118001",
                "https://tiktok.com/@b/playlist/7611111111111118001?x=1",
            ),
            (
                "https://www.douyin.com/user/MS4wLjABAAAAx",
                "https://www.iesdouyin.com/share/user/1?sec_uid=MS4wLjABAAAAx",
            ),
            ("https://example.com/feed.xml", "https://example.com/feed.xml#top"),
        ] {
            assert_eq!(key(one), key(other), "{one}");
            assert_eq!(key(one).len(), 64);
        }
        let links = [
            "https://www.douyin.com/user/MS4wLjABAAAAx",
            "https://www.douyin.com/user/MS4wLjABAAAAX",
            "https://www.douyin.com/mix/7611111111111118001",
            "https://www.douyin.com/music/7611111111111118001",
            "https://www.tiktok.com/music/x-7611111111111118001",
            "https://example.com/feed.xml",
            "https://example.com/feed.xml?page=2",
        ];
        let keys: std::collections::BTreeSet<_> = links.iter().map(|link| key(link)).collect();
        assert_eq!(keys.len(), links.len());
    }

    #[test]
    fn lists_are_told_from_posts() {
        let crawl = crawl();
        assert!(crawl.is_list("https://www.tiktok.com/@weekly.wren"));
        for link in ["https://www.tiktok.com/@a/video/7611111111111111111", "https://example.com/", "no link"] {
            assert!(!crawl.is_list(link), "{link}");
        }
    }
}
