//! `x-secsdk-web-signature`, the second signature of Douyin's web API: a digest over the whole query, the visitor's
//! `UIFID` and the time. Only a visit with a browser gives a `UIFID`, so a visitor without one sends none.

use md5::{Digest, Md5};

/// A constant of Douyin's public page code.
const SALT: &str = "A96D855A08C0A9707F8BEF0D9A527E4E";

/// The lists and posts (below `/aweme/v1/web/`) whose requests are to be signed; comments and profiles are not.
const PATHS: [&str; 14] = [
    "aweme/detail",
    "aweme/post",
    "aweme/favorite",
    "aweme/listcollection",
    "mix/aweme",
    "mix/list",
    "mix/detail",
    "mix/listcollection",
    "tab/feed",
    "music/aweme",
    "music/list",
    "music/detail",
    "collects/list",
    "collects/video/list",
];

/// Names under which browsers keep the id, the best one first.
pub(crate) const UIFID_COOKIES: [&str; 6] = ["uifid", "uifid_temp", "uifidtemp", "UIFID", "UIFID_TEMP", "UIFIDTEMP"];

/// Whether requests to `/aweme/v1/web/<path>/` are to be signed.
pub(crate) fn applies_to(path: &str) -> bool {
    let below = path.strip_prefix("/aweme/v1/web/").unwrap_or_default();
    PATHS.contains(&below.trim_end_matches('/'))
}

/// The signature of `query`, which already holds `uifid` and `timestamp` (whole seconds).
pub(crate) fn sign(query: &str, uifid: &str, timestamp: &str) -> String {
    let digest = Md5::digest(format!("{uifid}_{timestamp}_{SALT}_{query}"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
