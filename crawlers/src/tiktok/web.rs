//! One visitor on TikTok's web site: who we say we are, the cookies that we are given, and what refusals look like.

mod params;

use serde_json::Value;
use url::Url;

use super::{NAME, SITE, challenge::Challenge, jar::Jar, miss::Miss};
use crate::{CrawlError, ErrorClass, Request, Response, Rhythm, Visit, challenge as verification};

pub(super) use params::device_id;

/// Pages beyond this are cut off.
const MAX_PAGE_BYTES: usize = 8 * 1024 * 1024;
/// Answers of the API beyond this are not read.
const MAX_API_BYTES: usize = 16 * 1024 * 1024;
/// Requests for one page: itself, one challenge, two redirects.
const MAX_TURNS: usize = 4;
/// The cookie without which the media servers refuse.
const CHAIN_TOKEN: &str = "tt_chain_token";

/// One visitor.
pub(super) struct Web<'a> {
    visit: &'a Visit<'a>,
    agent: String,
    jar: Jar,
}

/// What it takes to download what a visitor was shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Access {
    /// The user agent that was shown the URLs.
    pub(super) agent: String,
    /// The cookie that some of the URLs want.
    pub(super) chain_token: Option<String>,
}

impl<'a> Web<'a> {
    /// The visitor of the `turn`th try. An identity has one user agent, which belongs to its cookie.
    pub(super) fn new(visit: &'a Visit<'a>, turn: usize) -> Self {
        let identity = visit.identity(NAME);
        let own_agent = identity.map(|identity| identity.user_agent.as_str()).filter(|agent| !agent.is_empty());
        Self {
            visit,
            agent: own_agent.unwrap_or_else(|| visit.settings.tiktok.user_agent(turn)).to_owned(),
            jar: identity.map(|identity| Jar::of(&identity.cookie)).unwrap_or_default(),
        }
    }

    /// A visitor without an identity, whoever there is.
    pub(super) fn anonymous(visit: &'a Visit<'a>) -> Self {
        Self { visit, agent: visit.settings.tiktok.user_agent(0).to_owned(), jar: Jar::default() }
    }

    /// Whether there is somebody else to be when this one is refused.
    pub(super) fn has_another(visit: &Visit<'_>) -> bool {
        visit.identity(NAME).is_none() && visit.settings.tiktok.user_agents.len() > 1
    }

    /// What it takes to download what this visitor was shown.
    pub(super) fn access(&self) -> Access {
        Access { agent: self.agent.clone(), chain_token: self.jar.get(CHAIN_TOKEN).map(str::to_owned) }
    }

    /// A page. Redirects are followed on the site itself, and a challenge is answered once.
    pub(super) async fn page(&mut self, rhythm: Rhythm, endpoint: &str, path: &str) -> Result<String, Miss> {
        let mut path = path.to_owned();
        let mut answered = false;
        for _ in 0..MAX_TURNS {
            let url = self.url(&path)?;
            let request = Request::get(url.clone(), MAX_PAGE_BYTES)
                .header("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
                .header("Accept-Language", "en-US,en;q=0.9");
            let response = self.send(rhythm, endpoint, request).await?;
            if let Some(next) = redirect(&url, &response)? {
                path = next;
                continue;
            }
            let html = String::from_utf8_lossy(&response.body).into_owned();
            let Some(challenge) = Challenge::read(&html) else {
                check_status(&response)?;
                return Ok(html);
            };
            if answered {
                return Err(unsolved());
            }
            // Up to a million hashes (0.2 s) are too long for a thread that others wait for.
            let cookies = tokio::task::spawn_blocking(move || challenge.solve()).await.ok().flatten();
            for (name, value) in cookies.ok_or_else(unsolved)? {
                self.jar.set(&name, &value);
            }
            answered = true;
        }
        Err(Miss::failed(
            ErrorClass::Blocked,
            "TikTok's page leads on and on without showing anything. Try again later.",
        ))
    }

    /// An answer of the web API. `own` are the parameters in addition to those which every request has.
    pub(super) async fn api(
        &mut self,
        rhythm: Rhythm,
        endpoint: &str,
        path: &str,
        own: &[(&str, &str)],
    ) -> Result<Value, Miss> {
        let token = self.jar.get("msToken").unwrap_or_default();
        let query = params::query(self.visit, &self.agent, token, own);
        let request = Request::get(self.url(&format!("{path}?{query}"))?, MAX_API_BYTES)
            .header("Accept", "application/json, text/plain, */*")
            .header("Accept-Language", "en-US,en;q=0.9")
            .header("Referer", format!("{SITE}/"));
        json(&self.send(rhythm, endpoint, request).await?)
    }

    /// Another request to the site, such as for something that is neither page nor API.
    pub(super) async fn ask(&mut self, rhythm: Rhythm, endpoint: &str, path: &str) -> Result<Response, Miss> {
        self.send(rhythm, endpoint, Request::get(self.url(path)?, MAX_API_BYTES)).await
    }

    async fn send(&mut self, rhythm: Rhythm, endpoint: &str, request: Request) -> Result<Response, Miss> {
        let mut request = request.no_redirects().header("User-Agent", &*self.agent);
        if let Some(cookies) = self.jar.header() {
            request = request.header("Cookie", cookies);
        }
        let response = fetch(self.visit, rhythm, endpoint, request).await?;
        self.jar.keep(&response);
        Ok(response)
    }

    fn url(&self, path: &str) -> Result<Url, Miss> {
        self.visit.settings.tiktok.url("web", path).map_err(|_| misconfigured("web"))
    }
}

/// Sends a request to any host. When there is no answer, that is an error of the way, never of the post.
pub(super) async fn fetch(
    visit: &Visit<'_>,
    rhythm: Rhythm,
    endpoint: &str,
    request: Request,
) -> Result<Response, Miss> {
    visit.fetch(rhythm, endpoint, request).await.map_err(|error| match error.class {
        ErrorClass::NoMediaFound => {
            Miss::failed(ErrorClass::Transport, "Not asked: the link has cost too many requests already.")
        }
        _ => Miss::Failed(error),
    })
}

pub(super) fn misconfigured(host: &str) -> Miss {
    Miss::failed(ErrorClass::Transport, format!("`crawlers.tiktok.hosts.{host}` is neither a host nor a base URL."))
}

/// The JSON of an answer.
pub(super) fn json(response: &Response) -> Result<Value, Miss> {
    if response.status == 200 && response.body.trim_ascii().is_empty() {
        return Err(if response.header("tt_orcas_res").is_some() {
            Miss::failed(ErrorClass::SignatureRejected, "TikTok did not believe the request and answered with nothing.")
        } else {
            Miss::failed(ErrorClass::Blocked, "TikTok answered with nothing. Try again later.")
        });
    }
    if matches!(response.status, 404 | 410) {
        return Err(Miss::failed(
            ErrorClass::Blocked,
            "TikTok does not know this way to ask any more. Try again later.",
        ));
    }
    check_status(response)?;
    serde_json::from_slice(&response.body).map_err(|_| match verification::is_in(&response.body) {
        true => unsolved(),
        false => Miss::failed(ErrorClass::Blocked, "TikTok answered with something that is not JSON. Try again later."),
    })
}

/// Where an answer leads on the site; none when it leads nowhere.
fn redirect(at: &Url, response: &Response) -> Result<Option<String>, Miss> {
    if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let astray =
        || Miss::failed(ErrorClass::Blocked, "TikTok leads away from the page that was asked for. Try again later.");
    let target = response.header("location").and_then(|location| at.join(location.trim()).ok()).ok_or_else(astray)?;
    let path = target.path();
    let is_ours = target.origin() == at.origin()
        || matches!(target.host_str(), Some("tiktok.com" | "www.tiktok.com" | "m.tiktok.com"));
    if !is_ours || path == "/" {
        return Err(astray());
    }
    if path.starts_with("/login") {
        return Err(Miss::failed(
            ErrorClass::LoginRequired,
            "TikTok shows this only to visitors who are logged in. Add the cookie of a browser that is.",
        ));
    }
    if path == "/404" || path.contains("notfound") {
        return Err(gone());
    }
    Ok(Some(target[url::Position::BeforePath..url::Position::AfterQuery].to_owned()))
}

/// Turns the status of a page that is no success into an error.
pub(super) fn check_status(response: &Response) -> Result<(), Miss> {
    let (class, message) = match response.status {
        200..=299 => return Ok(()),
        404 | 410 => return Err(gone()),
        451 => (ErrorClass::RegionBlocked, "TikTok may not show this post here for legal reasons."),
        401 => (ErrorClass::LoginRequired, "TikTok shows this only to visitors who are logged in."),
        429 | 444 => (ErrorClass::RateLimited, "TikTok says that we ask too often. Try again later."),
        500..=599 => (ErrorClass::SiteError, "TikTok has a problem at the moment. Try again later."),
        _ if verification::is_in(&response.body) => return Err(unsolved()),
        _ => (ErrorClass::Blocked, "TikTok refuses the request. Try again later, or use the cookie of a browser."),
    };
    let error = CrawlError::new(class, message).with_retry_after(response.retry_after());
    Err(if class == ErrorClass::RegionBlocked { Miss::Answer(error) } else { Miss::Failed(error) })
}

fn gone() -> Miss {
    Miss::doubt(ErrorClass::NotFound, "TikTok says that this is not there (any more).")
}

/// Nobody here can prove to be human.
pub(super) fn unsolved() -> Miss {
    Miss::failed(
        ErrorClass::Captcha,
        "TikTok asks for proof of being human. Try again later, or use the cookie of a browser.",
    )
}
