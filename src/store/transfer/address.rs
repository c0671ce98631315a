//! The two ends of a move as they are named on the command line.

use std::path::{Path, PathBuf};

use url::Url;

use crate::{
    error::{Code, Error, Result},
    store::dialect,
};

/// One end of a move.
pub(super) struct Address<'a> {
    /// The option that names it, for errors: an address may hold a password, so it is not shown itself.
    pub flag: &'static str,
    /// As it was given.
    pub url: &'a str,
    /// The file, if it is SQLite's.
    pub file: Option<&'a Path>,
    /// Of a server.
    server: Option<Url>,
}

impl<'a> Address<'a> {
    /// Reads an address.
    ///
    /// # Errors
    /// `invalid_value` when it is none of the three kinds, or names no file or database.
    pub(super) fn parse(flag: &'static str, url: &'a str) -> Result<Self> {
        let wrong = |why: &str| {
            Error::new(Code::InvalidValue, format!("`{flag}` {why}")).with_hint(
                "Say sqlite:/path/trawl.db, postgres://USER:PASSWORD@HOST/DATABASE or mysql://USER:PASSWORD@HOST/DATABASE.",
            )
        };
        let Ok(file) = dialect::sqlite_file(url) else {
            return Err(wrong("must start with \"sqlite:\", \"postgres://\", \"mysql://\" or \"mariadb://\""));
        };
        if let Some(path) = file {
            if path.file_name().is_none() {
                return Err(wrong("names no file"));
            }
            return Ok(Self { flag, url, file, server: None });
        }
        let server = Url::parse(url).map_err(|error| wrong("is no address").with_source(error))?;
        if server.host_str().is_none_or(str::is_empty) {
            return Err(wrong("names no server"));
        }
        if server.path().trim_matches('/').is_empty() {
            return Err(wrong("names no database"));
        }
        Ok(Self { flag, url, file, server: Some(server) })
    }

    /// Whether two addresses are one, as far as can be told without asking a server. A server that has two names is
    /// noticed all the same: what holds data is no target.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self.file, other.file, &self.server, &other.server) {
            (Some(one), Some(two), ..) => real(one) == real(two),
            (None, None, Some(one), Some(two)) => place(one) == place(two),
            _ => false,
        }
    }
}

/// A path without links and dots, also when its file is not there yet.
fn real(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    if let Ok(path) = path.canonicalize() {
        return Some(path);
    }
    Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?))
}

/// Kind, host, port, database and schema.
fn place(server: &Url) -> (bool, String, u16, String, Option<String>) {
    let is_postgres = server.scheme().starts_with("postgres");
    let port = server.port().unwrap_or(if is_postgres { 5432 } else { 3306 });
    let schema = server.query_pairs().find(|(name, _)| name == "options[search_path]");
    let host = server.host_str().unwrap_or_default().to_lowercase();
    (is_postgres, host, port, server.path().trim_matches('/').to_owned(), schema.map(|(_, name)| name.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_same(one: &str, other: &str) -> bool {
        Address::parse("--from", one).unwrap().is_same(&Address::parse("--to", other).unwrap())
    }

    #[test]
    fn what_is_no_address_is_told_without_what_it_holds() {
        for (url, why) in [
            ("", "must start with"),
            ("trawl.db", "must start with"),
            ("mongodb://a:secret@b/c", "must start with"),
            ("sqlite:", "names no file"),
            ("sqlite:/", "names no file"),
            ("postgres:", "names no server"),
            ("postgres://u:secret@host", "names no database"),
            ("mysql://u:secret@host/", "names no database"),
            ("mysql://u:secret@[host/a", "is no address"),
        ] {
            let error = Address::parse("--from", url).err().unwrap_or_else(|| panic!("{url}"));
            assert_eq!(error.code, Code::InvalidValue, "{url}");
            assert!(error.detail.starts_with("`--from` ") && error.detail.contains(why), "{url}: {error}");
            assert!(!error.chain().contains("secret"), "{error}");
        }
    }

    #[test]
    fn one_database_has_many_spellings() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("link")).unwrap();
        assert!(is_same(&format!("sqlite:{path}/a.db"), &format!("sqlite://{path}/link/a.db")));
        assert!(!is_same(&format!("sqlite:{path}/a.db"), &format!("sqlite:{path}/b.db")));
        assert!(is_same("postgres://a:b@Host/x", "postgresql://c@host:5432/x?sslmode=require"));
        assert!(is_same("mysql://a@host:3306/x", "mariadb://host/x"));
        for other in ["postgres://host/y", "postgres://host:1/x", "postgres://host/x?options[search_path]=z"] {
            assert!(!is_same("postgres://host/x", other), "{other}");
        }
        assert!(!is_same("postgres://host/x", "mysql://host/x") && !is_same("postgres://host/x", "sqlite:x"));
    }
}
