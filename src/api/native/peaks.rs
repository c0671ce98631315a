//! Waveforms: how loud a media is over time, to draw it.

use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::Json,
    types::Example,
};
use tokio::sync::Mutex;

use super::{Context, Group};
use crate::{
    domain::{Media, TaskId},
    error::{Code, Error, Result},
    media::points,
};

/// Waveforms.
pub(in crate::api) struct Peaks(pub(super) Context);

/// A waveform. / 波形。
#[derive(Debug, Object)]
#[oai(example)]
struct Waveform {
    /// The media's length in seconds; null while nobody knows it.
    #[oai(nullable)]
    duration: Option<f64>,
    /// The loudest sample of each part, 0 to 1, all parts of the same length.
    peaks: Vec<f64>,
}

fn default_points() -> u32 {
    1_000
}

#[OpenApi(tag = "Group::Results")]
impl Peaks {
    /// Get a task's waveform
    ///
    /// As numbers from 0 to 1. It is made of the media file when it is first asked for, which takes about a second for
    /// ten minutes, and kept. A short clip has fewer points than were asked for.
    ///
    /// 获取波形：0 到 1 的数值。首次请求时由媒体文件计算并保存；很短的媒体点数可能少于所求。
    #[oai(path = "/api/tasks/:id/peaks", method = "get", operation_id = "task_peaks")]
    async fn get(
        &self,
        /// The task.
        id: Path<i64>,
        /// At most this many.
        #[oai(default = "default_points", validator(minimum(value = "1"), maximum(value = "4000")))]
        points: Query<u32>,
    ) -> poem::Result<Json<Waveform>> {
        Ok(Json(self.0.waveform(TaskId(id.0), points.0 as usize).await?))
    }
}

/// One waveform is made at a time; whoever has waited finds what the one before has made.
static TURN: Mutex<()> = Mutex::const_new(());

impl Context {
    async fn waveform(&self, id: TaskId, count: usize) -> Result<Waveform> {
        let (media, key) = self.kept(id).await?;
        let duration = media.duration_ms.map(|ms| ms as f64 / 1_000.0);
        let known = self.store().waveform(media.id, media.sha256.as_deref().unwrap_or_default()).await?;
        let levels = match known {
            Some(levels) => levels,
            None => {
                // Goes on to its end even when the client does not wait for it.
                let context = self.clone();
                let work = tokio::spawn(async move { context.listen(media, &key).await });
                work.await.map_err(|error| Error::new(Code::Internal, "The waveform was lost").with_source(error))??
            }
        };
        Ok(Waveform { duration, peaks: points(&levels, count) })
    }

    /// Makes a media's waveform of its file and keeps it.
    async fn listen(&self, media: Media, key: &str) -> Result<Vec<u16>> {
        let sha256 = media.sha256.as_deref().unwrap_or_default();
        let _turn = TURN.lock().await;
        if let Some(levels) = self.store().waveform(media.id, sha256).await? {
            return Ok(levels);
        }
        let path = self.state.files.kept_path(key).await?;
        let levels = self.state.ffmpeg.levels(&path, &self.stop).await?;
        let tx = self.store().begin().await?;
        tx.put_waveform(media.id, sha256, &levels).await?;
        tx.commit().await?;
        Ok(levels)
    }
}

impl Example for Waveform {
    fn example() -> Self {
        Self { duration: Some(4.2), peaks: vec![0.0121, 0.4385, 0.8122, 0.2056] }
    }
}
