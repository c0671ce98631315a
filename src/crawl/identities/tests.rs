//! Identities over a real store, against a platform on loopback.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use crawlers::{
    Attempt, Candidate, CrawlError, Crawler, Crawlers, Ending, ErrorClass, Form, ListRequest, MediaKind, Page, Request,
    Resolved, Rhythm, Visit,
};
use poem::{Endpoint, Response, Server, http::StatusCode, listener::TcpAcceptor};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use url::Url;

use super::*;
use crate::{
    crawl::{Ask, Crawl, Who},
    domain::IdentityState,
};

const LINK: &str = "http://www.douyin.com/video/1";
const COOKIE: &str = "sessionid=hush-hush-value; ttwid=visitor";

/// A module with one strategy: it sends the cookie, and the status says how that was taken.
struct Platform;

#[async_trait]
impl Crawler for Platform {
    fn name(&self) -> &'static str {
        "douyin"
    }

    fn read(&self, link: &Url) -> Option<Form> {
        (link.host_str() == Some("www.douyin.com")).then(|| Form { kind: crawlers::LinkKind::Post, parts: vec![] })
    }

    fn strategies(&self) -> Vec<&'static str> {
        vec!["stub"]
    }

    async fn resolve(&self, link: &Url, visit: &Visit<'_>) -> Result<Resolved, CrawlError> {
        let identity = visit.identity("douyin");
        let mut request = Request::get(link.clone(), 1_000);
        if let Some(identity) = identity {
            request.headers.push(("Cookie".to_owned(), identity.cookie.clone()));
            request.headers.push(("User-Agent".to_owned(), identity.user_agent.clone()));
        }
        let status = visit.fetch(Rhythm::Free, "douyin.stub", request).await?.status;
        let class = match status {
            200 => None,
            401 => Some(ErrorClass::LoginRequired),
            _ => Some(ErrorClass::Captcha),
        };
        let attempts = vec![Attempt {
            strategy: "stub".to_owned(),
            ending: if class.is_none() { Ending::Found } else { Ending::Failed },
            class,
            message: None,
            ms: 1,
            identity: identity.is_some(),
        }];
        if let Some(class) = class {
            return Err(CrawlError::new(class, "The platform did not like that.").with_attempts(attempts));
        }
        Ok(Resolved {
            platform: "douyin".to_owned(),
            id: "1".to_owned(),
            kind: MediaKind::Video,
            page_url: link.clone(),
            title: "A post".to_owned(),
            description: None,
            author: None,
            author_id: None,
            published_at: None,
            duration_ms: None,
            cover_url: None,
            image_count: 0,
            sound: None,
            candidates: vec![Candidate::file(link.clone())],
            silent: None,
            may_be_silent: false,
            subtitles: vec![],
            warnings: vec![],
            strategy: "stub".to_owned(),
            attempts,
        })
    }

    async fn list(&self, link: &Url, _: &ListRequest, visit: &Visit<'_>) -> Result<Page, CrawlError> {
        self.resolve(link, visit).await.map(|_| Page::default())
    }
}

/// What the platform saw: cookie and user agent of each request, and how many it had at the same time.
#[derive(Default)]
struct Seen {
    visits: Mutex<Vec<(String, String)>>,
    now: AtomicUsize,
    most: AtomicUsize,
}

/// Answers with a status that tests set.
#[derive(Clone)]
struct Site {
    seen: Arc<Seen>,
    status: watch::Receiver<u16>,
}

impl Endpoint for Site {
    type Output = Response;

    async fn call(&self, request: poem::Request) -> poem::Result<Response> {
        let header = |name: &str| request.header(name).unwrap_or_default().to_owned();
        self.seen.visits.lock().unwrap().push((header("cookie"), header("user-agent")));
        self.seen.most.fetch_max(self.seen.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        self.seen.now.fetch_sub(1, Ordering::SeqCst);
        let status = StatusCode::from_u16(*self.status.borrow()).unwrap();
        let answer = Response::builder().status(status);
        Ok(if status == 429 { answer.header("Retry-After", "600") } else { answer }.finish())
    }
}

struct Bench {
    folder: TempDir,
    store: Arc<Store>,
    config: Config,
    site: Site,
    status: watch::Sender<u16>,
    address: String,
    server: JoinHandle<()>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Bench {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let status = watch::Sender::new(200);
        let site = Site { seen: Arc::default(), status: status.subscribe() };
        let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
        let app = site.clone();
        let server = tokio::spawn(async move {
            let _ = Server::new_with_acceptor(acceptor).run(app).await;
        });
        let mut config = Config::defaults();
        config.net.host_map = BTreeMap::from([("www.douyin.com".to_owned(), address.clone())]);
        config.net.allow_hosts = vec!["127.0.0.1".to_owned()];
        config.crawlers.douyin.strategies = vec!["stub".to_owned()];
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&crate::store::test_url::test_url(folder.path())).await.unwrap();
        Self { folder, store: Arc::new(store), config, site, status, address, server }
    }

    fn identities(&self, key: u8) -> Identities {
        Identities::new(Arc::clone(&self.store), &[key; 32], &self.config)
    }

    fn crawl(&self, identities: &Identities) -> Crawl {
        let crawlers = Crawlers::with(self.config.crawlers.clone(), vec![Box::new(Platform)]).unwrap();
        let net = Net::new(&self.config.net).unwrap();
        Crawl { crawlers: Arc::new(crawlers), net, identities: Some(identities.clone()), external: None }
    }

    fn cookies(&self) -> Vec<String> {
        self.site.seen.visits.lock().unwrap().drain(..).map(|(cookie, _)| cookie).collect()
    }
}

fn new(name: &str, cookie: &str) -> NewIdentity {
    NewIdentity {
        platform: "douyin".to_owned(),
        name: name.to_owned(),
        cookie: cookie.to_owned(),
        user_agent: "Browser/1".to_owned(),
        proxy: String::new(),
    }
}

async fn state(identities: &Identities, id: &str) -> (IdentityState, u32, Option<String>) {
    let health = identities.get(id).await.unwrap().identity.health;
    (health.state_at(Utc::now()), health.failures, health.last_error)
}

fn ask(who: Who) -> Ask {
    Ask { link: LINK.to_owned(), who, only: None }
}

#[tokio::test]
async fn an_identity_is_used_and_its_health_follows() {
    let bench = Bench::new().await;
    let identities = bench.identities(1);
    let crawl = bench.crawl(&identities);
    crawl.resolve(LINK).await.unwrap();
    let added = identities.add(new("me", COOKIE)).await.unwrap();
    assert_eq!(added.cookies, ["sessionid", "ttwid"]);
    let id = added.identity.id;
    crawl.resolve(LINK).await.unwrap();
    assert!(identities.get(&id).await.unwrap().identity.last_used_at.is_some());
    bench.status.send_replace(403);
    let error = crawl.resolve(LINK).await.unwrap_err();
    assert_eq!((error.code, error.attempts.len()), (Code::SourceBlocked, 1));
    assert_eq!(state(&identities, &id).await, (IdentityState::Resting, 1, Some("captcha".to_owned())));
    crawl.resolve(LINK).await.unwrap_err();
    bench.status.send_replace(200);
    // Whoever names it gets it all the same, and its success ends the rest.
    crawl.look_up(&ask(Who::named("me"))).await.unwrap();
    assert_eq!(state(&identities, &id).await, (IdentityState::Ready, 0, None));
    crawl.look_up(&ask(Who::named("none"))).await.unwrap();
    bench.status.send_replace(401);
    let error = crawl.list(LINK, &ListRequest::default()).await.unwrap_err();
    assert!(error.hint.contains("POST /api/identities"), "{}", error.hint);
    assert_eq!(state(&identities, &id).await, (IdentityState::Resting, 1, Some("login_required".to_owned())));
    crawl.resolve(LINK).await.unwrap_err();
    identities.change(&id, Change { cookie: Some("sessionid=new".to_owned()), ..Change::default() }).await.unwrap();
    bench.status.send_replace(200);
    crawl.resolve(LINK).await.unwrap();
    assert_eq!(bench.site.seen.visits.lock().unwrap()[1].1, "Browser/1");
    assert_eq!(bench.cookies(), ["", COOKIE, COOKIE, "", COOKIE, "", COOKIE, "", "sessionid=new"]);
}

#[tokio::test]
async fn what_is_not_sent_is_no_news_of_an_identity() {
    let bench = Bench::new().await;
    let identities = bench.identities(1);
    let crawl = bench.crawl(&identities);
    let id = identities.add(new("me", COOKIE)).await.unwrap().identity.id;
    bench.status.send_replace(429);
    crawl.list(LINK, &ListRequest::default()).await.unwrap_err();
    assert_eq!(state(&identities, &id).await, (IdentityState::Resting, 1, Some("captcha".to_owned())));
    identities.change(&id, Change { reset: true, ..Change::default() }).await.unwrap();
    let error = crawl.list(LINK, &ListRequest::default()).await.unwrap_err();
    assert_eq!((error.code, error.retry_after.is_some()), (Code::RateLimited, true));
    assert_eq!(state(&identities, &id).await, (IdentityState::Ready, 0, None));
    assert_eq!(bench.cookies(), [COOKIE], "the site has asked to be left alone");
}

#[tokio::test]
async fn one_link_at_a_time() {
    let bench = Bench::new().await;
    let identities = bench.identities(1);
    let crawl = bench.crawl(&identities);
    identities.add(new("me", COOKIE)).await.unwrap();
    futures_util::future::try_join_all((0..6).map(|_| crawl.resolve(LINK))).await.unwrap();
    assert_eq!(bench.cookies(), vec![COOKIE; 6]);
    assert_eq!(bench.site.seen.most.load(Ordering::SeqCst), 1);
    // With two of them two links go at the same time, each with its own.
    identities.add(new("you", "sessionid=other")).await.unwrap();
    futures_util::future::try_join_all((0..2).map(|_| crawl.resolve(LINK))).await.unwrap();
    let mut cookies = bench.cookies();
    cookies.sort();
    assert_eq!(cookies, [COOKIE, "sessionid=other"]);
}

#[tokio::test]
async fn a_look_up_that_is_dropped_has_used_its_identity_and_gives_it_back() {
    let bench = Bench::new().await;
    let identities = bench.identities(1);
    let id = identities.add(new("me", COOKIE)).await.unwrap().identity.id;
    let taken = identities.take("douyin", None).await.unwrap().unwrap();
    assert!(identities.get(&id).await.unwrap().identity.last_used_at.is_some());
    // Those who wait are served in the order in which they came.
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut waiting = Vec::new();
    for number in 0..4 {
        let (identities, order) = (identities.clone(), Arc::clone(&order));
        let mut next = Box::pin(async move {
            let taken = identities.take("douyin", None).await.unwrap();
            order.lock().unwrap().push(number);
            drop(taken);
        });
        assert!(futures_util::poll!(next.as_mut()).is_pending());
        waiting.push(next);
    }
    drop(taken);
    waiting.reverse();
    futures_util::future::join_all(waiting).await;
    assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3]);
}

#[tokio::test]
async fn a_visitor_is_nobody_s_and_forgotten() {
    let bench = Bench::new().await;
    let identities = bench.identities(1);
    let crawl = bench.crawl(&identities);
    let who = Who::Visitor { cookie: format!("Cookie: {COOKIE}"), user_agent: "Mine/2".to_owned() };
    crawl.look_up(&ask(who)).await.unwrap();
    assert_eq!(*bench.site.seen.visits.lock().unwrap(), [(COOKIE.to_owned(), "Mine/2".to_owned())]);
    assert!(identities.list().await.unwrap().is_empty());
    for (who, field) in [
        (Who::Visitor { cookie: "hush-hush-value".to_owned(), user_agent: String::new() }, "cookie"),
        (Who::Visitor { cookie: COOKIE.to_owned(), user_agent: "a\nb".to_owned() }, "user_agent"),
        (Who::named("somebody"), "identity"),
    ] {
        let error = crawl.look_up(&ask(who)).await.unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (Code::InvalidValue, Some(field)));
        assert!(!error.chain().contains("hush"));
    }
    let only = Some("stubb".to_owned());
    let error = crawl.look_up(&Ask { only, ..ask(Who::Anyone) }).await.unwrap_err();
    assert!(error.hint.contains("\"stub\""), "{}", error.hint);
}

#[tokio::test]
async fn cookies_stay_inside() {
    let bench = Bench::new().await;
    let identities = bench.identities(1);
    let crawl = bench.crawl(&identities);
    let proxied = NewIdentity { proxy: "http://me:hush-hush-proxy@127.0.0.1:9".to_owned(), ..new("proxied", COOKIE) };
    let proxied = identities.add(proxied).await.unwrap();
    assert!(proxied.proxied);
    identities.add(new("me", COOKIE)).await.unwrap();
    crawl.look_up(&ask(Who::named("me"))).await.unwrap();
    let error = crawl.look_up(&ask(Who::Named(proxied.identity.id))).await.unwrap_err();
    let text = format!("{:?} {error:?} {} {identities:?}", identities.list().await.unwrap(), error.chain());
    assert!(!text.contains("hush-hush"), "{text}");
    // A server's files are its own.
    let Ok(files) = std::fs::read_dir(bench.folder.path().join("data")) else { return };
    let bytes: Vec<u8> = files.flat_map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect();
    assert!(bytes.windows(9).any(|part| part == b"Browser/1"), "the right files are looked at");
    assert!(!bytes.windows(9).any(|part| part == b"hush-hush"));
}

#[tokio::test]
async fn another_key_is_told_and_a_new_cookie_helps() {
    let bench = Bench::new().await;
    let id = bench.identities(1).add(new("me", COOKIE)).await.unwrap().identity.id;
    let identities = bench.identities(2);
    let crawl = bench.crawl(&identities);
    let listed = identities.get(&id).await.unwrap();
    assert!(listed.cookies.is_empty() && listed.problem.unwrap().contains("another key"));
    crawl.resolve(LINK).await.unwrap();
    let error = crawl.look_up(&ask(Who::named("me"))).await.unwrap_err();
    assert_eq!((error.code, error.is_retryable()), (Code::Config, false));
    assert!(error.hint.contains("identities.key"), "{}", error.hint);
    let proxy = Change { proxy: Some(String::new()), ..Change::default() };
    assert_eq!(identities.change(&id, proxy).await.unwrap_err().code, Code::Config);
    let cookie = Change { cookie: Some(COOKIE.to_owned()), ..Change::default() };
    let error = identities.change(&id, cookie.clone()).await.unwrap_err();
    assert_eq!((error.code, error.field.as_deref()), (Code::InvalidValue, Some("proxy")));
    let cookie = Change { proxy: Some(String::new()), ..cookie };
    assert_eq!(identities.change(&id, cookie).await.unwrap().problem, None);
    crawl.resolve(LINK).await.unwrap();
    assert_eq!(bench.cookies(), ["", COOKIE]);
}

#[tokio::test]
async fn a_proxy_is_its_identity_s_alone() {
    let mut bench = Bench::new().await;
    // Nothing stands in for the platform: only the proxy can be reached.
    bench.config.net.host_map.clear();
    let identities = bench.identities(1);
    let crawl = bench.crawl(&identities);
    let proxied = NewIdentity { proxy: bench.address.clone(), ..new("me", COOKIE) };
    let id = identities.add(proxied).await.unwrap().identity.id;
    crawl.resolve(LINK).await.unwrap();
    crawl.resolve(LINK).await.unwrap();
    assert_eq!(bench.cookies(), [COOKIE, COOKIE]);
    for bad in ["socks5://hush:1", "hush", "http://hush/path", "http://a:b\n@c"] {
        let change = Change { proxy: Some(bad.to_owned()), ..Change::default() };
        let error = identities.change(&id, change).await.unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (Code::InvalidValue, Some("proxy")), "{bad}");
        assert!(!error.chain().contains("hush"));
    }
    for inside in ["http://10.0.0.1:3128", "http://localhost:3128", "http://me:hush@[::1]:1"] {
        let change = Change { proxy: Some(inside.to_owned()), ..Change::default() };
        let error = identities.change(&id, change).await.unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (Code::AddressRefused, Some("proxy")), "{inside}");
        assert!(!error.chain().contains("hush") && !error.chain().contains("10.0"));
    }
    assert!(crawl.net_for(&id).await.unwrap().is_some());
    identities.change(&id, Change { proxy: Some(String::new()), ..Change::default() }).await.unwrap();
    assert!(crawl.net_for(&id).await.unwrap().is_none());
    assert!(!identities.get(&id).await.unwrap().proxied);
    identities.remove(&id).await.unwrap();
    assert_eq!(identities.remove(&id).await.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn what_is_added_must_make_sense() {
    let bench = Bench::new().await;
    let identities = bench.identities(1);
    let added = identities.add(new("me", COOKIE)).await.unwrap();
    let long = "x".repeat(65);
    for (wrong, code, field) in [
        (NewIdentity { platform: "web".to_owned(), ..new("a", COOKIE) }, Code::InvalidValue, "platform"),
        (new("", COOKIE), Code::InvalidValue, "name"),
        (new("none", COOKIE), Code::InvalidValue, "name"),
        (new(&long, COOKIE), Code::InvalidValue, "name"),
        (new("me", COOKIE), Code::Conflict, "name"),
        (new("a", "hush-hush"), Code::InvalidValue, "cookie"),
        (NewIdentity { user_agent: "é".to_owned(), ..new("a", COOKIE) }, Code::InvalidValue, "user_agent"),
    ] {
        let error = identities.add(wrong).await.unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (code, Some(field)));
    }
    let renamed = Change { name: Some("you".to_owned()), ..Change::default() };
    let renamed = identities.change(&added.identity.id, renamed).await.unwrap();
    assert_eq!((renamed.identity.name.as_str(), renamed.cookies), ("you", added.cookies));
    assert_eq!(identities.change("x", Change::default()).await.unwrap_err().code, Code::NotFound);
}

#[test]
fn a_platform_s_domain_is_the_end_of_its_host() {
    for (host, domain) in
        [("www.douyin.com", "douyin.com"), ("douyin.com", "douyin.com"), ("http://127.0.0.1:9", ""), ("", "")]
    {
        assert_eq!(site(Some(&host.to_owned())), domain);
    }
}
