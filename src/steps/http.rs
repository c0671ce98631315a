//! `http`: one request to a server, through the daemon's door.
//!
//! Callers may rely on this: secrets are sent to hosts that they are bound to, and never along with a redirect to another
//! one; every try of the step carries the same `Idempotency-Key`; what the server says gets into the output alone, never
//! into an error.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use url::{Url, form_urlencoded::Serializer};

use super::{Job, Outcome, stopped};
use crate::{
    error::{Code, Error, Result},
    net::{Reply, Request},
    secrets::holds_any,
    workflow::kinds::http::{Auth, Expected, Output, With},
};

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];
/// For one try.
const TIMEOUT: Duration = Duration::from_secs(30);
const TIMEOUTS: std::ops::RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(600);
/// The largest answer, unless the step says otherwise.
const MAX_BYTES: u64 = 1024 * 1024;
/// What of the answer's head is told.
const TOLD: [&str; 5] = ["content-type", "date", "etag", "last-modified", "link"];
/// Headers that every host may see when a redirect leads to it, so that no secret may stand there.
const PUBLIC: [&str; 3] = ["accept", "user-agent", "referer"];
/// The fields that may hold secrets.
const SECRET: [&str; 3] = ["headers", "query", "auth"];

pub(super) async fn run(job: &Job<'_>) -> Result<Outcome> {
    let mut with: With = job.input()?;
    let mut url = job.services.net.check_url(&with.url)?;
    let host = url.host_str().unwrap_or_default().to_owned();
    reveal(job, &mut with, &host).await?;
    extend(&mut url, &with.query)?;
    let timeout = with.timeout.map_or(TIMEOUT, |span| span.0);
    if !TIMEOUTS.contains(&timeout) {
        return Err(wrong("timeout", "must be from 100ms to 10m"));
    }
    let max_bytes = with.max_bytes.unwrap_or(MAX_BYTES);
    let (body, content_type) = body(&with)?;
    let method = match (&with.method, &body) {
        (Some(method), _) => method.to_ascii_uppercase(),
        (None, Some(_)) => "POST".to_owned(),
        (None, None) => "GET".to_owned(),
    };
    if !METHODS.contains(&method.as_str()) {
        return Err(wrong("method", &format!("must be one of {}", METHODS.join(", "))));
    }
    let headers = headers(job, &with, content_type)?;
    let request = Request { method, url: url.into(), headers, body, timeout, max_bytes };
    let reply = tokio::select! {
        reply = job.services.net.send(request) => reply?,
        () = job.cancel.cancelled() => return Err(stopped()),
    };
    if !is_expected(&with.expect_status, reply.status) {
        return Err(refused(&reply, &host));
    }
    if reply.truncated {
        return Err(Error::new(Code::TooLarge, format!("{host} answered with more than {max_bytes} bytes"))
            .with_hint("Ask for less, or raise the step's `max_bytes`; `net.max_page_bytes` is the limit of all."));
    }
    Ok(json!(output(&reply)).into())
}

/// Fills in the fields that hold secrets, for this host.
async fn reveal(job: &Job<'_>, with: &mut With, host: &str) -> Result<()> {
    let fields: Map<String, Value> =
        SECRET.iter().map(|name| ((*name).to_owned(), job.template(name).clone())).collect();
    let given = fields["headers"].as_object().into_iter().flatten();
    if let Some((name, _)) = given.into_iter().find(|(name, value)| is_public(name) && holds_any(value)) {
        return Err(wrong(
            "headers",
            &format!("cannot hold a secret in {}, which other hosts may see", name.escape_debug()),
        ));
    }
    let fields = Value::Object(fields);
    if !holds_any(&fields) {
        return Ok(());
    }
    let mut filled = job.services.secrets.reveal(&fields, job.scope, host).await?;
    // No error of serde's: it could tell what is in the field.
    let unfit = |name: &str| wrong(name, "holds something else than text after its secrets are filled in");
    if !filled["headers"].is_null() {
        with.headers = serde_json::from_value(filled["headers"].take()).map_err(|_| unfit("headers"))?;
    }
    if !filled["query"].is_null() {
        with.query = serde_json::from_value(filled["query"].take()).map_err(|_| unfit("query"))?;
    }
    with.auth = serde_json::from_value(filled["auth"].take()).map_err(|_| unfit("auth"))?;
    Ok(())
}

fn is_public(name: &str) -> bool {
    PUBLIC.iter().any(|public| name.eq_ignore_ascii_case(public))
}

/// Adds to the link's query.
fn extend(url: &mut Url, query: &Map<String, Value>) -> Result<()> {
    let pairs = pairs(query, "query")?;
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    Ok(())
}

/// Names with their values: a list repeats its name, a null leaves it out.
fn pairs(fields: &Map<String, Value>, field: &str) -> Result<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    for (name, value) in fields {
        let values = match value {
            Value::Array(items) => items.as_slice(),
            value => std::slice::from_ref(value),
        };
        for value in values.iter().filter(|value| !value.is_null()) {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                _ => return Err(wrong(field, &format!("holds something else than text in {}", name.escape_debug()))),
            };
            pairs.push((name.clone(), text));
        }
    }
    Ok(pairs)
}

/// What is sent, and what it is.
fn body(with: &With) -> Result<(Option<Bytes>, Option<&'static str>)> {
    Ok(match (&with.json, &with.body, &with.form) {
        (None, None, None) => (None, None),
        (Some(json), None, None) => (Some(json.to_string().into()), Some("application/json")),
        (None, Some(text), None) => (Some(text.clone().into()), Some("text/plain; charset=utf-8")),
        (None, None, Some(form)) => {
            let text = Serializer::new(String::new()).extend_pairs(pairs(form, "form")?).finish();
            (Some(text.into()), Some("application/x-www-form-urlencoded"))
        }
        _ => return Err(wrong("body", "cannot go together with another of `json`, `body` and `form`")),
    })
}

fn headers(job: &Job<'_>, with: &With, content_type: Option<&str>) -> Result<Vec<(String, String)>> {
    let mut headers: Vec<(String, String)> = with.headers.clone().into_iter().collect();
    let has = |headers: &[(String, String)], name: &str| headers.iter().any(|(one, _)| one.eq_ignore_ascii_case(name));
    let authorization = with.auth.as_ref().map(|auth| match auth {
        Auth::Bearer { bearer } => format!("Bearer {bearer}"),
        Auth::Basic { user, password } => format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))),
    });
    if authorization.is_some() && has(&headers, "authorization") {
        return Err(wrong("auth", "cannot go together with the header `authorization`"));
    }
    let own = [
        ("authorization", authorization),
        ("content-type", content_type.map(str::to_owned)),
        ("idempotency-key", Some(job.idempotency_key())),
    ];
    for (name, value) in own {
        if let Some(value) = value.filter(|_| !has(&headers, name)) {
            headers.push((name.to_owned(), value));
        }
    }
    Ok(headers)
}

fn is_expected(expected: &Option<Expected>, status: u16) -> bool {
    match expected {
        None => (200..300).contains(&status),
        Some(Expected::One(one)) => *one == status,
        Some(Expected::Some(some)) => some.contains(&status),
    }
}

/// The error for a status that is not as it should be.
fn refused(reply: &Reply, host: &str) -> Error {
    let status = reply.status;
    let (code, hint) = match status {
        404 | 410 => (Code::SourceNotFound, "Check the step's `url`."),
        401 | 403 | 407 => (Code::SourceForbidden, "Check what the step sends as `auth` or in `headers`."),
        408 | 504 => (Code::SourceTimeout, "The server is too slow; the step is tried again as its `retry` says."),
        429 => (Code::RateLimited, "The server asks for patience; the step is tried again as its `retry` says."),
        500.. => (Code::SourceError, "The server has a problem; the step is tried again as its `retry` says."),
        _ => (Code::InvalidRequest, "Check what the step sends, or name the status in `expect_status`."),
    };
    let detail = format!("{host} answered with status {status}");
    Error::new(code, detail).with_hint(hint).with_retry_after(reply.retry_after())
}

fn output(reply: &Reply) -> Output {
    let kind = reply.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let is_json = kind.eq_ignore_ascii_case("application/json") || kind.to_ascii_lowercase().ends_with("+json");
    let json = if is_json { serde_json::from_slice(&reply.body).ok() } else { None };
    let text = json.is_none().then(|| String::from_utf8_lossy(&reply.body).into_owned());
    let told = TOLD.iter().filter_map(|name| Some(((*name).to_owned(), reply.header(name)?.to_owned())));
    let headers: BTreeMap<String, String> = told.collect();
    Output { status: reply.status, headers, json: json.unwrap_or_default(), text }
}

fn wrong(field: &str, rule: &str) -> Error {
    Error::new(Code::InvalidWorkflow, format!("The field \"{field}\" of the step {rule}")).with_field(field)
}
