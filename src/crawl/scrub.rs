//! Results without the cookies of an identity: results are stored and shown.

use crawlers::Resolved;

use super::identities::pairs;

/// Takes an identity's cookies out of the headers that downloads are to send. What the platform has set for anybody who
/// comes stays.
pub(super) fn scrub(resolved: &mut Resolved, cookie: &str) {
    let secrets: Vec<&str> = pairs(cookie).map(|(_, value)| value).filter(|value| !value.is_empty()).collect();
    let candidates = resolved.candidates.iter_mut().map(|candidate| &mut candidate.headers);
    let subtitles = resolved.subtitles.iter_mut().map(|subtitle| &mut subtitle.headers);
    for headers in candidates.chain(subtitles) {
        for (name, value) in headers.iter_mut().filter(|(name, _)| name.eq_ignore_ascii_case("cookie")) {
            let kept = pairs(value).filter(|(_, value)| !secrets.contains(value));
            let kept: Vec<String> = kept.map(|(name, value)| format!("{name}={value}")).collect();
            *value = kept.join("; ");
            if value.is_empty() {
                name.clear();
            }
        }
        headers.retain(|(name, _)| !name.is_empty());
    }
}
