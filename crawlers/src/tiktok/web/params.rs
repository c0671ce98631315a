//! The parameters of the web API.

use url::form_urlencoded::Serializer;

use crate::{Chance, Visit};

/// The device ids that the site's own lists use.
const DEVICE_IDS: std::ops::Range<u64> = 7_250_000_000_000_000_000..7_325_099_899_999_994_578;

/// A device: 19 digits.
pub(in crate::tiktok) fn device_id(chance: &dyn Chance) -> String {
    (DEVICE_IDS.start + chance.below(DEVICE_IDS.end - DEVICE_IDS.start)).to_string()
}

/// The query of a request: what a browser with this user agent sends, then `own`, then what the settings change.
///
/// An invented `msToken` is worse than none, so it is empty unless the visitor has one.
pub(super) fn query(visit: &Visit<'_>, agent: &str, token: &str, own: &[(&str, &str)]) -> String {
    let chance = visit.chance();
    let seconds = (chance.now_ms() / 1_000).to_string();
    let device = device_id(chance);
    let version = agent.strip_prefix("Mozilla/").unwrap_or(agent);
    let (platform, os) = system(agent);
    let common = [
        ("WebIdLastTime", seconds.as_str()),
        ("aid", "1988"),
        ("app_language", "en"),
        ("app_name", "tiktok_web"),
        ("browser_language", "en-US"),
        ("browser_name", "Mozilla"),
        ("browser_online", "true"),
        ("browser_platform", platform),
        ("browser_version", version),
        ("channel", "tiktok_web"),
        ("cookie_enabled", "true"),
        ("device_id", &device),
        ("device_platform", "web_pc"),
        ("focus_state", "true"),
        ("from_page", "user"),
        ("history_len", "4"),
        ("is_fullscreen", "false"),
        ("is_page_visible", "true"),
        ("language", "en"),
        ("os", os),
        ("priority_region", ""),
        ("referer", ""),
        ("region", "US"),
        ("screen_height", "1080"),
        ("screen_width", "1920"),
        ("tz_name", "America/New_York"),
        ("webcast_language", "en"),
        ("msToken", token),
    ];
    let changed = &visit.settings.tiktok.params;
    let kept = common.iter().chain(own).filter(|(name, _)| !changed.contains_key(*name));
    let added = changed.iter().filter(|(_, value)| !value.is_empty());
    Serializer::new(String::new()).extend_pairs(kept).extend_pairs(added).finish()
}

/// What a browser with this user agent calls its platform and its system.
fn system(agent: &str) -> (&'static str, &'static str) {
    if agent.contains("Windows") {
        ("Win32", "windows")
    } else if agent.contains("Mac OS") {
        ("MacIntel", "mac")
    } else {
        ("Linux x86_64", "linux")
    }
}
