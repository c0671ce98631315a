//! Every class of error has a scene that ends in it.

use async_trait::async_trait;
use serde_json::Value;

use super::fixture;
use crate::{
    CrawlError, Crawlers, ErrorClass, ListRequest, Real, Request, Response, Transport, TransportError, With,
    stub::{hasty, said},
};

/// What is pasted, with which strategy, and what every request is answered with.
struct Scene {
    link: &'static str,
    only: Option<&'static str>,
    says: Says,
    is_list: bool,
}

enum Says {
    /// What the manifest's entry with this file or name says, which must expect the class.
    Entry(&'static str),
    /// A fixture that is right elsewhere.
    Fixture(&'static str),
    /// This: status, a header, body.
    This(u16, (&'static str, &'static str), &'static str),
    /// Nothing: the network is down.
    Nothing,
}

use Says::{Entry, Fixture, Nothing, This};

const DOUYIN: &str = "https://www.douyin.com/video/7600000000000000101";
const TIKTOK: &str = "https://www.tiktok.com/@weekly.wren/video/7611111111111111111";
const PAGE: &str = "https://page.example/talk";
const HTML: (&str, &str) = ("Content-Type", "text/html");

/// The scene of a class. The compiler sees to it that none is forgotten.
fn scene(class: ErrorClass) -> Scene {
    let post = |link, only, says| Scene { link, only: Some(only), says, is_list: false };
    let web = |link, says| Scene { link, only: None, says, is_list: false };
    match class {
        ErrorClass::InvalidLink => web("https://www.douyin.com@evil.example/", Nothing),
        ErrorClass::Transport => web(PAGE, Nothing),
        ErrorClass::NotFound => {
            post("https://www.douyin.com/video/7600000000000000407", "web_detail", Entry("douyin/status_2053.json"))
        }
        ErrorClass::Private => post(
            "https://www.tiktok.com/@gone/video/7611111111111010216",
            "page",
            Entry("tiktok/video_page_status_10216.html"),
        ),
        ErrorClass::LoginRequired => post(DOUYIN, "web_detail", Entry("douyin/status_login_required.json")),
        ErrorClass::RegionBlocked => post(TIKTOK, "page", This(451, HTML, "")),
        ErrorClass::Unavailable => web(
            PAGE,
            This(
                200,
                ("Content-Type", "application/dash+xml"),
                r#"<MPD type="static"><ContentProtection schemeIdUri="urn:x"/><Period/></MPD>"#,
            ),
        ),
        ErrorClass::Blocked => post(DOUYIN, "web_detail", Entry("douyin/detail_empty_body.txt")),
        ErrorClass::SiteError => web(PAGE, This(503, HTML, "")),
        ErrorClass::Captcha => post(DOUYIN, "web_detail", Entry("douyin/captcha_page.html")),
        ErrorClass::SignatureRejected => post(DOUYIN, "web_detail", Entry("douyin/detail_403_argus.txt")),
        ErrorClass::RateLimited => post(DOUYIN, "tikhub", Entry("tikhub/error_429.json")),
        ErrorClass::Credentials => post(TIKTOK, "tikhub", Entry("tikhub/error_401.json")),
        ErrorClass::IdMismatch => {
            post("https://www.douyin.com/video/7600000000000000999", "web_detail", Fixture("douyin/detail_video.json"))
        }
        ErrorClass::ShortLinkDead => web("https://v.douyin.com/iGone404/", Entry("v.douyin.com/iGone404/")),
        ErrorClass::RedirectNotAllowed => {
            web("https://vm.tiktok.com/ZMaway/", This(302, ("Location", "https://evil.example/"), ""))
        }
        ErrorClass::NoMediaFound => web(PAGE, Entry("generic/no_media.html")),
        ErrorClass::EmptyMedia => web(PAGE, This(200, ("Content-Type", "audio/mpeg"), "")),
        ErrorClass::LiveNotSupported => web("https://live.douyin.com/123456", Nothing),
        ErrorClass::PagingLoop => Scene {
            link: "https://www.tiktok.com/@weekly.wren/playlist/x-7611111111111118001",
            only: None,
            says: This(
                200,
                ("Content-Type", "application/json"),
                r#"{"itemList":[{"id":"1"}],"hasMore":1,"cursor":30}"#,
            ),
            is_list: true,
        },
    }
}

#[tokio::test]
async fn every_class_can_be_reached() {
    let mut settings = hasty();
    settings.tikhub.key = "key".into();
    let manifest: Value = serde_json::from_str(&fixture("manifest.json")).unwrap();
    for class in ErrorClass::ALL {
        let crawlers = Crawlers::new(settings.clone()).unwrap();
        let scene = scene(class);
        let error = scene.play(&crawlers, &manifest, class).await;
        assert_eq!(error.class, class, "{}: {error:?}", scene.link);
        assert!(!error.message.is_empty() && error.retryable() == class.retryable(), "{error:?}");
    }
}

impl Scene {
    async fn play(&self, crawlers: &Crawlers, manifest: &Value, class: ErrorClass) -> CrawlError {
        let stage = Stage { answer: self.says.answer(manifest, class) };
        let with = With { transport: &stage, identity: None, external: None, chance: &Real, only: self.only };
        if self.is_list {
            // A second page, so that a list has something to repeat.
            let request = ListRequest { cursor: Some("30".to_owned()), ..ListRequest::default() };
            return crawlers.list(self.link, &request, with).await.unwrap_err();
        }
        crawlers.resolve(self.link, with).await.unwrap_err()
    }
}

impl Says {
    fn answer(&self, manifest: &Value, class: ErrorClass) -> Option<Response> {
        match self {
            Entry(name) => {
                let is_it = |entry: &&Value| entry["file"] == *name || entry["name"] == *name;
                let entry = manifest["fixtures"].as_array().unwrap().iter().find(is_it).unwrap();
                let expect = &entry["expect"];
                assert!(expect["class"] == class.as_str(), "{name} expects {expect}");
                let headers = entry["headers"].as_object().unwrap().iter();
                let headers: Vec<_> = headers.map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
                let body = entry["file"].as_str().map(fixture).unwrap_or_default();
                Some(said(u16::try_from(entry["status"].as_u64().unwrap()).unwrap(), &headers, body))
            }
            Fixture(name) => Some(said(200, &[], fixture(name))),
            This(status, header, body) => Some(said(*status, &[*header], *body)),
            Nothing => None,
        }
    }
}

/// The network of a scene.
struct Stage {
    answer: Option<Response>,
}

#[async_trait]
impl Transport for Stage {
    async fn fetch(&self, request: Request) -> Result<Response, TransportError> {
        let answer = self.answer.clone().ok_or_else(|| TransportError {
            code: "net.unreachable".into(),
            message: "The network is down.".into(),
            retryable: false,
            retry_after: None,
        })?;
        Ok(Response { url: request.url, ..answer })
    }
}
