//! The platform's own words: which of its subtitles, and what they say.
//!
//! HLS subtitles are left alone: they come in as many pieces as the stream, and whoever offers them mostly offers a file
//! as well.

use std::path::Path;

use crawlers::{Subtitle, SubtitleSource};

use crate::{
    error::{Code, Error, Result},
    net::Get,
    steps::{Job, stopped, ticket::Ticket, wishes::Wishes, words::Captions},
    subtitle::read::read,
    transcribe::language,
};

/// The largest file of subtitles, in bytes.
const MAX_BYTES: u64 = 4 * 1024 * 1024;
/// More subtitles of one media are not tried.
const MAX_TRIES: usize = 3;

/// The best subtitles that can be had, if any are wanted. They are fetched once: `note` is where later tries find them.
pub(super) async fn fetch(job: &Job<'_>, ticket: &Ticket, wishes: &Wishes, note: &Path) -> Result<Option<Captions>> {
    if !wishes.subtitles {
        return Ok(None);
    }
    if let Ok(noted) = tokio::fs::read(note).await
        && let Ok(captions) = serde_json::from_slice(&noted)
    {
        return Ok(Some(captions));
    }
    for subtitle in choose(&ticket.subtitles, &wishes.languages).into_iter().take(MAX_TRIES) {
        match one(job, subtitle).await {
            Ok(captions) => {
                tokio::fs::write(note, serde_json::to_vec(&captions).unwrap_or_default()).await?;
                return Ok(Some(captions));
            }
            Err(error) if error.code == Code::Cancelled => return Err(error),
            Err(error) => tracing::info!(task = %job.task.id, error = %error.chain(), "subtitles cannot be used"),
        }
    }
    Ok(None)
}

async fn one(job: &Job<'_>, subtitle: &Subtitle) -> Result<Captions> {
    let request = Get {
        url: subtitle.url.to_string(),
        headers: subtitle.headers.clone(),
        max_bytes: MAX_BYTES,
        ..Get::default()
    };
    let reply = tokio::select! {
        reply = job.services.net.get(request) => reply?,
        () = job.cancel.cancelled() => return Err(stopped()),
    };
    reply.check_status()?;
    if reply.truncated {
        return Err(Error::new(Code::TooLarge, "The subtitles are too large"));
    }
    let lines = read(&reply.body)?;
    Ok(Captions { language: code(subtitle).unwrap_or_default().to_owned(), source: subtitle.source, lines })
}

fn code(subtitle: &Subtitle) -> Option<&'static str> {
    language(subtitle.language.as_deref()?).ok()
}

/// The subtitles worth fetching, the best first: in a wanted language, or else in the one that is spoken; those that
/// people wrote before those of a machine that listened. A machine's translation is never among them.
fn choose<'a>(all: &'a [Subtitle], wanted: &[&str]) -> Vec<&'a Subtitle> {
    let is_usable =
        |one: &&Subtitle| one.source != SubtitleSource::MachineTranslation && one.format.as_deref() != Some("hls");
    let usable: Vec<&Subtitle> = all.iter().filter(is_usable).collect();
    // A machine that listens writes in the language that is spoken; where there is only one language, it is that.
    let heard = usable.iter().find(|one| one.source == SubtitleSource::Asr).and_then(|one| code(one));
    let mut languages: Vec<&str> = usable.iter().filter_map(|one| code(one)).collect();
    languages.sort_unstable();
    languages.dedup();
    let only = languages.first().copied().filter(|_| languages.len() == 1);
    let spoken: Vec<&str> = match wanted {
        [] => heard.or(only).into_iter().collect(),
        wanted => wanted.to_vec(),
    };
    let mut chosen: Vec<&Subtitle> =
        usable.into_iter().filter(|one| code(one).is_none_or(|code| spoken.contains(&code))).collect();
    // A stable sort: where nothing is to choose, the platform's order counts.
    chosen.sort_by_key(|one| {
        let writer = match one.source {
            SubtitleSource::Human => 0,
            SubtitleSource::Asr => 1,
            SubtitleSource::Unknown | SubtitleSource::MachineTranslation => 2,
        };
        (code(one).is_none(), writer)
    });
    chosen
}

#[cfg(test)]
mod tests {
    use SubtitleSource::{Asr, Human, MachineTranslation, Unknown};
    use url::Url;

    use super::*;

    #[test]
    fn people_come_before_machines_and_translations_never() {
        let one = |language: &str, source| Subtitle {
            language: (!language.is_empty()).then(|| language.to_owned()),
            source,
            ..Subtitle::at(Url::parse("http://a/").unwrap())
        };
        let hls = Subtitle { format: Some("hls".to_owned()), ..one("eng-US", Human) };
        let tiktok =
            [one("deu-DE", MachineTranslation), one("eng-US", Asr), one("fra-FR", Human), one("eng-US", Human)];
        let podcast = [one("", Unknown)];
        let film = [one("en", Human), one("fr", Human)];
        let told = |all: &[Subtitle], wanted: &[&str]| -> Vec<(String, SubtitleSource)> {
            let chosen = choose(all, wanted).into_iter();
            chosen.map(|one| (one.language.clone().unwrap_or_default(), one.source)).collect()
        };
        let expect = |language: &str, source| (language.to_owned(), source);
        assert_eq!(told(&tiktok, &[]), [expect("eng-US", Human), expect("eng-US", Asr)]);
        assert_eq!(told(&tiktok, &["fr"]), [expect("fra-FR", Human)]);
        assert_eq!(told(&tiktok, &["de"]), []);
        assert_eq!(told(&podcast, &["de"]), [expect("", Unknown)]);
        assert_eq!(told(&film, &[]), [], "nobody says which of them is spoken");
        assert_eq!(told(&film[..1], &[]), [expect("en", Human)]);
        assert_eq!(told(&[hls], &[]), []);
        assert_eq!(told(&[one("klingon", Human), one("en", Asr)], &[]), [expect("en", Asr), expect("klingon", Human)]);
    }
}
