//! What tests stand on: a daemon in this process or as its own, and the world outside it on loopback.
//!
//! Every test has its own database and folders. [`TestApp::finish`] fails the test when anything is left in the queue or
//! in the working folders.

mod app;
mod daemon;
mod llm;
mod mirror;
mod processes;
mod receiver;
mod site;
#[path = "../../store/test_url.rs"]
mod test_url;

use std::path::PathBuf;

pub use self::{
    app::{TestApp, multipart, walk},
    daemon::{Daemon, Event},
    llm::{Asked, LlmServer, Say},
    mirror::{Mirror, Turn},
    processes::{processes, signal},
    receiver::Receiver,
    site::{Reply, Site},
    test_url::{is_server, test_url},
};

/// The secret of every test's callbacks.
pub const SECRET: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

/// A clip of the smoke model.
pub fn sample(name: &str) -> PathBuf {
    root().join("models/smoke/samples").join(name)
}

/// The bytes of a clip.
pub fn sample_bytes(name: &str) -> Vec<u8> {
    std::fs::read(sample(name)).unwrap()
}

/// The repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The built binary.
pub fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_trawl"))
}

/// The settings of every test, as a TOML layer of dotted keys; lines of `more` stand instead of those with the same key.
pub fn settings(folder: &std::path::Path, more: &str) -> String {
    let usual = format!(
        r#"
server.bind = "127.0.0.1:0"
database.url = "{database}"
paths.data = "{data}"
paths.temp = "{temp}"
paths.workflows = "{workflows}"
models.dir = "{models}"
models.default = "smoke"
models.offline = true
net.allow_hosts = ["127.0.0.1"]
net.connect_timeout = "2s"
net.first_byte_timeout = "5s"
callbacks.secret = "{SECRET}"
callbacks.schedule = ["0s", "100ms", "100ms", "200ms", "500ms"]
queue.poll = "200ms"
queue.drain = "5s"
engine.devices = ["cpu"]
engine.threads = 2
uploads.reserve_bytes = 0
"#,
        database = test_url(folder),
        data = folder.join("data").display(),
        temp = folder.join("temp").display(),
        workflows = folder.join("workflows").display(),
        models = root().join("models").display(),
    );
    // Whether a worker of a shared database is gone can be told by its lease alone.
    let lease = if is_server() { "queue.lease = \"3s\"\nqueue.heartbeat = \"500ms\"\n" } else { "" };
    let usual = usual + lease;
    let key = |line: &str| line.split_once(" = ").map(|(key, _)| key.to_owned());
    let replaced: Vec<String> = more.lines().filter_map(key).collect();
    let kept = usual.lines().filter(|line| key(line).is_none_or(|key| !replaced.contains(&key)));
    kept.chain(more.lines()).collect::<Vec<_>>().join("\n")
}
