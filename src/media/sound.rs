//! The sound of a film as a file of its own.

use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
    path::Path,
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{
    Ffmpeg, child, command,
    magic::Source,
    supervise::{Patience, supervise},
};
use crate::error::{Code, Error, Result};

/// The bytes in front of a WAV file's samples, as ffmpeg writes it when it is told to add nothing.
const WAV_HEAD: u64 = 44;

/// How many bytes are written before the room is asked for again.
const ROOM_EVERY: u64 = 16 * 1024 * 1024;

/// In what form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SoundFormat {
    /// WAV with 8 bits for each sample.
    Wav8,
    /// WAV with 16 bits for each sample.
    Wav16,
    /// MP3.
    Mp3,
}

impl SoundFormat {
    /// The ending of a file's name.
    pub fn extension(self) -> &'static str {
        if self == Self::Mp3 { "mp3" } else { "wav" }
    }

    /// The content type.
    pub fn content_type(self) -> &'static str {
        if self == Self::Mp3 { "audio/mpeg" } else { "audio/wav" }
    }

    /// The encoder and the container, as ffmpeg calls them.
    pub(super) fn words(self) -> [&'static str; 2] {
        match self {
            Self::Wav8 => ["pcm_u8", "wav"],
            Self::Wav16 => ["pcm_s16le", "wav"],
            Self::Mp3 => ["libmp3lame", "mp3"],
        }
    }
}

/// What is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Sound {
    /// In what form.
    pub format: SoundFormat,
    /// Samples per second. An MP3 file can have some rates only.
    pub sample_rate: u32,
}

impl Ffmpeg {
    /// Writes the first audio stream of `file` into the file `out`, with one channel or two.
    ///
    /// # Errors
    /// Those of [`Ffmpeg::probe`], of `room`, which is asked now and then whether there is room for more, and `no_audio`,
    /// `unsupported_format`, `io`; then `out` holds a part of it.
    pub async fn sound(
        &self,
        file: &Path,
        sound: Sound,
        out: &Path,
        room: impl Fn() -> Result<()> + Send + 'static,
        cancel: &CancellationToken,
    ) -> Result<()> {
        let probe = self.probe(file, cancel).await?;
        let Some(stream) = probe.audio_streams.first() else {
            return Err(Error::new(Code::NoAudio, "The film has no sound"));
        };
        let channels = stream.channels.clamp(1, 2);
        let (inner, file, out) = (self.inner.clone(), file.to_owned(), out.to_owned());
        let patience = Patience { timeout: self.inner.timeout, grace: self.inner.grace };
        let limit = self.inner.max_duration + Duration::from_secs(1);
        let work = move |group: &super::Group| {
            let source = Source::open(&file)?;
            let mut target = File::create(&out)?;
            let mut command = command::sound(&inner.programs.ffmpeg, &source.path, sound, channels, limit);
            inner.jail.lock(command.as_inner_mut(), Some(&source.path))?;
            let mut child = command.spawn().map_err(|error| child::start_error("ffmpeg", error))?;
            let mut written = 0;
            let ended = child::run(child.as_inner_mut(), group, &|_| {}, &mut |bytes| {
                let asked = written / ROOM_EVERY;
                written += bytes.len() as u64;
                if written / ROOM_EVERY > asked {
                    room()?;
                }
                target.write_all(bytes).map_err(Error::from)
            })?;
            if !ended.status.success() || written <= if sound.format == SoundFormat::Mp3 { 0 } else { WAV_HEAD } {
                return Err(Error::new(Code::UnsupportedFormat, "The sound of the film cannot be decoded")
                    .with_source(ended.log.tail()));
            }
            if sound.format != SoundFormat::Mp3 {
                measure(&mut target, written)?;
            }
            target.sync_all().map_err(Error::from)
        };
        supervise(work, patience, cancel, None).await
    }
}

/// Writes the lengths into a WAV file's head: ffmpeg cannot go back to it through a pipe.
fn measure(file: &mut File, bytes: u64) -> Result<()> {
    let length = |bytes: u64| u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
    for (place, value) in [(4, bytes - 8), (WAV_HEAD - 4, bytes - WAV_HEAD)] {
        file.seek(SeekFrom::Start(place))?;
        file.write_all(&length(value))?;
    }
    Ok(())
}
