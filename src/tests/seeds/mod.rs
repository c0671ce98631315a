//! The requests of the systems that trawl takes the place of, as their documentation writes them: only host, port and file
//! names that stand for the reader's own are changed.

mod folder;
mod gone;
mod services;
mod services_more;
mod summary;
mod traditional;
mod webservice;
mod whisper_api;

use std::path::Path;

use serde_json::Value;
use tokio::process::Command;

use super::support::TestApp;

/// What curl does besides what is written: it stays on this machine, and tells the status behind the body.
const CURLRC: &str = "silent\nshow-error\nnoproxy = \"*\"\nmax-time = 80\nwrite-out = \"\\n%{http_code}\"\n";

/// Types a command in a folder with files, with the daemon in place of `host`. Returns status and body.
async fn typed(app: &TestApp, folder: &Path, host: &str, command: &str) -> (u16, String) {
    assert!(command.contains(host), "{command}");
    std::fs::write(folder.join(".curlrc"), CURLRC).unwrap();
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command.replace(host, &app.url)).current_dir(folder).env("CURL_HOME", folder);
    let done = shell.output().await.unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    let Some((body, status)) = said.rsplit_once('\n') else {
        panic!("{command}: {}", String::from_utf8_lossy(&done.stderr));
    };
    (status.parse().unwrap(), body.to_owned())
}

/// As [`typed`], for an answer in JSON.
async fn typed_json(app: &TestApp, folder: &Path, host: &str, command: &str) -> (u16, Value) {
    let (status, body) = typed(app, folder, host, command).await;
    (status, serde_json::from_str(&body).unwrap_or_else(|_| panic!("{command}: {body}")))
}

/// Checks that a refusal is told in FastAPI's shape, `{"detail": "a sentence with a hint"}`, and nothing else.
#[track_caller]
fn check_detail(case: &str, (status, body): &(u16, Value), wanted: u16, says: &str) {
    let detail = body["detail"].as_str().unwrap_or_default();
    assert_eq!((*status, body.as_object().map_or(0, |body| body.len())), (wanted, 1), "{case}: {body}");
    assert!(detail.contains(says) && detail.ends_with(['.', '?']), "{case}: {body}");
}
