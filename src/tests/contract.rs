//! What clients rely on, written down: the OpenAPI document, the table of errors and the schema of workflows.
//!
//! The files are made from the code. A change of the code that changes them must be meant: run the tests once with
//! `UPDATE_CONTRACT=1`, look at the difference, and commit it.

use serde_json::Value;
use trawl::error::Code;

use super::support::{TestApp, root};

/// Writes the file at `path` from the root, or compares it with what the code says now.
fn settle(path: &str, now: &str) {
    let (name, path) = (path, root().join(path));
    if std::env::var_os("UPDATE_CONTRACT").is_some() {
        std::fs::write(&path, now).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let mut lines = kept.lines().zip(now.lines()).enumerate();
    let differing = lines.find(|(_, (kept, now))| kept != now).map(|(index, (kept, now))| (index + 1, kept, now));
    let (line, kept_line, now_line) = differing.unwrap_or((kept.lines().count().min(now.lines().count()) + 1, "", ""));
    assert!(
        kept == now,
        "{name} is not what the code says, from line {line} on:\n  file: {kept_line}\n  code: {now_line}\n\
         If the change is meant: UPDATE_CONTRACT=1 cargo test --test integration contract, then commit the file."
    );
}

#[test]
fn the_openapi_document_is_the_committed_one() {
    settle("docs/openapi.json", &format!("{}\n", trawl::api::openapi()));
}

#[test]
fn the_schema_of_workflows_is_the_committed_one() {
    let schema = serde_json::to_string_pretty(trawl::workflow::schema::schema()).unwrap();
    settle("workflows/schema.json", &format!("{schema}\n"));
}

#[test]
fn the_table_of_errors_is_the_committed_one() {
    let mut text = String::from(
        "# Errors\n\n\
         Made from the code table in `src/error.rs` by `src/tests/contract.rs`; not to be edited.\n\n\
         Every failure has one of these codes: in the API (`application/problem+json`), in a task's or step's `error`, in\n\
         `trawl`'s messages and in the log. \"Again\" says whether a step that fails so is tried again by itself. The hint is\n\
         the usual one; where more is known, a better one is given.\n\n\
         | code | HTTP | again | hint |\n|---|---|---|---|\n",
    );
    for code in Code::ALL {
        let again = if code.class().is_retryable() { "yes" } else { "no" };
        text.push_str(&format!("| `{}` | {} | {again} | {} |\n", code.as_str(), code.status(), code.hint()));
    }
    settle("docs/errors.md", &text);
}

#[test]
fn every_status_of_the_table_is_one_that_means_failure() {
    for code in Code::ALL {
        assert!((400..600).contains(&code.status()), "{}", code.as_str());
        assert!(!code.hint().contains('|'), "{} would break the table", code.as_str());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_serves_the_same_document() {
    let app = TestApp::start().await;
    let served: Value = serde_json::from_str(&app.text("/openapi.json").await).unwrap();
    let printed: Value = serde_json::from_str(&trawl::api::openapi()).unwrap();
    assert_eq!(served, printed);
    app.finish().await;
}
