//! Model downloads through the guarded client, and the default model at the first start.

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::App;
use crate::{
    error::{Code, Result},
    net::{Download, Net},
    transcribe::{Fetch, models::Progress},
};

/// How long to wait before the default model is asked for again.
const RETRY: Duration = Duration::from_secs(60);

/// Fetches model files through [`Net`].
pub struct NetFetch(pub Net);

#[async_trait]
impl Fetch for NetFetch {
    async fn fetch(&self, url: &str, part: &Path, progress: &Progress<'_>, cancel: &CancellationToken) -> Result<u64> {
        let request = Download {
            url: url.to_owned(),
            headers: Vec::new(),
            path: part.to_owned(),
            range: None,
            max_bytes: self.0.max_media_bytes(),
        };
        let downloaded = self.0.download(request, &|p| progress(p.received, p.total), cancel).await?;
        Ok(downloaded.size)
    }
}

/// Fetches the default model if it is not here, trying again until it is or the daemon stops. Tasks wait meanwhile.
pub(super) async fn fetch_default(app: &App, shutdown: CancellationToken) {
    let models = &app.services.models;
    let fetch = NetFetch(app.services.net.clone());
    loop {
        let name = match models.resolve(None) {
            Err(error) if error.code == Code::ModelMissing && !app.config.models.offline => models.name(None),
            Err(error) => {
                tracing::warn!(error = %error.chain(), hint = error.hint, "the default model cannot be used");
                return;
            }
            Ok(_) => return,
        };
        let Ok(name) = name else { return };
        tracing::info!(model = name, "fetching the default model; tasks wait until it is here");
        match models.pull(&name, &fetch, &|_, _| {}, &shutdown).await {
            Ok(_) => {
                tracing::info!(model = name, "the default model is here");
                if let Err(error) = app.services.queue.model_arrived().await {
                    tracing::warn!(error = %error.chain(), "tasks that wait for the model look again later");
                }
                return;
            }
            Err(_) if shutdown.is_cancelled() => return,
            Err(error) => {
                tracing::warn!(model = name, error = %error.chain(), hint = error.hint, "the model cannot be fetched; trying again");
            }
        }
        tokio::select! {
            () = sleep(RETRY) => {}
            () = shutdown.cancelled() => return,
        }
    }
}
