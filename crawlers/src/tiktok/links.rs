//! The forms of TikTok's links.

use std::sync::LazyLock;

use regex::Regex;
use url::Url;

use crate::{Form, LinkKind};

/// Every form, the first match wins. What a group catches becomes a part of that name.
const FORMS: [(LinkKind, &str); 12] = [
    (
        LinkKind::Short,
        r"^https?://(?:(?:vm|vt)\.tiktok\.com|(?:www\.)?tiktok\.com/t)/(?P<code>[A-Za-z0-9_-]{4,})/?(?:[?#].*)?$",
    ),
    (
        LinkKind::Post,
        r"^https?://(?:www\.|m\.)?tiktok\.com/@(?P<user>[A-Za-z0-9_.-]*)/(?P<t>video|photo)/(?P<id>[0-9]{15,20})(?:[/?#].*)?$",
    ),
    (
        LinkKind::Post,
        r"^https?://(?:www\.|m\.)?tiktokv?\.com/share/(?P<t>video|photo)/(?P<id>[0-9]{15,20})(?:[/?#].*)?$",
    ),
    (
        LinkKind::Post,
        r"^https?://(?:www\.)?tiktok\.com/(?:embed(?:/v[23])?|player/v1)/(?P<id>[0-9]{15,20})(?:[/?#].*)?$",
    ),
    (LinkKind::Post, r"^https?://m\.tiktok\.com/v/(?P<id>[0-9]{15,20})(?:\.html)?(?:[/?#].*)?$"),
    (
        LinkKind::Post,
        r"^https?://(?:[a-z]+\.)?tiktok\.com/[^?#]*\?(?:[^#]*&)?(?:item_id|share_item_id|modal_id)=(?P<id>[0-9]{15,20})(?:[&#].*)?$",
    ),
    (
        LinkKind::List,
        r"^https?://(?:www\.)?tiktok\.com/@(?P<user>[A-Za-z0-9_.-]+)/(?P<t>collection|playlist)/(?:[^/?#]*-)?(?P<id>[0-9]{15,20})(?:[/?#].*)?$",
    ),
    (LinkKind::Live, r"^https?://(?:www\.|m\.)?tiktok\.com/@(?P<user>[A-Za-z0-9_.-]+)/live(?:[/?#].*)?$"),
    (
        LinkKind::User,
        r"^https?://(?:www\.|m\.)?tiktok\.com/@(?P<user>(?P<sec>MS4wLjABAAAA[A-Za-z0-9_-]{64}))/?(?:[?#].*)?$",
    ),
    (LinkKind::User, r"^https?://(?:www\.|m\.)?tiktok\.com/@(?P<user>[A-Za-z0-9_.-]+)/?(?:[?#].*)?$"),
    (LinkKind::Music, r"^https?://(?:www\.)?tiktok\.com/music/(?:[^/?#]*-)?(?P<id>[0-9]{15,20})(?:[/?#].*)?$"),
    (LinkKind::Tag, r"^https?://(?:www\.)?tiktok\.com/tag/(?P<name>[^/?#&]+)"),
];

static READERS: LazyLock<Vec<(LinkKind, Regex)>> = LazyLock::new(|| {
    let compiled = |source| Regex::new(source).expect("a constant expression, which the tests compile");
    FORMS.iter().map(|(kind, source)| (*kind, compiled(source))).collect()
});

/// Reads a link of TikTok's. Scheme and host of a [`Url`] are in lower case already.
pub(super) fn read(link: &Url) -> Option<Form> {
    READERS.iter().find_map(|(kind, reader)| {
        let found = reader.captures(link.as_str())?;
        let named = reader.capture_names().flatten();
        let caught = named.filter_map(|name| Some((name, found.name(name)?.as_str().to_owned())));
        Some(Form { kind: *kind, parts: caught.filter(|(_, text)| !text.is_empty()).collect() })
    })
}
