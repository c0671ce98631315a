//! Players on other pages: whose they are, and what they play. One level deep.

use url::Url;

use super::{
    NAME, Trail, hand_over,
    html::{About, Embed},
    look_at,
    session::Session,
    tidy,
};
use crate::{CrawlError, ErrorClass, Resolved, ytdlp};

/// What the first of a page's players that plays something plays. The error is that of the first which belongs to a
/// platform; other frames hold all sorts of things, and one that fails says nothing about the page.
pub(super) async fn first(
    session: &Session<'_>,
    link: &Url,
    embeds: &[Embed],
    about: &About,
) -> Result<Option<Resolved>, CrawlError> {
    let mut failed = None;
    for embed in embeds {
        let visit = session.visit;
        let found = if let Some(platform) = visit.platform_of(&embed.url, NAME) {
            platform.resolve(&embed.url, visit).await
        } else if let Some(player) =
            embed.player.or_else(|| hand_over::is_listed(&embed.url, visit).then_some("foreign"))
        {
            session.set_asked();
            match visit.external() {
                Some(_) => ytdlp::resolve(&embed.url, None, visit).await,
                None => Err(needs_player(player)),
            }
        } else {
            let trail = Trail { embedded: true, ..Trail::default() };
            match Box::pin(look_at(session, &embed.url, trail)).await {
                Ok(found) => return Ok(Some(described(found, link, about))),
                Err(_) => continue,
            }
        };
        match found {
            Ok(found) => return Ok(Some(found)),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(None), Err)
}

/// What a frame holds, described by the page around it.
fn described(found: Resolved, link: &Url, about: &About) -> Resolved {
    Resolved {
        page_url: link.clone(),
        title: about.title.as_deref().and_then(tidy).unwrap_or(found.title),
        author: about.author.as_deref().and_then(tidy).or(found.author),
        published_at: about.published_at.or(found.published_at),
        duration_ms: about.duration_ms.or(found.duration_ms),
        strategy: format!("page.embed/{}", found.strategy),
        ..found
    }
}

pub(super) fn needs_player(player: &str) -> CrawlError {
    CrawlError::new(
        ErrorClass::NoMediaFound,
        format!("The page only embeds a {player} player, which needs yt-dlp. Install it, or upload the file instead."),
    )
}
