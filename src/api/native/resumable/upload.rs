//! An upload in pieces from its first byte to the task's input.

use std::time::Duration;

use chrono::Utc;
use uuid::Uuid;

use super::{
    super::Context,
    headers::{self, Checksum},
    piece::Piece,
};
use crate::{
    domain::Caller,
    error::{Code, Error, Result},
    files::Claim,
    store::{NewUpload, PartialUpload},
};

/// How long whoever writes to an upload has to let go of it.
const PATIENCE: Duration = Duration::from_secs(10);

/// How far an upload is.
pub(super) struct Progress {
    /// What is known about it.
    pub row: PartialUpload,
    /// Bytes that are here.
    pub offset: u64,
}

impl Progress {
    /// When it is given up, as HTTP writes times.
    pub(super) fn expires(&self) -> String {
        headers::http_date(self.row.expires_at)
    }
}

/// Begins an upload of `length` bytes and takes its first piece if there is one.
pub(super) async fn create(
    context: &Context,
    caller: Caller,
    length: u64,
    metadata: String,
    piece: Piece,
    checksum: Option<Checksum>,
) -> Result<Progress> {
    let file_name = headers::file_name(&metadata)?;
    let (files, config) = (&context.state.files, &context.state.config.uploads);
    let has_piece = piece.is_there()?;
    if length == 0 {
        return Err(Error::new(Code::EmptyMedia, "The upload has zero bytes").with_field("Upload-Length"));
    }
    if length > config.max_bytes {
        return Err(Error::new(Code::TooLarge, format!("The upload is larger than {} bytes", config.max_bytes)));
    }
    piece.check(0, length)?;
    context.state.access.admit(caller, length).await?;
    files.check_free(length)?;
    let begun = files.partials(Duration::ZERO).await?;
    let own = match caller.only() {
        Some(owner) => {
            let own = context.store().partial_uploads_of(owner).await?;
            begun.iter().filter(|id| own.contains(&id.to_string())).count()
        }
        None => 0,
    };
    // One token may have a quarter, so that there is room for the others.
    if begun.len() >= config.max_unfinished || own >= config.max_unfinished.div_ceil(4) {
        let detail = format!("There are {} uploads that are not complete, {own} of them your own", begun.len());
        let hint = "Finish or delete some of them, or raise `uploads.max_unfinished`.";
        return Err(Error::new(Code::InsufficientStorage, detail).with_hint(hint));
    }
    let id = Uuid::new_v4();
    let row = PartialUpload {
        id: id.to_string(),
        owner: caller.token,
        file_name,
        metadata,
        length: i64::try_from(length).unwrap_or(i64::MAX),
        expires_at: expiry(context),
    };
    let claim = files.claim(id).ok_or_else(busy)?;
    // The file comes first: one without a row is swept, but a row without its file would be an upload that is gone.
    files.new_partial(id).await?;
    let tx = context.store().begin().await?;
    tx.insert_partial_upload(row.clone()).await?;
    tx.commit().await?;
    match has_piece {
        // What comes of the first piece does not change that there is an upload to go on with.
        true => work(context, row, claim, piece, checksum).await,
        false => Ok(Progress { row, offset: 0 }),
    }
}

/// How far an upload is. Who asks has lost the connection, so a request that still waits for the rest is ended.
pub(super) async fn look(context: &Context, caller: Caller, id: &str) -> Result<Progress> {
    let (row, id) = find(context, caller, id).await?;
    let claim = context.state.files.take_over(id, PATIENCE).await.ok_or_else(busy)?;
    match offset(context, &row, id).await? {
        // Everything had come when the daemon died.
        offset if offset == row.length.unsigned_abs() => finish(context, row, claim).await,
        offset => Ok(Progress { row, offset }),
    }
}

/// Adds a piece that begins at `from`.
pub(super) async fn append(
    context: &Context,
    caller: Caller,
    id: &str,
    from: u64,
    piece: Piece,
    checksum: Option<Checksum>,
) -> Result<Progress> {
    let (row, id) = find(context, caller, id).await?;
    if !piece.is_there()? {
        return Err(Error::new(Code::UnsupportedFormat, "A piece is sent as application/offset+octet-stream"));
    }
    let claim = context.state.files.claim(id).ok_or_else(busy)?;
    let offset = offset(context, &row, id).await?;
    if from != offset {
        let detail = format!("The upload goes on at byte {offset}, not at {from}");
        let hint = "Ask with HEAD how far the upload is.";
        return Err(Error::new(Code::Conflict, detail).with_hint(hint).with_field("Upload-Offset"));
    }
    piece.check(offset, row.length.unsigned_abs())?;
    if offset == row.length.unsigned_abs() {
        return finish(context, row, claim).await;
    }
    work(context, row, claim, piece, checksum).await
}

/// Gives an upload up, with what came of it; a finished one only while no task has it.
pub(super) async fn remove(context: &Context, caller: Caller, id: &str) -> Result<()> {
    let (row, id) = find(context, caller, id).await?;
    let claim = context.state.files.take_over(id, PATIENCE).await.ok_or_else(busy)?;
    context.drop_upload(&row.id).await?;
    if context.store().upload(&row.id).await?.is_some() {
        let detail = "A task works with this upload";
        return Err(Error::new(Code::Conflict, detail).with_hint("Delete the task: its upload goes with it."));
    }
    drop_partial(context, &claim, &row.id).await
}

/// The caller's upload of this name.
async fn find(context: &Context, caller: Caller, id: &str) -> Result<(PartialUpload, Uuid)> {
    let gone = || Error::new(Code::NotFound, "There is no such upload");
    let uuid = Uuid::try_parse(id).map_err(|_| gone())?;
    let row = context.store().partial_upload(&uuid.to_string()).await?;
    let row = row.filter(|row| caller.may_see(row.owner)).ok_or_else(gone)?;
    if row.expires_at < Utc::now().timestamp_millis() {
        return Err(Error::new(Code::Expired, "The upload has expired"));
    }
    Ok((row, uuid))
}

/// Writes a piece, and makes an upload of the file once it is complete. Whatever becomes of the request, this goes on
/// until what came is on the disk.
async fn work(
    context: &Context,
    row: PartialUpload,
    claim: Claim,
    piece: Piece,
    checksum: Option<Checksum>,
) -> Result<Progress> {
    let context = context.clone();
    let work = tokio::spawn(async move {
        let length = row.length.unsigned_abs();
        let stored = piece.store(&claim, length, checksum, &context.stop).await;
        let row = PartialUpload { expires_at: expiry(&context), ..row };
        let tx = context.store().begin().await?;
        tx.prolong_partial_upload(&row.id, row.expires_at).await?;
        tx.commit().await?;
        match stored? {
            offset if offset == length => finish(&context, row, claim).await,
            offset => Ok(Progress { row, offset }),
        }
    });
    work.await.map_err(lost)?
}

/// Makes an upload of a complete file. Its row stays until it expires, for clients that ask again.
async fn finish(context: &Context, row: PartialUpload, claim: Claim) -> Result<Progress> {
    let context = context.clone();
    let work = tokio::spawn(async move {
        let offset = row.length.unsigned_abs();
        if context.store().upload(&row.id).await?.is_none() {
            let kept = context.state.files.keep(&claim.path()).await?;
            let tx = context.store().begin().await?;
            // Files of the same bytes are one: whoever had it may have been deleted a moment ago, and the file with it.
            context.state.files.confirm(&kept.key).await?;
            let upload = NewUpload {
                id: row.id.clone(),
                file_name: row.file_name.clone(),
                file: kept.key,
                size: row.length,
                sha256: kept.sha256,
                content_type: Some(kept.content_type),
                owner: row.owner,
            };
            tx.insert_upload(upload).await?;
            tx.commit().await?;
        }
        drop(claim);
        Ok(Progress { row, offset })
    });
    work.await.map_err(lost)?
}

/// How many bytes of an upload are here.
async fn offset(context: &Context, row: &PartialUpload, id: Uuid) -> Result<u64> {
    if context.store().upload(&row.id).await?.is_some() {
        return Ok(row.length.unsigned_abs());
    }
    let size = context.state.files.partial_size(id).await?;
    size.ok_or_else(|| Error::new(Code::Expired, "The upload's file is gone"))
}

async fn drop_partial(context: &Context, claim: &Claim, id: &str) -> Result<()> {
    context.state.files.remove_partial(claim).await?;
    let tx = context.store().begin().await?;
    tx.delete_partial_upload(id).await?;
    tx.commit().await
}

fn expiry(context: &Context) -> i64 {
    let wait = i64::try_from(context.state.config.uploads.expires_after.0.as_millis()).unwrap_or(i64::MAX);
    Utc::now().timestamp_millis().saturating_add(wait)
}

fn busy() -> Error {
    Error::new(Code::Busy, "Another request works on this upload").with_retry_after(Some(Duration::from_secs(1)))
}

fn lost(error: tokio::task::JoinError) -> Error {
    Error::new(Code::Internal, "The upload was lost").with_source(error)
}
