//! A server that answers as the platform does: to signed requests of known visitors, and to nobody else.

use serde_json::Value;

use crate::{
    Method, Request, Response, signatures,
    stub::{header, said},
};

/// What it serves: answers for requests that begin so (host and path), tried in order.
#[derive(Default)]
pub(super) struct Server {
    answers: Vec<(String, Answer)>,
}

type Answer = Box<dyn Fn(&Request) -> Response + Send + Sync>;

impl Server {
    /// Serves `status` and `body` at everything that begins with `place`: a host and a path.
    pub(super) fn at(self, place: &str, status: u16, body: &str) -> Self {
        let body = with_hosts(body);
        self.when(place, move |_| said(status, &[("Content-Type", "application/json; charset=utf-8")], body.clone()))
    }

    /// Asks `answer` for everything that begins with `place`.
    pub(super) fn when(mut self, place: &str, answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        self.answers.push((place.to_owned(), Box::new(answer)));
        self
    }

    /// Serves an entry of the manifest at its host and path, with its headers.
    pub(super) fn entry(self, entry: &Value, body: &str) -> Self {
        let answers = &entry["answers"];
        let path = answers["path"].as_str().unwrap();
        let default = if entry["file"].as_str().is_some_and(|file| file.starts_with("tikhub/")) {
            "api.tikhub.io"
        } else {
            "www.douyin.com"
        };
        let place = format!("{}{path}", answers["host"].as_str().unwrap_or(default));
        let status = u16::try_from(entry["status"].as_u64().unwrap()).unwrap();
        let (entry, body) = (entry.clone(), with_hosts(body));
        self.when(&place, move |_| {
            let headers: Vec<_> = entry["headers"].as_object().into_iter().flatten().collect();
            let headers: Vec<_> =
                headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
            said(status, &headers, body.clone())
        })
    }

    pub(super) fn answer(&self, request: &Request) -> Response {
        let place = format!("{}{}", request.url.host_str().unwrap(), request.url.path());
        if place.starts_with("ttwid.bytedance.com/") {
            assert_eq!(request.method, Method::Post);
            let asked: Value = serde_json::from_slice(&request.body).unwrap();
            assert_eq!((&asked["aid"], &asked["service"]), (&1768.into(), &"www.ixigua.com".into()));
            let cookie = "ttwid=1%7CinventedTtwidValue%7C1793600000%7Cdeadbeef; Path=/; Domain=bytedance.com; HttpOnly";
            return said(200, &[("Set-Cookie", cookie)], fixture!("douyin/ttwid_register.json"));
        }
        if place.starts_with("www.douyin.com/aweme/v1/web/") && !is_believed(request) {
            return said(200, &[], "");
        }
        if place.contains("/slidesinfo/") && request.url.query().unwrap().contains("a_bogus") {
            return said(200, &[], r#"{"status_code":0,"aweme_details":[]}"#);
        }
        if place.starts_with("www.iesdouyin.com/") {
            assert!(header(request, "User-Agent").unwrap().contains("iPhone"));
            assert_eq!(header(request, "Cookie"), None);
        }
        let found = self.answers.iter().find(|(known, _)| place.starts_with(known));
        found.map_or_else(|| said(404, &[], "nothing here"), |(_, answer)| answer(request))
    }
}

/// Whether the signature is that of this query and user agent, of today, and the visitor is known.
pub(super) fn is_believed(request: &Request) -> bool {
    let (Some(query), Some(user_agent)) = (request.url.query(), header(request, "User-Agent")) else { return false };
    let Some(time) = signatures::signed_at(query, "GET", user_agent) else { return false };
    let now = u64::try_from(chrono::Utc::now().timestamp_millis()).unwrap() & 0xFF_FFFF_FFFF;
    let is_known = header(request, "Cookie").is_some_and(|cookie| cookie.contains("ttwid="));
    is_known && now.abs_diff(time) < 86_400_000
}

pub(super) fn with_hosts(body: &str) -> String {
    body.replace("MEDIA_HOST", "media.example")
}
