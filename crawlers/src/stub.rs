//! A transport in memory for tests: a function answers, and every request is kept.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{Crawlers, Identity, Real, Request, Response, Settings, Transport, TransportError, With};

pub(crate) struct Stub<F> {
    answer: F,
    requests: Mutex<Vec<Request>>,
}

impl<F: Fn(&Request) -> Response + Send + Sync> Stub<F> {
    pub(crate) fn new(answer: F) -> Self {
        Self { answer, requests: Mutex::default() }
    }

    /// What was asked so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The URLs of what was asked so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.requests().iter().map(|request| request.url.to_string()).collect()
    }

    pub(crate) fn with(&self) -> With<'_> {
        With { transport: self, identity: None, external: None, chance: &Real, only: None }
    }

    pub(crate) fn as_whom<'a>(&'a self, identity: &'a Identity) -> With<'a> {
        With { identity: Some(identity), ..self.with() }
    }
}

#[async_trait]
impl<F: Fn(&Request) -> Response + Send + Sync> Transport for Stub<F> {
    async fn fetch(&self, request: Request) -> Result<Response, TransportError> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        Ok(Response { url: request.url.clone(), ..(self.answer)(&request) })
    }
}

/// An answer to whatever was asked.
pub(crate) fn said(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Response {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Response { url: "http://unset.example/".parse().unwrap(), status, headers, body: body.into(), truncated: false }
}

/// The shipped settings without any pauses.
pub(crate) fn hasty() -> Settings {
    let mut settings = Settings::shipped();
    settings.pace.post_every = std::time::Duration::ZERO;
    settings.pace.list_every = std::time::Duration::ZERO;
    settings
}

pub(crate) fn crawlers() -> Crawlers {
    Crawlers::new(hasty()).unwrap()
}

/// The header of a request.
pub(crate) fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}
