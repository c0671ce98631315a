//! Taking the link out of what was pasted.

use std::{collections::HashSet, sync::LazyLock};

use regex::Regex;
use url::Url;

use crate::{CrawlError, ErrorClass};

/// What ends a URL inside running text, Chinese punctuation and invisible characters included.
const END: &str = r#"\s\p{Cc}\x{200B}-\x{200F}\x{2060}\x{FEFF}<>"'`，。；！？、（）【】《》「」“”‘’"#;

/// Hosts that people paste without a scheme.
const BARE_HOSTS: &str =
    r"(?:(?:v|www|m|jx|jingxuan)\.douyin\.com|(?:v|www)\.iesdouyin\.com|(?:vm|vt|www|m)\.tiktok\.com)";

/// Share texts that are glued to the link without a space.
const GLUED: [&str; 4] = ["复制此链接", "复制链接", "复制打开", "打开抖音"];

/// Longer links are not taken; browsers and servers stop long before.
const MAX_LENGTH: usize = 16 * 1024;

static LINK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(r"(?i)(?:(https?)://|({BARE_HOSTS})/)[^{END}]*"))
        .expect("a constant expression, which the tests compile")
});
static WHOLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(r"(?i)^(?:[a-z0-9-]+\.)+[a-z]{{2,}}(?::[0-9]{{1,5}})?/[^{END}]*$"))
        .expect("a constant expression, which the tests compile")
});
/// How yt-dlp and others write a person on TikTok whose name may change; the site takes the id for the name.
static PERSON: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^tiktokuser:(MS4wLjABAAAA[A-Za-z0-9_-]{64})$").expect("a constant expression, which the tests compile")
});
static OTHER_SCHEME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b[a-z][a-z0-9+.-]{1,20}://").expect("a constant expression, which the tests compile")
});

/// Every usable link of a text, in order, each one once.
pub fn extract_links(text: &str) -> Vec<Url> {
    let mut seen = HashSet::new();
    raw_links(text).filter_map(|raw| checked(&raw).ok().flatten()).filter(|link| seen.insert(link.clone())).collect()
}

/// The first link of a text, or a sentence that says why there is none.
///
/// A link with a name or password in it is refused rather than passed over: `https://known.site@other.site/` only exists
/// to be taken for something else.
pub fn find_link(text: &str) -> Result<Url, CrawlError> {
    let mut passed_over = None;
    for raw in raw_links(text) {
        if let Some(link) = checked(&raw)? {
            return Ok(link);
        }
        passed_over.get_or_insert(raw.len() > MAX_LENGTH);
    }
    Err(invalid(if passed_over == Some(true) {
        "The link is longer than 16 KiB. Paste a shorter one, such as https://example.com/talk."
    } else if passed_over.is_some() {
        "The link cannot be read: its host or its port is wrong. Paste one such as https://example.com/talk."
    } else if text.trim().is_empty() {
        "Nothing was pasted. Paste a link that starts with http:// or https://."
    } else if OTHER_SCHEME.is_match(text) {
        "Only links that start with http:// or https:// can be fetched."
    } else {
        "No link was found in the text. Paste a link that starts with http:// or https://."
    }))
}

/// Whether a URL found in a page or playlist may be passed to the transport at all.
pub(crate) fn is_fetchable(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some_and(|host| !host.is_empty())
        && url.username().is_empty()
        && url.password().is_none()
}

fn raw_links(text: &str) -> impl Iterator<Item = String> {
    let whole = text.trim();
    // A whole paste without a scheme is a link that was copied from somewhere that hides it.
    let bare = WHOLE.is_match(whole).then(|| format!("https://{}", trimmed(whole)));
    let bare = bare.or_else(|| Some(format!("https://www.tiktok.com/@{}", &PERSON.captures(whole)?[1])));
    let none_found = bare.is_none();
    bare.into_iter().chain(LINK.captures_iter(text).filter(move |_| none_found).filter_map(|found| {
        let all = found.get(0)?;
        if found.get(1).is_some() {
            return Some(trimmed(all.as_str()).to_owned());
        }
        let before = text[..all.start()].chars().next_back();
        let starts_here = before.is_none_or(|c| !(c.is_ascii_alphanumeric() || "./-_@:%=".contains(c)));
        starts_here.then(|| format!("https://{}", trimmed(all.as_str())))
    }))
}

fn checked(raw: &str) -> Result<Option<Url>, CrawlError> {
    if raw.len() > MAX_LENGTH {
        return Ok(None);
    }
    let Ok(mut url) = Url::parse(raw) else { return Ok(None) };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("The link has a user name or password in front of the host. Paste it without that part."));
    }
    let host = url.host_str().unwrap_or_default();
    if let Some(host) = host.strip_suffix('.').map(str::to_owned)
        && url.set_host(Some(&host)).is_err()
    {
        return Ok(None);
    }
    Ok(is_fetchable(&url).then_some(url))
}

/// Cuts what belongs to the sentence around the link: glued share texts, punctuation, brackets that were opened before it.
fn trimmed(mut raw: &str) -> &str {
    if let Some(cut) = GLUED.iter().filter_map(|words| raw.find(words)).min() {
        raw = &raw[..cut];
    }
    let mut surplus = [('(', ')'), ('[', ']'), ('{', '}')].map(|(open, close)| {
        let count = |wanted| raw.chars().filter(|c| *c == wanted).count();
        (close, count(close).saturating_sub(count(open)))
    });
    while let Some(last) = raw.chars().next_back() {
        let closing = surplus.iter_mut().find(|(close, _)| *close == last);
        match closing {
            Some((_, 0)) => break,
            Some((_, left)) => *left -= 1,
            None if ".,;:!?".contains(last) => {}
            None => break,
        }
        raw = &raw[..raw.len() - last.len_utf8()];
    }
    raw
}

fn invalid(message: &str) -> CrawlError {
    CrawlError::new(ErrorClass::InvalidLink, message)
}

#[cfg(test)]
mod tests;
