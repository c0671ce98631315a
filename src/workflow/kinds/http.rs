//! `http`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Kind;
use crate::domain::Span;

pub(super) struct Http;

impl Kind for Http {
    const WORD: &'static str = "http";
    const SECRETS: &'static [&'static str] = &["headers", "query", "auth"];
    const OURS: &'static [&'static str] = &["url", "method", "auth"];
    type With = With;
    type Output = Output;
}

/// Asks a server. Redirects are followed for GET and HEAD; secrets go to the hosts that they are bound to alone.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// Where.
    pub url: String,
    /// `GET`, `POST`, `PUT`, `PATCH`, `DELETE` or `HEAD`; without it `GET`, or `POST` where something is sent.
    #[serde(default)]
    pub method: Option<String>,
    /// Headers by name.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What is added to the link's query, by name.
    #[serde(default)]
    pub query: Map<String, Value>,
    /// Who we are: `{"bearer": "…"}` or `{"user": "…", "password": "…"}`.
    #[serde(default)]
    pub auth: Option<Auth>,
    /// JSON to send.
    #[serde(default)]
    pub json: Option<Value>,
    /// Text to send.
    #[serde(default)]
    pub body: Option<String>,
    /// Fields of a form to send.
    #[serde(default)]
    pub form: Option<Map<String, Value>>,
    /// For one try, from 100ms to 10m; `30s` when there is none.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub timeout: Option<Span>,
    /// The status, or a list of those, that is as it should be; any 2xx when there is none.
    #[serde(default)]
    pub expect_status: Option<Expected>,
    /// The largest answer in bytes, after decompression: 1 MiB when there is none, at most `net.max_page_bytes`.
    #[serde(default)]
    pub max_bytes: Option<u64>,
}

/// Who we are.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, untagged)]
pub enum Auth {
    /// A token.
    Bearer {
        /// It.
        bearer: String,
    },
    /// A name and a password.
    Basic {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
}

/// Which statuses are as they should be.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Expected {
    /// This one.
    One(u16),
    /// One of these.
    Some(Vec<u16>),
}

/// The answer.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The HTTP status.
    pub status: u16,
    /// Some headers by their names in lower case: `content-type`, `date`, `etag`, `last-modified`, `link`.
    pub headers: BTreeMap<String, String>,
    /// The body as JSON, where it is JSON; else null.
    pub json: Value,
    /// The body as text, where it is no JSON; else null.
    pub text: Option<String>,
}
