//! The databases of tests. The integration tests use this file, too.

use std::{path::Path, process::Command};

/// Whether the tests run on a database server.
#[allow(dead_code, reason = "the integration tests ask")]
pub fn is_server() -> bool {
    std::env::var_os("TRAWL_TEST_DATABASE").is_some()
}

/// The address of the database of a test's own `folder`: SQLite's in there, or one of the server whose address is in
/// TRAWL_TEST_DATABASE (scripts/with_databases.sh), which is made when it is opened.
pub fn test_url(folder: &Path) -> String {
    let bytes = folder.file_name().unwrap().as_encoded_bytes();
    let name = bytes.iter().fold("t".to_owned(), |name, byte| format!("{name}{byte:02x}"));
    match std::env::var("TRAWL_TEST_DATABASE") {
        Ok(server) if server.starts_with("postgres") => format!("{server}?options[search_path]={name}"),
        Ok(server) => {
            fill(&server, &name);
            format!("{server}/{name}")
        }
        Err(_) => format!("sqlite:{}", folder.join("data/trawl.db").display()),
    }
}

/// MariaDB needs a second for the migrations, so a test begins with a copy of the database after them if the script made
/// one (scripts/on_databases.sh). A database that is there already stays as it is.
fn fill(server: &str, name: &str) {
    let Some(template) = std::env::var_os("TRAWL_TEST_TEMPLATE") else { return };
    let port = server.rsplit(':').next().unwrap();
    let client = |more: &[&str]| {
        let mut client = Command::new("mariadb");
        client.args(["--no-defaults", "-h", "127.0.0.1", "-u", "trawl", "-ptrawl", "-P", port]).args(more);
        client
    };
    let is_new = client(&["-e", &format!("CREATE DATABASE `{name}` COLLATE utf8mb4_bin")]).output().unwrap().status;
    if is_new.success() {
        let copied = client(&[name]).stdin(std::fs::File::open(template).unwrap()).status().unwrap();
        assert!(copied.success(), "the template was not copied");
    }
}
