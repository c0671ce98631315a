//! From a request to its caller, or to why it may not go on.

use std::net::IpAddr;

use poem::{
    Addr, Request,
    http::{HeaderMap, Method, header},
};

use super::{COOKIE, Need, counted::counted, need};
use crate::{
    access::{Access, Shown},
    api::cors::Welcome,
    domain::{Caller, Scope, TaskId},
    error::{Code, Error, Result},
    queue::Queue,
};

/// The paths below which everything is about the task that they name first.
const OF_TASKS: &str = "/api/tasks/";

/// What is asked before each operation.
#[derive(Clone)]
pub(in crate::api) struct Gate {
    /// Who may call.
    pub access: Access,
    /// Whose tasks are whose.
    pub queue: Queue,
}

/// What is asked before one operation.
#[derive(Clone, Copy, Debug)]
pub(in crate::api) struct Guarded {
    need: Need,
    /// Whether the path's first parameter is a task.
    of_task: bool,
}

impl Guarded {
    /// An operation by its id and its path, as in `/api/tasks/:id/media`.
    pub(in crate::api) fn of(operation: &str, path: &str) -> Self {
        let of_task = path.strip_prefix(OF_TASKS).is_some_and(|rest| rest.starts_with([':', '{']));
        Self { need: need(operation), of_task }
    }
}

impl Gate {
    /// Lets a request through and notes its caller, or says why not.
    pub(in crate::api) async fn pass(&self, guarded: Guarded, request: &mut Request) -> Result<()> {
        let Some(scope) = guarded.need.scope() else { return Ok(()) };
        let address = address(request);
        // A page of another site shows a token of its own: the cookie is the visitor's.
        let cookie = session(request.headers()).filter(|_| request.data::<Welcome>().is_none());
        let caller = self.access.caller(shown(request.headers(), cookie.as_deref()), address).await?;
        self.access.count_request(caller.token);
        if !caller.scopes.allow(scope) {
            let detail = format!("The access token does not have the scope \"{}\"", scope.as_str());
            return Err(Error::new(Code::Forbidden, detail));
        }
        if guarded.of_task {
            self.own_task(caller, request).await?;
        }
        let length = request.header(header::CONTENT_LENGTH).and_then(|length| length.parse().ok()).unwrap_or(0);
        if guarded.need == Need::Make {
            self.access.limit(caller, address)?;
            self.access.admit(caller, length).await?;
        } else if length > 0 {
            self.access.admit_bytes(caller, length).await?;
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let body = request.take_body();
            request.set_body(counted(body, self.access.clone(), caller.token));
        }
        request.set_data(caller);
        Ok(())
    }

    /// Tells of somebody else's task what is told of one that is not there.
    async fn own_task(&self, caller: Caller, request: &Request) -> Result<()> {
        if caller.scopes.allow(Scope::Admin) {
            return Ok(());
        }
        // What is no number is for the handler to refuse, which reads it in the same way.
        let Some(Ok(id)) = request.raw_path_param("param0").map(str::parse) else { return Ok(()) };
        match self.queue.store().task(TaskId(id)).await? {
            Some(task) if caller.may_see(task.owner) => Ok(()),
            _ => Err(Error::new(Code::NotFound, format!("There is no task {id}"))),
        }
    }
}

/// What a request shows, the first of: `Authorization: Bearer`, `X-API-Key`, the session's cookie.
fn shown<'a>(headers: &'a HeaderMap, session: Option<&'a str>) -> Shown<'a> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default().trim());
    let bearer = text("authorization").and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    match bearer.or_else(|| text("x-api-key")).filter(|key| !key.is_empty()) {
        Some(key) => Shown::Key(key),
        None => session.map_or(Shown::Nothing, Shown::Session),
    }
}

/// The session's cookie.
fn session(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value.to_owned())
}

/// Where a request comes from.
pub(in crate::api) fn address(request: &Request) -> Option<IpAddr> {
    match &request.remote_addr().0 {
        Addr::SocketAddr(address) => Some(address.ip()),
        _ => None,
    }
}

/// Whether a browser reaches the daemon over HTTPS: by what its page or the proxy in front says.
pub(in crate::api) fn secure(headers: &HeaderMap) -> bool {
    let begins = |name: &str, with: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.trim().get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with)))
    };
    begins("x-forwarded-proto", "https") || begins("origin", "https://")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(given: &[(&'static str, &str)]) -> HeaderMap {
        given.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_first_that_is_shown_counts() {
        let of = |given: &[(&'static str, &str)]| {
            let headers = headers(given);
            let cookie = session(&headers);
            format!("{:?}", shown(&headers, cookie.as_deref()))
        };
        assert_eq!(of(&[]), "Nothing");
        assert_eq!(
            of(&[("authorization", "Bearer a"), ("x-api-key", "b"), ("cookie", "trawl_session=c")]),
            "Key(\"a\")"
        );
        assert_eq!(of(&[("authorization", "bearer  a ")]), "Key(\"a\")");
        assert_eq!(of(&[("authorization", "Basic a"), ("x-api-key", "b")]), "Key(\"b\")");
        assert_eq!(of(&[("authorization", "Bearer "), ("cookie", "x=1; trawl_session=c; y")]), "Session(\"c\")");
        assert_eq!(of(&[("cookie", "xtrawl_session=c")]), "Nothing");
    }

    #[test]
    fn https_is_told_by_page_or_proxy() {
        assert!(secure(&headers(&[("x-forwarded-proto", "https, http")])));
        assert!(secure(&headers(&[("origin", "https://a.example")])));
        assert!(!secure(&headers(&[("origin", "http://https.example")])) && !secure(&headers(&[])));
    }
}
