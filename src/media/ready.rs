//! Clips whose samples are ready: 16-bit mono at [`SAMPLE_RATE`], in a WAV or FLAC file, as recorders for speech write it.
//!
//! Starting ffmpeg takes longer than reading such a clip, and takes the cores from the engine meanwhile. Callers may rely
//! on: the samples are those that ffmpeg would give, bit for bit, and only a file without any flaw is read here. Nothing
//! is said of all others: ffmpeg looks at them from the beginning. The readers are safe Rust and see one small file.

use std::{
    fs::File,
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    time::Duration,
};

use symphonia::{
    core::{
        codecs::audio::{
            AudioCodecParameters, AudioDecoderOptions,
            well_known::{CODEC_ID_FLAC, CODEC_ID_PCM_S16LE},
        },
        formats::{FormatReader, TrackType},
        io::{MediaSource, MediaSourceStream},
    },
    default::{
        formats::{FlacReader, WavReader},
        get_codecs,
    },
};

use super::{
    SAMPLE_RATE,
    magic::Source,
    pcm::{Draft, Pcm},
};
use crate::error::Result;

/// What a clip may last: with longer sound, recognition takes so long that ffmpeg's start does not count.
const LONGEST: Duration = Duration::from_secs(600);

/// Bytes of a clip's file, a little more than a WAV file of [`LONGEST`] has; the readers keep no more than that of what
/// stands before the sound.
const MAX_BYTES: u64 = 20 << 20;

/// The samples of a clip, in a draft beside `out`; none where ffmpeg has to look at the file. `max` is how long sound may
/// be at all. It blocks.
pub(super) fn read(source: &Source, max: Duration, out: &Path) -> Option<Pcm<Draft>> {
    if source.size > MAX_BYTES || source.missing > 0.0 || source.open_ended {
        return None;
    }
    let file = Box::new(File::open(&source.path).ok()?);
    let most = max.min(LONGEST).as_secs() * u64::from(SAMPLE_RATE);
    let draft = || Ok(Pcm::new(Draft::beside(out)?));
    decode(file, source.kind?, most, draft)
}

/// The samples of a flawless file of this kind with `most` samples at most. `begin` is asked for a place when there is
/// something to write.
pub(super) fn decode<W: Write>(
    file: Box<dyn MediaSource>,
    kind: &str,
    most: u64,
    begin: impl FnOnce() -> Result<Pcm<W>>,
) -> Option<Pcm<W>> {
    // Numbers in a hostile header make the readers panic, in a build that looks for overflow and perhaps elsewhere.
    catch_unwind(AssertUnwindSafe(|| try_decode(file, kind, most, begin))).ok().flatten()
}

fn try_decode<W: Write>(
    file: Box<dyn MediaSource>,
    kind: &str,
    most: u64,
    begin: impl FnOnce() -> Result<Pcm<W>>,
) -> Option<Pcm<W>> {
    let stream = MediaSourceStream::new(file, Default::default());
    let mut reader: Box<dyn FormatReader> = match kind {
        "audio/x-flac" => Box::new(FlacReader::try_new(stream, Default::default()).ok()?),
        "audio/x-wav" => Box::new(WavReader::try_new(stream, Default::default()).ok()?),
        _ => return None,
    };
    let track = reader.default_track(TrackType::Audio)?;
    let parameters = track.codec_params.as_ref()?.audio().filter(|parameters| is_ready(parameters))?;
    let announced = track.num_frames.filter(|count| (1..=most).contains(count))?;
    // A FLAC file holds a checksum of its samples.
    let mut decoder = get_codecs().make_audio_decoder(parameters, &AudioDecoderOptions::default().verify(true)).ok()?;
    let (mut pcm, mut samples, mut bytes) = (begin().ok()?, Vec::<i16>::new(), Vec::new());
    while let Some(packet) = reader.next_packet().ok()? {
        // One that comes out of turn stands behind a gap.
        if u64::try_from(packet.pts.get()) != Ok(pcm.bytes() / 2) {
            return None;
        }
        decoder.decode(&packet).ok()?.copy_to_vec_interleaved(&mut samples);
        bytes.clear();
        bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
        pcm.write(&bytes).ok()?;
        if pcm.bytes() > 2 * announced {
            return None;
        }
    }
    let is_whole = pcm.bytes() == 2 * announced && decoder.finalize().verify_ok != Some(false);
    is_whole.then_some(pcm)
}

fn is_ready(parameters: &AudioCodecParameters) -> bool {
    [CODEC_ID_FLAC, CODEC_ID_PCM_S16LE].contains(&parameters.codec)
        && parameters.sample_rate == Some(SAMPLE_RATE)
        && parameters.bits_per_sample == Some(16)
        && parameters.channels.as_ref().is_some_and(|channels| channels.count() == 1)
}
