//! Who we are towards a platform.

/// A visitor that a platform knows: cookie and user agent belong together and are always sent together. Its proxy is the
/// transport's business.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its id with the daemon; shown in logs.
    pub id: String,
    /// The platform's name.
    pub platform: String,
    /// The value of the `Cookie` header. Secret.
    pub cookie: String,
    /// The user agent of the browser that the cookie comes from; empty: the platform's first.
    pub user_agent: String,
}

impl Identity {
    /// The value of one cookie.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        cookie(&self.cookie, name)
    }
}

/// The value of one cookie of a `Cookie` header.
pub(crate) fn cookie<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let pairs = header.split(';').filter_map(|pair| pair.split_once('='));
    pairs.map(|(key, value)| (key.trim(), value.trim())).find(|(key, _)| *key == name).map(|(_, value)| value)
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("id", &self.id).field("platform", &self.platform).finish_non_exhaustive()
    }
}
