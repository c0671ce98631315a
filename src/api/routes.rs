//! Which paths there are: for 404s that help and 405s that say what is allowed.

use std::collections::BTreeSet;

use poem::http::Method;
use poem_openapi::OpenApi;

use crate::{
    domain::options::COMPARED,
    error::{Code, Error},
};

/// How like a path must be to be suggested.
const LIKENESS: f64 = 0.8;

/// Every path with its methods.
#[derive(Clone, Debug, Default)]
pub(super) struct Routes {
    base: String,
    /// How many of the routes are pages; they stand first.
    pages: usize,
    routes: Vec<(String, Vec<Method>)>,
    /// Whether these are only what a node without tasks answers.
    is_part: bool,
}

/// What every node answers.
const HEALTH: [&str; 3] = ["/live", "/ready", "/metrics"];

impl Routes {
    /// The paths of an API below `base`, and the pages beside it.
    pub(super) fn of<T: OpenApi>(base: &str, pages: &[&str]) -> Self {
        let mut routes: Vec<(String, Vec<Method>)> =
            pages.iter().map(|page| ((*page).to_owned(), vec![Method::GET])).collect();
        for path in T::meta().into_iter().flat_map(|api| api.paths) {
            let methods = path.operations.iter().map(|operation| operation.method.clone()).collect();
            routes.push((path.path, methods));
        }
        Self { base: base.to_owned(), pages: pages.len(), routes, is_part: false }
    }

    /// Those that a worker has: how it is.
    pub(super) fn of_health<T: OpenApi>(base: &str) -> Self {
        let mut all = Self::of::<T>(base, &[]);
        all.routes.retain(|(path, _)| HEALTH.contains(&path.as_str()));
        Self { is_part: true, ..all }
    }

    /// What the paths of the API begin with: `/api`, `/live`, …; the pages not.
    pub(super) fn heads(&self) -> BTreeSet<String> {
        let head = |path: &str| format!("/{}", path.split('/').nth(1).unwrap_or_default());
        self.routes[self.pages..].iter().map(|(path, _)| head(path)).collect()
    }

    /// Whether a path below the base is neither a page's nor begins like the API's.
    pub(super) fn is_free(&self, path: &str) -> bool {
        let Some(below) = path.strip_prefix(&self.base).filter(|below| below.starts_with('/')) else { return false };
        let begins = |pattern: &str| pattern.split('/').nth(1) == below.split('/').nth(1);
        self.routes[self.pages..].iter().all(|(pattern, _)| !begins(pattern)) && self.pattern(path).is_none()
    }

    /// A path without the base.
    pub(super) fn below<'a>(&self, path: &'a str) -> &'a str {
        path.strip_prefix(&self.base).unwrap_or(path)
    }

    /// The pattern of a path: what is told of it where its ids must not be. None when there is no such path.
    pub(super) fn pattern(&self, path: &str) -> Option<&str> {
        let path = path.strip_prefix(&self.base)?;
        self.routes.iter().map(|(pattern, _)| pattern.as_str()).find(|pattern| matches(pattern, path))
    }

    /// The methods of a path, for `Allow`.
    pub(super) fn allow(&self, path: &str) -> Option<String> {
        let path = path.strip_prefix(&self.base)?;
        // A path that stands there word for word goes before one with a name in it.
        let fitting = self.routes.iter().filter(|(pattern, _)| matches(pattern, path));
        let (_, methods) = fitting.min_by_key(|(pattern, _)| pattern.matches(['{', ':']).count())?;
        let mut words: Vec<&str> = methods.iter().map(Method::as_str).collect();
        if words.contains(&"GET") {
            words.push("HEAD");
        }
        Some(words.join(", "))
    }

    /// The error for a path that does not exist, with those that are like it.
    pub(super) fn not_found(&self, path: &str) -> Error {
        let error = Error::new(Code::NotFound, "There is nothing at this path");
        if self.is_part {
            return error.with_hint(format!("This node only works (`server.role`): it answers {}.", HEALTH.join(", ")));
        }
        let path = path.strip_prefix(&self.base).unwrap_or(path);
        // Comparing takes its time, and nothing that long is like any of them.
        let patterns = self.routes.iter().filter(|_| path.len() <= COMPARED);
        let mut near: Vec<(f64, &String)> = patterns
            .map(|(pattern, _)| (strsim::jaro_winkler(path, pattern), pattern))
            .filter(|(likeness, _)| *likeness > LIKENESS)
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        let near: Vec<String> = near.iter().take(3).map(|(_, pattern)| format!("{}{pattern}", self.base)).collect();
        let docs = format!("{}/docs lists every path", self.base);
        error.with_hint(match near.is_empty() {
            true => format!("{docs}."),
            false => format!("Did you mean {}? {docs}.", near.join(" or ")),
        })
    }
}

/// Whether a path fits a pattern such as `/api/tasks/{id}`.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    let is_name = |segment: &str| segment.starts_with('{') || segment.starts_with(':');
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given || (is_name(wanted) && !given.is_empty()) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes() -> Routes {
        let route = |path: &str, methods: &[Method]| (path.to_owned(), methods.to_vec());
        let list = vec![
            route("/docs", &[Method::GET]),
            route("/api/tasks", &[Method::GET, Method::POST]),
            route("/api/tasks/{id}", &[Method::GET, Method::DELETE]),
            route("/api/tasks/{id}/cancel", &[Method::POST]),
            route("/api/tasks/batch", &[Method::POST]),
        ];
        Routes { base: "/x".to_owned(), pages: 1, routes: list, is_part: false }
    }

    #[test]
    fn the_methods_of_a_path_are_known() {
        assert_eq!(routes().allow("/x/api/tasks/7").as_deref(), Some("GET, DELETE, HEAD"));
        assert_eq!(routes().allow("/x/api/tasks/7/cancel").as_deref(), Some("POST"));
        assert_eq!(routes().allow("/x/api/tasks/batch").as_deref(), Some("POST"));
        assert_eq!(routes().allow("/x/api/tasks/"), None);
        assert_eq!(routes().allow("/api/tasks/7"), None);
    }

    #[test]
    fn the_pattern_of_a_path_holds_no_id() {
        assert_eq!(routes().pattern("/x/api/tasks/7"), Some("/api/tasks/{id}"));
        assert_eq!(routes().pattern("/x/docs"), Some("/docs"));
        assert_eq!(routes().pattern("/x/wp-login.php"), None);
    }

    #[test]
    fn the_api_is_known_by_how_its_paths_begin() {
        assert_eq!(routes().heads().into_iter().collect::<Vec<_>>(), ["/api"]);
    }

    #[test]
    fn what_nobody_answers_is_free() {
        for (path, is_free) in [
            ("/x/nothing", true),
            ("/x/tasks/7/here", true),
            ("/x/api", false),
            ("/x/api/nothing", false),
            ("/x/docs", false),
            ("/nothing", false),
        ] {
            assert_eq!(routes().is_free(path), is_free, "{path}");
        }
    }

    #[test]
    fn near_paths_are_named() {
        assert!(routes().not_found("/x/api/task").hint.starts_with("Did you mean /x/api/tasks"));
        assert_eq!(routes().not_found("/wp-login.php").hint, "/x/docs lists every path.");
    }
}
