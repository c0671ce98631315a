//! Every form that a link of Douyin's has, without asking anybody.

use std::sync::LazyLock;

use regex::Regex;
use url::Url;

use crate::{Form, LinkKind};

/// The forms; the first that matches counts, so a post in the query of a person's page comes before the person.
static FORMS: LazyLock<Vec<(LinkKind, Regex)>> = LazyLock::new(|| {
    const ANY_PAGE: &str = r"^https?://(?:(?:www|m)\.)?(?:ies)?douyin\.com";
    const ID: &str = r"(?P<id>[0-9]{15,20})(?:[/?#].*)?$";
    [
        (
            LinkKind::Short,
            r"^https?://(?:v\.douyin\.com|v\.iesdouyin\.com|jx\.douyin\.com)/(?P<code>[A-Za-z0-9_-]{4,})/?(?:[?#].*)?$"
                .to_owned(),
        ),
        (
            LinkKind::Post,
            format!(
                r"^https?://(?:(?:www|m|jingxuan)\.)?douyin\.com/(?:m/)?(?:share/)?(?P<t>video|note|slides|gallery)/{ID}"
            ),
        ),
        (LinkKind::Post, format!(r"^https?://(?:www\.)?iesdouyin\.com/share/(?P<t>video|note|slides)/{ID}")),
        (
            LinkKind::Post,
            r"^https?://(?:[a-z]+\.)?(?:ies)?douyin\.com/[^?#]*\?(?:[^#]*&)?(?:modal_id|vid|aweme_id)=(?P<id>[0-9]{15,20})(?:[&#].*)?$"
                .to_owned(),
        ),
        (LinkKind::User, format!(r"{ANY_PAGE}/(?:share/)?user/(?P<sec>MS4wLjABAAAA[A-Za-z0-9_-]+)(?:[/?#].*)?$")),
        (LinkKind::User, format!(r"{ANY_PAGE}/share/user/[^?#]*\?(?:[^#]*&)?sec_uid=(?P<sec>[A-Za-z0-9_.%-]+)")),
        (LinkKind::Mix, format!(r"{ANY_PAGE}/(?:collection|mix|share/mix/detail)/{ID}")),
        (LinkKind::Music, format!(r"{ANY_PAGE}/(?:share/)?music/{ID}")),
        (
            LinkKind::Live,
            r"^https?://(?:live\.douyin\.com/(?P<room>[0-9]+)|webcast\.amemv\.com/douyin/webcast/reflow/(?P<reflow>[0-9]+))"
                .to_owned(),
        ),
    ]
    .into_iter()
    .map(|(kind, form)| (kind, Regex::new(&form).expect("constant expressions, which the tests compile")))
    .collect()
});

/// Reads a link; none when it is not one of Douyin's.
pub(super) fn read(link: &Url) -> Option<Form> {
    let (kind, form, found) =
        FORMS.iter().find_map(|(kind, form)| Some((*kind, form, form.captures(link.as_str())?)))?;
    let named = form.capture_names().flatten();
    let parts = named.filter_map(|name| Some((name, found.name(name)?.as_str().to_owned()))).collect();
    Some(Form { kind, parts })
}

/// The link of a post.
pub(super) fn page(id: &str, is_images: bool) -> Option<Url> {
    let word = if is_images { "note" } else { "video" };
    Url::parse(&format!("https://www.douyin.com/{word}/{id}")).ok()
}
