//! From a received file to a task.

use super::{
    super::{Context, submit::idempotency},
    receive::Received,
};
use crate::{
    api::content,
    domain::Task,
    error::{Code, Error, Result},
    fault,
    intake::Submission,
    store::{NewUpload, Upload},
};

/// Keeps the file and hands it in. Goes on to its end even when the client does not wait for it.
pub(in crate::api) async fn submit(context: &Context, received: Received, key: Option<String>) -> Result<Task> {
    let context = context.clone();
    let work = tokio::spawn(async move { register(&context, received, key).await });
    work.await.map_err(|error| Error::new(Code::Internal, "The upload was lost").with_source(error))?
}

async fn register(context: &Context, received: Received, key: Option<String>) -> Result<Task> {
    let Received { file, name, mut submission, fields } = received;
    // The key is looked at before anything is kept; the file's hash is known only afterwards.
    idempotency(key.clone(), String::new())?;
    let kept = context.state.files.keep(file.path()).await?;
    fault::point("upload::kept");
    let id = uuid::Uuid::new_v4().to_string();
    let link = format!("upload:{id}");
    submission.link.clone_from(&link);
    let given = idempotency(key, content::sha256(format!("{} {fields}", kept.sha256).as_bytes()))?;
    submission.idempotency = given.or(submission.idempotency);
    let upload = NewUpload {
        id,
        file_name: name,
        file: kept.key,
        size: i64::try_from(kept.size).unwrap_or(i64::MAX),
        sha256: kept.sha256,
        content_type: Some(kept.content_type),
        owner: submission.caller.token,
    };
    match hand_in(context, &upload, submission).await {
        // A repeated request: its first upload is the one that is used.
        Ok(task) if task.link != link => context.drop_upload(&upload.id).await.map(|()| task),
        Ok(task) => Ok(task),
        Err(error) => {
            if let Err(left) = context.drop_upload(&upload.id).await {
                tracing::error!(error = %left.chain(), "a refused upload cannot be removed");
            }
            Err(error)
        }
    }
}

async fn hand_in(context: &Context, upload: &Upload, submission: Submission) -> Result<Task> {
    insert(context, upload).await?;
    fault::point("upload::stored");
    context.state.intake.submit(submission).await
}

/// Stores an upload whose file is kept.
pub(in crate::api) async fn insert(context: &Context, upload: &Upload) -> Result<()> {
    let tx = context.store().begin().await?;
    // Files of the same bytes are one: the last task that had it may have been deleted a moment ago, and the file with it.
    context.state.files.confirm(&upload.file).await?;
    tx.insert_upload(upload.clone()).await?;
    tx.commit().await
}
