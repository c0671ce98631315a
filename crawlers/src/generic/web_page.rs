//! A page: what it offers, else where it leads.

use url::Url;

use super::{
    NAME, Trail, dash, embedded, episode, hand_over,
    html::{self, Findings},
    kinds::{self, Kind},
    list, look_at,
    session::Session,
    status, tidy,
};
use crate::{
    Candidate, CrawlError, Delivery, ErrorClass, HasAudio, MediaKind, Resolved, Response, Subtitle, Visit, feed,
    key::{digest, media_id},
};

/// More playlists of one page are not read.
const MAX_STREAMS: usize = 2;
/// More refreshes are not followed.
const MAX_REFRESHES: u8 = 2;

/// Resolves a page that was fetched from `link`.
pub(super) async fn resolved(
    session: &Session<'_>,
    link: &Url,
    response: &Response,
    trail: Trail,
) -> Result<Resolved, CrawlError> {
    session.set_read();
    let text = html::decode(&response.body, response.header("content-type"));
    let mut page = html::read(&text, &response.url);
    let mut failed = None;
    match own_media(session, link, &response.url, &mut page).await {
        Ok(Some(resolved)) => return Ok(resolved),
        Ok(None) => {}
        Err(error) => failed = Some(error),
    }
    if trail.embedded {
        if let Some(error) = page.embeds.iter().find_map(|embed| embed.player).map(embedded::needs_player) {
            return Err(failed.unwrap_or(error));
        }
    } else {
        match of_others(session, link, &page).await {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => {}
            Err(error) => return Err(failed.unwrap_or(error)),
        }
    }
    for feed_url in &page.feeds {
        if let Some(found) = feed_item(session, feed_url, &response.url).await {
            return Ok(found);
        }
    }
    let refresh = page.refresh.or_else(|| {
        let target = response.header("refresh").and_then(html::refresh_target)?;
        response.url.join(target).ok().filter(crate::link::is_fetchable)
    });
    if let Some(target) = refresh.filter(|target| *target != response.url && trail.refreshes < MAX_REFRESHES) {
        return Box::pin(look_at(session, &target, Trail { refreshes: trail.refreshes + 1, ..trail })).await;
    }
    Err(status::disguised(response, link).or(failed).unwrap_or_else(|| nothing_found(link, session.visit)))
}

/// The media that the page at `at` itself offers.
async fn own_media(
    session: &Session<'_>,
    link: &Url,
    at: &Url,
    page: &mut Findings,
) -> Result<Option<Resolved>, CrawlError> {
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut streams = 0;
    let mut refused = None;
    for candidate in std::mem::take(&mut page.candidates) {
        if candidate.delivery == Delivery::File {
            candidates.push(candidate);
            continue;
        }
        // Pages name master playlists; what is passed on must be a playlist that can be played.
        streams += 1;
        if streams > MAX_STREAMS {
            continue;
        }
        match playable(session, &candidate, page).await {
            Ok(playable) => candidates.extend(playable),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    let Some(first) = candidates.first() else { return refused.map_or(Ok(None), Err) };
    let audio = first.delivery != Delivery::Hls && first.has_audio == HasAudio::Yes;
    // A page speaks for its own site's files. What it says of another's must not become that file's title or content.
    let file = media_id(&first.url);
    let id = if first.url.origin() == at.origin() { file } else { digest(&format!("{at} {file}")) };
    let kind = if audio { MediaKind::Audio } else { MediaKind::Video };
    let several = "The page offers several media; the first one that works is used.".to_owned();
    Ok(Some(Resolved {
        title: super::title(page.about.title.as_deref().and_then(tidy), link),
        author: page.about.author.as_deref().and_then(tidy),
        published_at: page.about.published_at,
        duration_ms: page.about.duration_ms,
        candidates,
        subtitles: std::mem::take(&mut page.subtitles),
        warnings: if page.several { vec![several] } else { Vec::new() },
        strategy: page.strategy.to_owned(),
        ..Resolved::new(NAME, &id, kind, link.clone())
    }))
}

/// What can be played of a candidate that comes in pieces.
async fn playable(
    session: &Session<'_>,
    candidate: &Candidate,
    page: &mut Findings,
) -> Result<Vec<Candidate>, CrawlError> {
    let response = session.read(&candidate.url).await?;
    if candidate.delivery == Delivery::Dash {
        let manifest = dash::read(&response)?;
        page.about.duration_ms = page.about.duration_ms.or(Some(manifest.stream.duration_ms).filter(|ms| *ms > 0));
        page.subtitles.extend(manifest.subtitles.clone());
        return Ok(vec![Candidate {
            headers: candidate.headers.clone(),
            ..dash::candidate(&candidate.url, &manifest)
        }]);
    }
    if kinds::classify(&response) != Kind::Playlist {
        return Err(CrawlError::new(ErrorClass::NoMediaFound, "The page's stream is not an HLS playlist."));
    }
    let stream = list::stream(session, &response).await?;
    page.about.duration_ms = page.about.duration_ms.or(Some(stream.duration_ms).filter(|ms| *ms > 0));
    let fresh: Vec<Subtitle> = stream.subtitles.into_iter().filter(|one| !page.subtitles.contains(one)).collect();
    page.subtitles.extend(fresh);
    let with_headers = |one: Candidate| Candidate { headers: candidate.headers.clone(), ..one };
    Ok(stream.candidates.into_iter().map(with_headers).collect())
}

/// What the players of the page play, or those of its description for others.
async fn of_others(session: &Session<'_>, link: &Url, page: &Findings) -> Result<Option<Resolved>, CrawlError> {
    if let Some(found) = embedded::first(session, link, &page.embeds, &page.about).await? {
        return Ok(Some(found));
    }
    let Some(url) = &page.oembed else { return Ok(None) };
    let Ok(response) = session.read(url).await else { return Ok(None) };
    let Some((about, embeds)) = html::oembed(&response.body, &response.url) else { return Ok(None) };
    // Where the description shows the page itself as the player, there is nothing new.
    let fresh: Vec<_> = embeds.into_iter().filter(|one| one.url != *link && !page.embeds.contains(one)).collect();
    embedded::first(session, link, &fresh, &page.about.clone().or(about)).await
}

async fn feed_item(session: &Session<'_>, feed_url: &Url, page: &Url) -> Option<Resolved> {
    let response = session.look(feed_url).await.ok()?;
    if kinds::classify(&response) != Kind::Feed {
        return None;
    }
    episode::of_page(feed::parse(&response.body, &response.url).ok()?, page)
}

fn nothing_found(link: &Url, visit: &Visit<'_>) -> CrawlError {
    let missing = visit.external().is_none();
    let site = html::known_player(link).or_else(|| link.host_str().filter(|_| hand_over::is_listed(link, visit)));
    let message = match (site, kinds::extension(link)) {
        (Some(site), _) if missing => {
            format!("Links of {site} need yt-dlp, which is not installed. Install it, or upload the file instead.")
        }
        (_, Some(extension)) => format!(
            "The link ends in .{extension}, but the site answered with a web page that has no media. Upload the file instead."
        ),
        _ => format!(
            "No audio or video was found on the page: there is no player, no metadata that names a file, no single \
             link to one and no feed item for it. Paste the file's own link, {}or upload it.",
            if missing { "install yt-dlp, which knows more sites, " } else { "" }
        ),
    };
    CrawlError::new(ErrorClass::NoMediaFound, message)
}
