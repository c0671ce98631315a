//! `POST /api/whisper/extract_audio`: the sound of a film as a file.

use std::sync::Arc;

use poem::Body;
use poem_openapi::{Object, OpenApi};
use tokio::sync::Semaphore;

use super::{ask::word, saved::Saved};
use crate::{
    api::{
        State,
        disposition::{Show, disposition},
        facade::Form,
        native::{Context, Group, upload::form::FilePart},
        sample::shows,
    },
    error::{Code, Error, Result},
    media::{Sound, SoundFormat},
};

/// What an MP3 file can have.
const MP3_RATES: [u32; 9] = [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];

/// The sound of films.
pub(in crate::api) struct Films {
    context: Context,
    /// One file at a time for each core that the queue may use: ffmpeg is as busy here as in a task.
    places: Arc<Semaphore>,
}

/// A film whose sound is wanted. / 需要提取音频的视频。
#[derive(Debug, Object)]
#[oai(rename = "ServicesFilm")]
struct FilmFields {
    /// The film; its part must not say that it is anything but a `video/…`.
    #[oai(default)]
    file: FilePart,
    /// Samples per second, 8000 to 48000.
    #[oai(default = "rate")]
    sample_rate: u32,
    /// Bytes per sample: 1 or 2. Without meaning for `mp3`.
    #[oai(default = "depth")]
    bit_depth: u8,
    /// `wav` or `mp3`.
    #[oai(default = "wav")]
    output_format: String,
}

fn rate() -> u32 {
    22_050
}

fn depth() -> u8 {
    2
}

fn wav() -> String {
    "wav".to_owned()
}

impl Films {
    /// With the context's settings.
    pub(in crate::api) fn new(context: Context) -> Self {
        let places = Arc::new(Semaphore::new(context.state.queue.config().cpu.max(1)));
        Self { context, places }
    }
}

#[OpenApi(tag = "Group::Compatibility")]
impl Films {
    /// Take the sound out of a film
    ///
    /// Answers with the sound as a file; nothing is kept here.
    ///
    /// 从视频中提取音频并直接返回文件；服务器不保留任何内容。
    #[oai(path = "/api/whisper/extract_audio", method = "post", operation_id = "services_extract_audio")]
    async fn extract(&self, form: Form<FilmFields>) -> poem::Result<Saved> {
        Ok(self.extracted(form).await?)
    }
}

impl Films {
    async fn extracted(&self, form: Form<FilmFields>) -> Result<Saved> {
        let (fields, given) = self.context.read(form, "file").await?;
        let refused = |detail: &str| Error::new(Code::InvalidRequest, detail).with_field("file");
        let given = given.ok_or_else(|| refused("There is no part named \"file\""))?;
        // Clients that do not know what a file is say the last of these, or nothing.
        let kind = given.content_type.trim().to_ascii_lowercase();
        if !kind.starts_with("video/") && !["", "application/octet-stream"].contains(&kind.as_str()) {
            return Err(refused("The part \"file\" says that it is no video")
                .with_hint("Send it with a content type such as video/mp4: curl -F 'file=@film.mp4;type=video/mp4'."));
        }
        let format = match word(&fields, "output_format", "wav", &["wav", "mp3"])?.as_str() {
            "mp3" => SoundFormat::Mp3,
            _ => match fields.parsed::<u8>("bit_depth", "1 or 2")?.unwrap_or(depth()) {
                1 => SoundFormat::Wav8,
                2 => SoundFormat::Wav16,
                _ => {
                    return Err(
                        Error::new(Code::InvalidValue, "Field \"bit_depth\" must be 1 or 2").with_field("bit_depth")
                    );
                }
            },
        };
        let sample_rate = fields.parsed::<u32>("sample_rate", "a whole number")?.unwrap_or(rate());
        if !(8_000..=48_000).contains(&sample_rate) {
            let detail = "Field \"sample_rate\" must be from 8000 to 48000";
            return Err(Error::new(Code::InvalidValue, detail).with_field("sample_rate"));
        }
        if format == SoundFormat::Mp3 && !MP3_RATES.contains(&sample_rate) {
            let detail = format!("Field \"sample_rate\" must be one of {MP3_RATES:?} for mp3");
            return Err(Error::new(Code::InvalidValue, detail).with_field("sample_rate"));
        }
        let _place = self.places.acquire().await;
        let State { ffmpeg, files, .. } = &self.context.state;
        // Gone with its name when this is answered; what is open is read to its end.
        let target = files.new_upload().await?;
        let sound = Sound { format, sample_rate };
        let room = {
            let files = files.clone();
            move || files.check_free(0)
        };
        let made = ffmpeg.sound(given.file.path(), sound, target.path(), room, &self.context.stop).await;
        made.map_err(|error| match error.code {
            // What the file is, is the caller's business.
            Code::NoAudio | Code::NotMedia | Code::EmptyMedia | Code::Truncated => {
                Error::new(Code::InvalidRequest, error.detail).with_hint(error.hint).with_field("file")
            }
            _ => error,
        })?;
        let file = tokio::fs::File::open(target.path()).await?;
        let length = file.metadata().await?.len();
        let disposition = disposition(Show::Attachment, "extracted_audio", format.extension());
        Ok(Saved { content_type: format.content_type(), disposition, length, body: Body::from_async_read(file) })
    }
}

shows!(FilmFields, { "sample_rate": 16000, "bit_depth": 2, "output_format": "wav" });
