//! The databases of tests. The integration tests use this file, too.

use std::path::Path;

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
        Ok(server) => format!("{server}/{name}"),
        Err(_) => format!("sqlite:{}", folder.join("data/trawl.db").display()),
    }
}
