//! Who may import whom, and which outside crate is whose.

use super::scan::{names, own_modules, tokens};

/// The most lines that a file may have.
pub(super) const LINES: usize = 500;

/// The modules of the library from left to right: each may import what stands in an earlier row, never its neighbours.
/// `domain` stands after `error`, whose codes it speaks; `cli` stands before `main`, which hands over to it.
const ROWS: [&[&str]; 15] = [
    &["error", "fault"],
    &["domain", "seal", "metrics"],
    &["config"],
    &["net", "files", "store", "workflow", "subtitle", "zh"],
    &["queue", "media", "transcribe", "llm", "secrets", "access"],
    &["crawl"],
    &["intake", "doctor"],
    &["steps"],
    &["follow"],
    &["schedule", "watch", "traces", "retention", "backup"],
    &["runner", "delivery", "api"],
    &["app"],
    &["cli"],
    &["main"],
    &["lib"],
];

/// Outside crates that only some places may name.
const DOORS: [(&str, &[&str]); 23] = [
    ("cap_std", &["src/files"]),
    ("crawlers", &["src/config", "src/crawl", "src/steps", "src/intake", "src/follow", "src/api", "crawlers/src"]),
    ("sea_orm", &["src/store", "migrations/src"]),
    ("sea_orm_migration", &["src/store", "migrations/src"]),
    ("sqlx", &["src/store"]),
    ("migrations", &["src/store"]),
    ("poem", &["src/api"]),
    ("poem_openapi", &["src/api"]),
    ("reqwest", &["src/net"]),
    ("hyper", &["src/net"]),
    ("object_store", &["src/files"]),
    ("jsonwebtoken", &["src/access"]),
    ("whisper_rs", &["src/transcribe"]),
    ("whisper_rs_sys", &["src/transcribe", "accel/src"]),
    ("accel", &["src/transcribe"]),
    ("gemm", &["accel/src"]),
    ("ferrous_opencc", &["src/zh"]),
    ("symphonia", &["src/media"]),
    ("croner", &["src/workflow"]),
    ("prometheus_client", &["src/metrics"]),
    ("logroller", &["src/cli"]),
    ("chrono_tz", &["src/workflow"]),
    ("tokio_cron_scheduler", &["src/schedule"]),
];

/// What one file breaks, in sentences.
pub(super) fn breaches(path: &str, text: &str) -> Vec<String> {
    let parts: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
    if parts[1..].iter().any(|part| *part == "tests" || part.ends_with("_tests")) {
        return Vec::new();
    }
    let tokens = tokens(text);
    let mut found: Vec<String> = DOORS
        .iter()
        .filter(|(name, places)| names(&tokens, name) && !places.iter().any(|place| is_in(path, place)))
        .map(|(name, places)| format!("{path} names `{name}`, which belongs to {places:?}"))
        .collect();
    match parts[0] {
        "src" => found.extend(back_edges(path, &parts[1..], &tokens)),
        "migrations" => found.extend(names_any(path, &tokens, &["trawl", "crawlers", "entity", "entities"])),
        _ => found.extend(names_any(path, &tokens, &["trawl", "migrations"])),
    }
    found
}

fn back_edges(path: &str, parts: &[&str], tokens: &[String]) -> Vec<String> {
    let Some(own) = row(parts[0]) else {
        return vec![format!("{path}: module `{}` has no row in src/tests/architecture/rules.rs", parts[0])];
    };
    let is_root = matches!(parts[0], "main" | "lib");
    let depth = if is_root { 0 } else { parts.iter().filter(|part| **part != "mod").count() };
    let mut imported = own_modules(tokens, depth);
    imported.sort();
    imported.dedup();
    // What is no module (a macro, a re-export) has no row and is nobody's concern.
    let is_back = |name: &String| name != parts[0] && row(name).is_some_and(|other| other >= own);
    imported
        .into_iter()
        .filter(is_back)
        .map(|name| format!("{path} imports `{name}`, which is not to its left"))
        .collect()
}

fn row(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

/// The words that a package without any of ours may not hold at all, not even inside a path.
fn names_any(path: &str, tokens: &[String], words: &[&str]) -> Vec<String> {
    let is_held = |word: &&&str| tokens.iter().any(|token| token == **word);
    words.iter().filter(is_held).map(|word| format!("{path} names `{word}`, which is the daemon's")).collect()
}

fn is_in(path: &str, place: &str) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest.starts_with(['/', '.']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, text: &str, expected: usize) {
        let found = breaches(path, text);
        assert_eq!(found.len(), expected, "{path}: {text}: {found:?}");
    }

    #[test]
    fn imports_run_leftwards() {
        check("src/net/mod.rs", "use crate::{config::NetConfig, domain::Span, error::Result};", 0);
        check("src/net/mod.rs", "use crate::files::Store;", 1);
        check("src/net/guard/dns.rs", "use super::super::super::{runner, error};", 1);
        check("src/net/guard/dns.rs", "use super::super::runner;", 0);
        check("src/error.rs", "use crate::domain::Task;", 1);
        check("src/domain/task.rs", "use crate::error::Report;", 0);
        check("src/media/probe.rs", "fn f() { crawlers::resolve() }", 1);
        check("src/steps/resolve.rs", "use crawlers::Transport;", 0);
        check("src/steps/workflow.rs", "use crate::intake;", 0);
        check("src/intake/rerun.rs", "use crate::steps;", 1);
        check("src/api/native/tasks.rs", "use crate::{app::App, runner::Runner};", 2);
        check("src/main.rs", "use trawl::{cli, config::Config};", 0);
        check("src/app.rs", "use crate::cli::Args;", 1);
        check("src/helpers.rs", "", 1);
    }

    #[test]
    fn outside_crates_have_their_doors() {
        check("src/store/dialect.rs", "use sea_orm::Statement;", 0);
        check("src/queue/claim.rs", "use sea_orm::Statement;", 1);
        check("src/app.rs", "use poem::Server; fn f() { poem_openapi::x() }", 2);
        check("src/api.rs", "use poem::Server;", 0);
        check("src/apis.rs", "use poem::Server;", 2);
        check("src/llm/client.rs", "reqwest::Client::new()", 1);
        check("src/transcribe/whisper.rs", "use whisper_rs::WhisperContext;", 0);
        check("crawlers/src/generic/mod.rs", "use reqwest::Client;", 1);
    }

    #[test]
    fn the_side_packages_know_nothing_of_ours() {
        check("crawlers/src/lib.rs", "use trawl::error::Code;", 1);
        check("crawlers/src/lib.rs", "use crate::transport::Transport;", 0);
        check("migrations/src/m1.rs", "use sea_orm_migration::prelude::*;", 0);
        check("migrations/src/m1.rs", "use trawl::store::entities::task;", 2);
    }

    #[test]
    fn tests_may_do_what_they_like() {
        check("src/net/tests.rs", "use crate::app;", 0);
        check("src/tests/api/tasks.rs", "use reqwest::Client;", 0);
        check("src/net/mod.rs", "#[cfg(test)] mod tests { use crate::app; }", 0);
    }
}
