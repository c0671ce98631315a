//! Clips, an invented platform: what one looks like. The README shows these files.

mod parse;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use url::Url;

use crate::{
    CrawlError, Crawler, ErrorClass, Form, LinkKind, Outcome, Request, Resolved, Rhythm, Strategy, Visit, chain,
};

/// The platform's name.
const NAME: &str = "clips";
/// Answers beyond this are not read.
const MAX_BYTES: usize = 1024 * 1024;
/// The same post in two places; when one does not answer, the other may.
const WAYS: [&dyn Strategy<Clip>; 2] =
    [&Way { name: "api", host: "clips.example" }, &Way { name: "mobile", host: "m.clips.example" }];

/// The platform.
pub(crate) struct Clips;

/// One post.
struct Clip {
    id: String,
}

#[async_trait]
impl Crawler for Clips {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&self, link: &Url) -> Option<Form> {
        let is_ours = matches!(link.host_str(), Some("clips.example" | "m.clips.example")) && link.port().is_none();
        let id = link.path().strip_prefix("/v/").filter(|_| is_ours)?;
        let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        is_id.then(|| Form { kind: LinkKind::Post, parts: vec![("id", id.to_owned())] })
    }

    fn strategies(&self) -> Vec<&'static str> {
        WAYS.iter().map(|way| way.name()).collect()
    }

    async fn resolve(&self, link: &Url, visit: &Visit<'_>) -> Result<Resolved, CrawlError> {
        let form = self.read(link);
        let Some(id) = form.as_ref().and_then(|form| form.part("id")) else {
            return Err(CrawlError::new(ErrorClass::InvalidLink, "This is no link to a clip."));
        };
        // One with a section in the configuration takes the order from there: `visit.settings.clips.strategies`.
        let order = WAYS.map(|way| way.name().to_owned());
        chain::run(NAME, &WAYS, &order, &Clip { id: id.to_owned() }, visit).await
    }
}

/// A way to a post: the JSON that a host gives.
struct Way {
    name: &'static str,
    host: &'static str,
}

#[async_trait]
impl Strategy<Clip> for Way {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn find(&self, clip: &Clip, visit: &Visit<'_>) -> Outcome {
        self.ask(clip, visit).await.into()
    }
}

impl Way {
    async fn ask(&self, clip: &Clip, visit: &Visit<'_>) -> Result<Resolved, CrawlError> {
        let url =
            Url::parse(&format!("https://{}/api/clips/{}", self.host, clip.id)).expect("a host and digits make a URL");
        let request = Request::get(url, MAX_BYTES).no_redirects();
        parse::clip(&visit.fetch(Rhythm::Post, "clips.clip", request).await?, &clip.id)
    }
}
