//! Short links: where they lead, without loading the page there.

use url::Url;

use crate::{CrawlError, ErrorClass, Form, LinkKind, Request, Response, Rhythm, Visit, challenge};

/// So many redirects at most.
const MAX_HOPS: usize = 5;
/// Pages are only read for the address that they give themselves, which stands in their head.
const MAX_BYTES: usize = 512 * 1024;

/// How a platform's short links are followed.
pub(crate) struct ShortLinks<'a> {
    /// The platform's name.
    pub(crate) platform: &'static str,
    /// Domains (with everything below them) that a short link may lead through.
    pub(crate) domains: &'static [&'static str],
    /// As whom to ask: what makes the redirects plain.
    pub(crate) user_agent: &'a str,
    /// How the platform reads links.
    pub(crate) read: fn(&Url) -> Option<Form>,
}

/// What an answer leads to.
enum Step {
    /// Another address.
    To(Url),
    /// The link has arrived.
    Arrived(Url, Form),
}

impl ShortLinks<'_> {
    /// The link behind a short one and how the platform reads it; never a short one again.
    pub(crate) async fn follow(&self, link: &Url, visit: &Visit<'_>) -> Result<(Url, Form), CrawlError> {
        let mut at = upgraded(link.clone());
        for _ in 0..MAX_HOPS {
            let request = Request::get(at.clone(), MAX_BYTES)
                .no_redirects()
                .header("User-Agent", self.user_agent)
                .header("Accept", "text/html,*/*;q=0.8");
            let response = visit.fetch(Rhythm::Free, &format!("{}.short", self.platform), request).await?;
            match self.step(&at, &response)? {
                Step::To(next) => at = next,
                Step::Arrived(url, form) => return Ok((url, form)),
            }
        }
        Err(dead("The short link leads on and on without coming to a post."))
    }

    fn step(&self, at: &Url, response: &Response) -> Result<Step, CrawlError> {
        let too_often = "The platform says that we ask too often. Try again later.";
        let (class, message) = match response.status {
            301 | 302 | 303 | 307 | 308 => return self.redirected(at, response),
            200..=299 => return self.arrived(at, response),
            429 | 444 => (ErrorClass::RateLimited, too_often),
            401 | 403 => (ErrorClass::Blocked, "The platform did not say where the short link leads. Try again later."),
            500..=599 => (ErrorClass::SiteError, "The platform has a problem with short links at the moment."),
            _ => return Err(dead("The short link does not exist (any more).")),
        };
        Err(CrawlError::new(class, message).with_retry_after(response.retry_after()))
    }

    fn redirected(&self, at: &Url, response: &Response) -> Result<Step, CrawlError> {
        let target = response.header("location").and_then(|location| at.join(location.trim()).ok());
        let Some(target) = target else { return Err(dead("The short link redirects to nowhere.")) };
        if let Some(arrived) = self.look(&target) {
            return Ok(arrived);
        }
        if !self.is_inside(&target) {
            return Err(CrawlError::new(
                ErrorClass::RedirectNotAllowed,
                "The short link leads away from its platform, so it is not followed.",
            ));
        }
        if target.path().trim_end_matches('/') == "/login" {
            let inner = target.query_pairs().find(|(name, _)| name == "redirect_url");
            let inner = inner.and_then(|(_, value)| target.join(&value).ok());
            return inner.and_then(|inner| self.look(&inner)).ok_or_else(|| {
                CrawlError::new(
                    ErrorClass::LoginRequired,
                    "The short link leads to a login page. Paste the post's own link instead.",
                )
            });
        }
        // A code that has ended leads to the front page, which is not worth loading.
        if target.path() == "/" {
            return Err(dead("The short link has ended: it only leads to the platform's front page."));
        }
        Ok(Step::To(upgraded(target)))
    }

    /// Some short links answer with a page, whose head names its own address.
    fn arrived(&self, at: &Url, response: &Response) -> Result<Step, CrawlError> {
        if let Some(arrived) = own_addresses(&response.body).iter().find_map(|found| self.look(&at.join(found).ok()?)) {
            return Ok(arrived);
        }
        if challenge::is_in(&response.body) {
            return Err(CrawlError::new(
                ErrorClass::Captcha,
                "The platform wants a proof of being human before it says where the short link leads. Try again later.",
            ));
        }
        if response.body.trim_ascii().is_empty() {
            let message = "The platform did not say where the short link leads. Try again later.";
            return Err(CrawlError::new(ErrorClass::Blocked, message));
        }
        Err(dead("The short link leads to a page that names no post."))
    }

    /// Whether the platform reads this link, and not as a short link again.
    fn look(&self, url: &Url) -> Option<Step> {
        let url = upgraded(url.clone());
        let form = (self.read)(&url).filter(|form| form.kind != LinkKind::Short)?;
        Some(Step::Arrived(url, form))
    }

    fn is_inside(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let below =
            |domain: &&str| host.strip_suffix(*domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        crate::link::is_fetchable(url) && self.domains.iter().any(below)
    }
}

/// Platforms still hand out `http:` addresses and serve them all over `https:`.
fn upgraded(mut url: Url) -> Url {
    if url.scheme() == "http" && url.port().is_none() {
        // Between two special schemes this always works.
        let _ = url.set_scheme("https");
    }
    url
}

/// What a page says that its own address is.
fn own_addresses(body: &[u8]) -> Vec<String> {
    let page = scraper::Html::parse_document(&String::from_utf8_lossy(body));
    let found = [("link[rel=canonical]", "href"), ("meta[property='og:url']", "content")];
    let selected = found.iter().filter_map(|(path, name)| Some((scraper::Selector::parse(path).ok()?, *name)));
    selected
        .flat_map(|(selector, name)| {
            let values = page.select(&selector).filter_map(|element| element.attr(name));
            values.map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

fn dead(message: &str) -> CrawlError {
    CrawlError::new(ErrorClass::ShortLinkDead, message)
}

#[cfg(test)]
mod tests;
