//! Requests to the web API: who asks, with which parameters, and signed.

use serde_json::Value;
use url::Url;

use super::{
    MAX_BYTES, NAME, REFERER,
    browser::{self, Browser},
    failures,
};
use crate::{
    CrawlError, ErrorClass, Request, Rhythm, Visit,
    identity::cookie,
    settings::Platform,
    signatures::{self, ABogus, NOISE, Scheme, web_signature},
};

/// Which application asks unless the settings name another, and the one that is asked for some pictures.
const APPLICATION: &str = "6383";
const OTHER_APPLICATION: &str = "1128";
/// Tries at one question: the second one as a new visitor.
const TRIES: usize = 2;
/// The cookie of an anonymous visitor, and how long it is used.
const VISITOR: &str = "ttwid";
const VISITOR_MS: u64 = 6 * 3_600_000;
/// What a page of the platform's posts to become an anonymous visitor.
const REGISTER: &str = r#"{"region":"cn","aid":1768,"needFid":false,"service":"www.ixigua.com","migrate_info":{"ticket":"","source":"node"},"cbUrlProtocol":"https","union":true}"#;

/// What the settings cannot change: which post, which list, and where it continues.
const ASKED: [&str; 6] = ["aweme_id", "sec_user_id", "mix_id", "music_id", "cursor", "max_cursor"];

/// One question to the web API.
pub(super) struct Question<'a> {
    /// The path, from `/` to `/`.
    pub(super) path: &'a str,
    /// What it asks for, after the parameters that every question has.
    pub(super) parameters: &'a [(&'a str, &'a str)],
    /// How often it may be asked.
    pub(super) rhythm: Rhythm,
    /// The endpoint's name in that rhythm.
    pub(super) endpoint: &'static str,
    /// Whether to ask as the other application.
    pub(super) as_other: bool,
}

/// Who asks: cookie and user agent belong together.
struct Visitor {
    cookie: String,
    user_agent: String,
    /// The anonymous visitor's id in the cookie, if there is one.
    anonymous: Option<String>,
}

/// The user agent of questions to the web API.
pub(super) fn user_agent<'a>(visit: &'a Visit<'_>) -> &'a str {
    let own = visit.identity(NAME).map(|identity| identity.user_agent.as_str()).filter(|own| !own.is_empty());
    own.unwrap_or_else(|| visit.settings.douyin.user_agent(0))
}

/// Asks, and once more when the visitor or the signature was not believed. No error is about a post.
pub(super) async fn ask(question: &Question<'_>, visit: &Visit<'_>) -> Result<Value, CrawlError> {
    let mut tries = 1;
    loop {
        let visitor = visitor(visit).await;
        let request = request(question, &visitor, visit)?;
        let answer = failures::json(&visit.fetch(question.rhythm, question.endpoint, request).await?);
        match answer {
            Err(error) if tries < TRIES && is_disbelief(error.class) => tries += 1,
            answer => return answer,
        }
        // Another link may have replaced it already.
        let key = visitor_key(visit);
        if visitor.anonymous.is_some() && visit.memory.recall(&key, visit.chance().now_ms()) == visitor.anonymous {
            visit.memory.forget(&key);
        }
    }
}

fn is_disbelief(class: ErrorClass) -> bool {
    matches!(class, ErrorClass::Blocked | ErrorClass::SignatureRejected)
}

async fn visitor(visit: &Visit<'_>) -> Visitor {
    let user_agent = user_agent(visit).to_owned();
    let own = visit.identity(NAME).map_or("", |identity| identity.cookie.trim().trim_end_matches(';'));
    if visit.identity(NAME).is_some_and(|identity| identity.cookie(VISITOR).is_some()) {
        return Visitor { cookie: own.to_owned(), user_agent, anonymous: None };
    }
    // Without that cookie it is for the answer to say that nobody is let in.
    let anonymous = anonymous(visit, &user_agent).await;
    let cookies = anonymous.iter().map(|id| format!("{VISITOR}={id}"));
    let cookies = cookies.chain(Some(own).filter(|own| !own.is_empty()).map(str::to_owned));
    Visitor { cookie: cookies.collect::<Vec<_>>().join("; "), user_agent, anonymous }
}

/// Where the anonymous visitor's id is kept: one for each identity, which must not be seen to share it.
fn visitor_key(visit: &Visit<'_>) -> String {
    format!("douyin.ttwid {}", visit.identity(NAME).map_or("", |identity| identity.id.as_str()))
}

/// The anonymous visitor's id: the one that is known, or a new one; none when none is given.
async fn anonymous(visit: &Visit<'_>, user_agent: &str) -> Option<String> {
    let key = visitor_key(visit);
    if let Some(known) = visit.memory.recall(&key, visit.chance().now_ms()) {
        return Some(known);
    }
    let url = url(&visit.settings.douyin, "ttwid", "/ttwid/union/register/").ok()?;
    let request = Request::post(url, REGISTER, MAX_BYTES)
        .no_redirects()
        .header("User-Agent", user_agent)
        .header("Content-Type", "application/json");
    let response = visit.fetch(Rhythm::Free, "douyin.ttwid", request).await.ok()?;
    let new = response.cookie(VISITOR).filter(|value| !value.is_empty())?;
    visit.memory.keep(&key, new, visit.chance().now_ms() + VISITOR_MS);
    Some(new.to_owned())
}

fn request(question: &Question<'_>, visitor: &Visitor, visit: &Visit<'_>) -> Result<Request, CrawlError> {
    let settings = &visit.settings.douyin;
    let browser = Browser::of(&visitor.user_agent);
    let window = browser.window(&settings.browser);
    let mut parameters = common(&browser, &window, question.as_other);
    parameters.extend(question.parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    apply(settings, question.as_other, &mut parameters);
    parameters.extend(cookie(&visitor.cookie, "msToken").map(|token| ("msToken".to_owned(), token.to_owned())));
    let mut query = signatures::query(parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let mut headers = Vec::new();
    if Scheme::named(&settings.signature) == Some(Scheme::ABogus) {
        let signature = a_bogus(&query, visitor, &window, visit);
        query = format!("{query}&{}", signatures::query([("a_bogus", signature.as_str())]));
        if web_signature::applies_to(question.path) {
            headers = sign_again(&mut query, &parameters, &visitor.cookie, visit);
        }
    }
    let mut request = Request::get(url(settings, "web", &format!("{}?{query}", question.path))?, MAX_BYTES)
        .no_redirects()
        .header("User-Agent", &visitor.user_agent)
        .header("Referer", REFERER)
        .header("Accept", "application/json, text/plain, */*")
        .header("Accept-Language", "zh-CN,zh;q=0.9");
    if !visitor.cookie.is_empty() {
        request = request.header("Cookie", &visitor.cookie);
    }
    request.headers.extend(headers);
    Ok(request)
}

fn a_bogus(query: &str, visitor: &Visitor, window: &str, visit: &Visit<'_>) -> String {
    let chance = visit.chance();
    // Below the limit, so it fits.
    let noise = std::array::from_fn(|_| chance.below(u64::from(NOISE)) as u16);
    let start_ms = chance.now_ms();
    let end_ms = start_ms + 4 + chance.below(5);
    let user_agent = &visitor.user_agent;
    ABogus { query, method: "GET", user_agent, browser: window, start_ms, end_ms, noise }.sign()
}

/// Adds the second signature for visitors that a browser has introduced, and gives the headers that go with it.
fn sign_again(
    query: &mut String,
    parameters: &[(String, String)],
    cookies: &str,
    visit: &Visit<'_>,
) -> Vec<(String, String)> {
    let given = parameters.iter().find(|(name, _)| name == "uifid").map(|(_, value)| value.as_str());
    let known =
        || web_signature::UIFID_COOKIES.iter().filter_map(|name| cookie(cookies, name)).find(|id| !id.is_empty());
    let Some(uifid) = given.or_else(known) else { return Vec::new() };
    let timestamp = (visit.chance().now_ms() / 1000).to_string();
    let fingerprint = cookie(cookies, "s_v_web_id");
    let added = [
        fingerprint.map(|value| ("verifyFp", value)),
        fingerprint.map(|value| ("fp", value)),
        given.is_none().then_some(("uifid", uifid)),
        Some(("timestamp", timestamp.as_str())),
    ];
    *query = format!("{query}&{}", signatures::query(added.into_iter().flatten()));
    let signature = web_signature::sign(query, uifid, &timestamp);
    *query += &format!("&x-secsdk-web-signature={signature}");
    vec![
        ("uifid".to_owned(), uifid.to_owned()),
        ("x-secsdk-web-signature".to_owned(), signature),
        ("x-secsdk-web-expire".to_owned(), timestamp),
    ]
}

/// What every question of the platform's own page says, in its order.
fn common(browser: &Browser<'_>, window: &str, as_other: bool) -> Vec<(String, String)> {
    let (width, height) = browser::screen(window);
    let application = if as_other { OTHER_APPLICATION } else { APPLICATION };
    [
        ("device_platform", "webapp"),
        ("aid", application),
        ("channel", "channel_pc_web"),
        ("update_version_code", "170400"),
        ("pc_client_type", "1"),
        ("pc_libra_divert", browser.system),
        ("support_h265", "1"),
        // Anything else brings tracks without sound.
        ("support_dash", "0"),
        ("version_code", "290100"),
        ("version_name", "29.1.0"),
        ("cookie_enabled", "true"),
        ("screen_width", width),
        ("screen_height", height),
        ("browser_language", "zh-CN"),
        ("browser_platform", browser.platform),
        ("browser_name", browser.name),
        ("browser_version", browser.version),
        ("browser_online", "true"),
        ("engine_name", browser.engine),
        ("engine_version", browser.engine_version),
        ("os_name", browser.system),
        ("os_version", browser.system_version),
        ("cpu_core_num", "12"),
        ("device_memory", "8"),
        ("platform", "PC"),
        ("downlink", "10"),
        ("effective_type", "4g"),
        ("round_trip_time", "50"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}

/// Replaces, leaves out and adds what the settings say.
fn apply(settings: &Platform, as_other: bool, parameters: &mut Vec<(String, String)>) {
    let params = || settings.params.iter().filter(|(name, _)| !ASKED.contains(&name.as_str()));
    for (name, value) in params() {
        let value = match name.as_str() {
            // Asking as the other application means: not as the configured one.
            "aid" if as_other && value == APPLICATION => OTHER_APPLICATION,
            "aid" if as_other => APPLICATION,
            _ => value,
        };
        match parameters.iter_mut().find(|(known, _)| known == name) {
            Some(parameter) => parameter.1 = value.to_owned(),
            None => parameters.push((name.clone(), value.to_owned())),
        }
    }
    parameters.retain(|(name, _)| params().all(|(left_out, value)| left_out != name || !value.is_empty()));
}

/// An address at one of the hosts of the settings.
pub(super) fn url(settings: &Platform, host: &str, path_and_query: &str) -> Result<Url, CrawlError> {
    settings.url(host, path_and_query).map_err(|_| {
        CrawlError::new(
            ErrorClass::SiteError,
            format!("`crawlers.douyin.hosts.{host}` names no host that can be asked."),
        )
    })
}
