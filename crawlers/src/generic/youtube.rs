//! YouTube's lists as feeds, which cost one small request and need no yt-dlp.

use url::Url;

use super::html::on;

/// What ids of lists that have a feed begin with: playlists, uploads, favourites, albums.
const LISTS: [&str; 4] = ["PL", "UU", "FL", "OLAK5uy_"];

/// Whether it is one of YouTube's pages.
fn is_youtube(link: &Url) -> bool {
    on(link, "youtube.com")
}

fn is_feed(link: &Url) -> bool {
    is_youtube(link) && link.path() == "/feeds/videos.xml"
}

/// The feed behind a channel's or a playlist's link, if the link holds the id.
pub(super) fn feed_of(link: &Url) -> Option<Url> {
    if is_feed(link) {
        return Some(link.clone());
    }
    if !is_youtube(link) {
        return None;
    }
    let sane = |id: &str| id.len() < 60 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let mut path = link.path_segments()?;
    let query = match (path.next()?, path.next()) {
        ("channel", Some(id)) if id.starts_with("UC") && sane(id) => format!("channel_id={id}"),
        ("playlist" | "watch", None) => {
            let id = link.query_pairs().find(|(name, _)| name == "list")?.1.into_owned();
            let id = Some(id).filter(|id| sane(id) && LISTS.iter().any(|start| id.starts_with(start)))?;
            format!("playlist_id={id}")
        }
        _ => return None,
    };
    Url::parse(&format!("https://www.youtube.com/feeds/videos.xml?{query}")).ok()
}

/// The list that is meant when somebody gives a channel's front page: its videos, not its tabs.
pub(super) fn videos_of(link: &Url) -> Url {
    let mut link = link.clone();
    let segments: Vec<String> =
        link.path_segments().into_iter().flatten().filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let front = match segments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [name] => name.starts_with('@'),
        ["channel" | "c" | "user", _] => true,
        _ => false,
    };
    if front && is_youtube(&link) {
        link.set_path(&format!("/{}/videos", segments.join("/")));
    }
    link
}

/// The id of a video, as yt-dlp's items have it, by the link that a feed gives.
pub(super) fn item_id(link: &Url) -> Option<String> {
    let mut path = link.path_segments().filter(|_| is_youtube(link))?;
    let id = match (path.next()?, path.next()) {
        ("watch", None) => link.query_pairs().find(|(name, _)| name == "v")?.1.into_owned(),
        ("shorts" | "live", Some(id)) => id.to_owned(),
        _ => return None,
    };
    (!id.is_empty()).then(|| format!("youtube:{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn lists_whose_id_stands_in_the_link_have_a_feed() {
        for (link, query) in [
            ("https://www.youtube.com/channel/UCabc_-1/videos?view=0", Some("channel_id=UCabc_-1")),
            ("https://m.youtube.com/playlist?list=PL12&x=1", Some("playlist_id=PL12")),
            ("https://youtube.com/watch?v=abc&list=UU9", Some("playlist_id=UU9")),
            ("https://www.youtube.com/feeds/videos.xml?user=x", Some("user=x")),
            ("https://www.youtube.com/watch?v=abc&list=RDabc", None),
            ("https://www.youtube.com/@name", None),
            ("https://www.youtube.com/channel/UC%26x=1", None),
            ("https://youtube.com.evil.example/channel/UCabc", None),
        ] {
            assert_eq!(feed_of(&url(link)).as_ref().and_then(Url::query), query, "{link}");
        }
    }

    #[test]
    fn a_video_has_one_id_under_all_its_links() {
        for (link, id) in [
            ("https://www.youtube.com/watch?v=abc&t=1", Some("youtube:abc")),
            ("https://www.youtube.com/shorts/abc", Some("youtube:abc")),
            ("https://www.youtube.com/live/abc?x=1", Some("youtube:abc")),
            ("https://www.youtube.com/watch?v=", None),
            ("https://www.youtube.com/shorts/", None),
            ("https://vimeo.com/shorts/abc", None),
        ] {
            assert_eq!(item_id(&url(link)).as_deref(), id, "{link}");
        }
    }

    #[test]
    fn a_channels_front_page_means_its_videos() {
        for (link, path) in [
            ("https://www.youtube.com/@name", "/@name/videos"),
            ("https://www.youtube.com/c/name/", "/c/name/videos"),
            ("https://www.youtube.com/@name/streams", "/@name/streams"),
            ("https://www.youtube.com/watch?v=1", "/watch"),
            ("https://vimeo.com/@name", "/@name"),
        ] {
            assert_eq!(videos_of(&url(link)).path(), path, "{link}");
        }
    }
}
