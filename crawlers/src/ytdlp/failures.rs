//! What yt-dlp complains of, as one of our classes with what may help. Pure.

use std::sync::LazyLock;

use regex::Regex;

use crate::{CrawlError, ErrorClass};

/// Words of its complaints, the class, and a sentence; the first that fits counts, so what is more certain comes first.
const COMPLAINTS: [(&str, ErrorClass, &str); 17] = [
    (
        r"unsupported url|no video formats found|no media found|requested format is not available|no video could be found|there(?:'s| is) no video",
        ErrorClass::NoMediaFound,
        "yt-dlp knows no audio or video at this link. Paste the link of the video itself, or upload the file.",
    ),
    (r"\bdrm\b", ErrorClass::Unavailable, "The media is protected by DRM and cannot be downloaded."),
    (
        r"live event will begin|premieres in|will begin in|is_live|not currently live|live ?stream (?:has not|is upcoming)|is offline\b",
        ErrorClass::LiveNotSupported,
        "This is a live stream that is still running or has not begun. Paste the link of the recording when it has ended.",
    ),
    (
        r"private video|video is private|(?:is|account is|post is) private|private account",
        ErrorClass::Private,
        "The video is private.",
    ),
    (
        r"available in your (?:country|region|location)|\bgeo\b|geo.?(?:restrict|block)|in your country|from your location",
        ErrorClass::RegionBlocked,
        "The site does not show this where this machine is.",
    ),
    (
        r"ip address is blocked",
        ErrorClass::Blocked,
        "The site blocks this machine's address. Try again later, or upload the file.",
    ),
    (
        r"\b429\b|too many requests|rate.?limit",
        ErrorClass::RateLimited,
        "The site says that we ask too often. Try again later.",
    ),
    (
        // No login helps: a guest's cookies would do.
        r"not a bot|fresh cookies",
        ErrorClass::Blocked,
        "The site wants proof that nobody automatic is asking. A newer yt-dlp, a JavaScript runtime for it (deno), or cookies may help; or upload the file.",
    ),
    (
        r"sign in|log.?in|logged.in|cookies|\bage\b|age.?(?:restrict|gate|limit|verif)|members.only|subscribers|subscription|purchase|premium|credentials",
        ErrorClass::LoginRequired,
        "The site shows this only to visitors who are logged in. Add cookies where the platform takes them, or upload the file.",
    ),
    (
        r"captcha|verify that you are (?:a )?human|verification page",
        ErrorClass::Captcha,
        "The site asks visitors to prove that they are human. Try again later, or upload the file.",
    ),
    (
        // A service of the site's is gone, not what was asked for.
        r"unable to download json metadata.*\b(?:404|410)\b",
        ErrorClass::SiteError,
        "yt-dlp asks the site in a way that the site does not know any more. Update yt-dlp, then try again.",
    ),
    (
        r"video (?:is )?unavailable|no longer available|removed|deleted|\b404\b|\b410\b|does not exist|not found|terminated|this video is not available",
        ErrorClass::NotFound,
        "There is nothing at this link (any more).",
    ),
    (
        r"\b401\b",
        ErrorClass::LoginRequired,
        "The site shows this only to visitors who are logged in. Upload the file instead.",
    ),
    (
        r"\b403\b|forbidden|access denied|\b412\b|\bblocked\b",
        ErrorClass::Blocked,
        "The site refuses to give this to us. Try again later with a newer yt-dlp, or upload the file.",
    ),
    (r"http error 5\d\d", ErrorClass::SiteError, "The site has a problem at the moment. Try again later."),
    (
        r"timed out|unable to connect|connection (?:refused|reset|aborted)|name or service|resolve host|ssl|remote end closed|incomplete ?read|network is unreachable|tunnel connection",
        ErrorClass::SiteError,
        "yt-dlp could not reach the site. Try again later.",
    ),
    (
        r"unable to (?:extract|parse|download)|failed to (?:extract|parse)|report this issue|traceback",
        ErrorClass::SiteError,
        "yt-dlp cannot read the site as it is now. Update yt-dlp, then try again.",
    ),
];

static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let compiled = COMPLAINTS.iter().map(|(words, ..)| Regex::new(&format!("(?i){words}")));
    compiled.map(|pattern| pattern.expect("constant expressions, which the tests compile")).collect()
});

/// Why a run gave nothing. The complaint itself is kept out of the message: it may hold bytes of the page.
pub(super) fn judge(status: Option<i32>, stderr: &str) -> CrawlError {
    if status == Some(2) {
        return CrawlError::new(
            ErrorClass::SiteError,
            "yt-dlp does not take its arguments. Check crawlers.ytdlp.arguments in the configuration, and update yt-dlp.",
        );
    }
    let errors: Vec<&str> = stderr.lines().filter(|line| line.trim_start().starts_with("ERROR")).collect();
    // Without a line that is marked, as after a crash, all of it.
    let complaint = if errors.is_empty() { stderr.to_owned() } else { errors.join("\n") };
    let known = PATTERNS.iter().position(|pattern| pattern.is_match(&complaint));
    known.map_or_else(
        || CrawlError::new(ErrorClass::SiteError, "yt-dlp failed with this link. Update yt-dlp, or upload the file."),
        |at| CrawlError::new(COMPLAINTS[at].1, COMPLAINTS[at].2),
    )
}
