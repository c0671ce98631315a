//! A strict transport in memory: answers what it was told to, and fails the test on anything else.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use url::Url;

use crate::{Method, Request, Response, Transport, TransportError, link::is_fetchable};

/// One prepared answer.
#[derive(Clone)]
pub(super) struct Answer {
    url: Url,
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
    lands_at: Option<Url>,
}

/// A page of `page.example`, or of the host in `path` if it is a whole URL.
pub(super) fn page(path: &str, content_type: &str, body: impl AsRef<[u8]>) -> Answer {
    let base = Url::parse("http://page.example/").unwrap();
    let body = match std::str::from_utf8(body.as_ref()) {
        Ok(text) => text.replace("MEDIA_HOST", "media.example").into_bytes(),
        Err(_) => body.as_ref().to_vec(),
    };
    let headers =
        Vec::from_iter((!content_type.is_empty()).then(|| ("Content-Type".to_owned(), content_type.to_owned())));
    Answer { url: base.join(path).unwrap(), status: 200, headers, body: body.into(), lands_at: None }
}

impl Answer {
    pub(super) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The URL after redirects.
    pub(super) fn lands_at(mut self, url: &str) -> Self {
        self.lands_at = Some(self.url.join(url).unwrap());
        self
    }
}

pub(super) struct Site {
    answers: HashMap<Url, Answer>,
    asked: AtomicUsize,
}

impl Site {
    pub(super) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self { answers: answers.into_iter().map(|one| (one.url.clone(), one)).collect(), asked: AtomicUsize::new(0) }
    }

    /// How many requests were made.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Transport for Site {
    async fn fetch(&self, request: Request) -> Result<Response, TransportError> {
        assert!(is_fetchable(&request.url), "asked for {}", request.url);
        assert_eq!(request.method, Method::Get);
        assert!(request.headers.iter().all(|(name, _)| !name.eq_ignore_ascii_case("User-Agent")), "a user agent");
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut url = request.url.clone();
        url.set_fragment(None);
        let Some(answer) = self.answers.get(&url).cloned() else {
            return Err(TransportError {
                code: "test.unexpected".to_owned(),
                message: format!("nothing was prepared for {url}"),
                retryable: true,
                retry_after: None,
            });
        };
        let asked = |name: &str| request.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        let has = |name: &str| answer.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        let same = |asked: Option<&String>, has: Option<&String>| asked.is_some() && asked == has;
        if same(asked("If-None-Match"), has("ETag")) || same(asked("If-Modified-Since"), has("Last-Modified")) {
            return Ok(Response { url, status: 304, headers: Vec::new(), body: Bytes::new(), truncated: false });
        }
        let content_type =
            answer.headers.iter().find(|(name, _)| name == "Content-Type").map(|(_, value)| value.as_str());
        let read = request.body_limit(content_type).min(answer.body.len());
        Ok(Response {
            url: answer.lands_at.unwrap_or(url),
            status: answer.status,
            truncated: read < answer.body.len(),
            body: answer.body.slice(..read),
            headers: answer.headers,
        })
    }
}
