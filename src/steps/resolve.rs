//! `resolve`: a link becomes media, or the posts of a list; for those see [`expand`].
//!
//! Input `{link}`; output `{media_id, here, link, resolved_at}` and all that the crawler tells (`platform, id, kind, title,
//! description, author, page_url, duration_ms, candidates, silent, warnings, …`), without cookies; with the
//! `identity` through whose proxy it was looked up, if any. Uploads and media that are already here pass through: `here` is true and there are no candidates.

mod expand;

use chrono::Utc;
use crawlers::Resolved;
use serde_json::{Value, json};

use super::{Job, Outcome, owned, stopped, ticket::Ticket};
use crate::{
    crawl::{Ask, Who, without_secrets},
    domain::{Media, MediaId, media::UPLOAD},
    error::{Code, Error, Result},
    store::{NewMedia, Tx},
    workflow::kinds::resolve::With,
};

pub(super) async fn run(job: &Job<'_>) -> Result<Outcome> {
    let with: With = job.input()?;
    if with.expand {
        return expand::run(job, &with).await;
    }
    if with.new_only || with.limit.is_some() {
        let detail = "The fields \"new_only\" and \"limit\" of the step need \"expand\": true";
        return Err(Error::new(Code::InvalidWorkflow, detail).with_field("expand"));
    }
    let link = with.link;
    if let Some(id) = link.strip_prefix("upload:") {
        return upload(job, id).await;
    }
    let mut page = link.clone();
    if let Some(id) = link.strip_prefix("media:") {
        let media = here(job, &begin(job).await?, id).await?;
        if let Some(file) = &media.file
            && job.services.files.is_whole(file, media.size).await?
        {
            // Nobody who writes had to wait for that look; a file in its place was put there a moment ago.
            let tx = begin(job).await?;
            let media = here(job, &tx, id).await?;
            if media.file.is_some() {
                return keep(job, tx, &media).await;
            }
        }
        page =
            media.page_url.ok_or_else(|| Error::new(Code::SourceNotFound, "The media's file is not here any more"))?;
    }
    let (resolved, identity) = ask(job, &page).await?;
    let at = Utc::now();
    tracing::debug!(task = %job.task.id, platform = resolved.platform, strategy = resolved.strategy, "link resolved");
    let media = NewMedia {
        platform: resolved.platform.clone(),
        platform_id: resolved.id.clone(),
        page_url: Some(resolved.page_url.to_string()),
        title: resolved.title.clone(),
        author: resolved.author.clone(),
        duration_ms: resolved.duration_ms.and_then(|ms| i64::try_from(ms).ok()),
        published_at: resolved.published_at.map(|at| at.timestamp_millis()),
    };
    let tx = begin(job).await?;
    let id = tx.upsert_media(media).await?;
    tx.set_task_media(job.task.id, id).await?;
    tx.commit().await?;
    job.services.tickets.keep(job.task.id, id, Ticket::of(&resolved, identity.clone(), &page, at));
    let mut output = json!(without_secrets(resolved));
    output["media_id"] = json!(id);
    output["here"] = json!(false);
    output["link"] = json!(page);
    output["resolved_at"] = json!(at);
    if let Some(identity) = identity {
        output["identity"] = json!(identity);
    }
    Ok(output.into())
}

/// Resolves the link of a media once more, because what was found has gone stale. It must still be that media.
pub(super) async fn again(job: &Job<'_>, media: &Media, link: &str) -> Result<Ticket> {
    let (resolved, identity) = ask(job, link).await?;
    if (&resolved.platform, &resolved.id) != (&media.platform, &media.platform_id) {
        return Err(Error::new(Code::SourceNotFound, "The link leads to something else than before"));
    }
    let ticket = Ticket::of(&resolved, identity, link, Utc::now());
    job.services.tickets.keep(job.task.id, media.id, ticket.clone());
    Ok(ticket)
}

/// Looks a link up as the identity that the task names; with the id of the one through whose proxy it went.
async fn ask(job: &Job<'_>, link: &str) -> Result<(Resolved, Option<String>)> {
    let name = job.task.options.get("identity").and_then(Value::as_str).unwrap_or_default();
    let ask = Ask { link: link.to_owned(), who: Who::named(name.trim()), only: None };
    tokio::select! {
        resolved = job.services.crawl.look_up_through(&ask) => resolved,
        () = job.cancel.cancelled() => Err(stopped()),
    }
}

async fn upload(job: &Job<'_>, id: &str) -> Result<Outcome> {
    let tx = begin(job).await?;
    let media = of_upload(job, &tx, id).await?;
    keep(job, tx, &media).await
}

/// The media that a link to something here names: `upload:<id>` or `media:<id>`. None for other links.
pub(super) async fn named(job: &Job<'_>, link: &str) -> Result<Option<Media>> {
    let tx = begin(job).await?;
    let media = match (link.strip_prefix("upload:"), link.strip_prefix("media:")) {
        (Some(id), _) => of_upload(job, &tx, id).await?,
        (None, Some(id)) => here(job, &tx, id).await?,
        (None, None) => return Ok(None),
    };
    // So that its file stays while this task needs it.
    match job.task.media_id {
        None => tx.set_task_media(job.task.id, media.id).await?,
        Some(_) => tx.use_media(job.task.id, &[media.id].into()).await?,
    }
    tx.commit().await?;
    Ok(Some(media))
}

/// The media that an upload is.
async fn of_upload(job: &Job<'_>, tx: &Tx, id: &str) -> Result<Media> {
    let store = job.services.queue.store();
    let gone = || Error::new(Code::SourceNotFound, "The upload is not here any more");
    let (upload, _) = store.upload(id).await?.ok_or_else(gone)?;
    if !owned::may_use(job, upload.owner).await? {
        return Err(gone());
    }
    let media = NewMedia {
        platform: UPLOAD.to_owned(),
        platform_id: upload.id.clone(),
        title: upload.file_name.clone(),
        ..NewMedia::default()
    };
    let id = tx.upsert_media(media).await?;
    tx.set_media_file(id, &upload.file, upload.size, &upload.sha256, upload.content_type.as_deref()).await?;
    let media = tx.media(id).await?;
    media.ok_or_else(|| Error::new(Code::Internal, "The media that was just written cannot be read"))
}

/// A transaction in which the task is still here: one that was deleted must not get a media that nobody deletes.
async fn begin(job: &Job<'_>) -> Result<Tx> {
    let tx = job.services.queue.store().begin().await?;
    tx.lock_task(job.task.id).await?.ok_or_else(stopped)?;
    Ok(tx)
}

async fn here(job: &Job<'_>, tx: &Tx, id: &str) -> Result<Media> {
    let found = match id.parse().map(MediaId) {
        Ok(id) if owned::may_use_media(job, id).await? => tx.media(id).await?,
        Ok(_) | Err(_) => None,
    };
    found.ok_or_else(|| Error::new(Code::SourceNotFound, "The media is not here any more"))
}

/// The output for media whose file is kept.
async fn keep(job: &Job<'_>, tx: Tx, media: &Media) -> Result<Outcome> {
    tx.set_task_media(job.task.id, media.id).await?;
    tx.commit().await?;
    let none: Vec<Value> = Vec::new();
    Ok(json!({
        "media_id": media.id, "platform": media.platform, "id": media.platform_id, "kind": "audio",
        "title": media.title, "description": null, "author": media.author, "author_id": null,
        "published_at": media.published_at, "cover_url": null, "page_url": media.page_url,
        "duration_ms": media.duration_ms, "candidates": none, "silent": null, "here": true, "warnings": none,
    })
    .into())
}
