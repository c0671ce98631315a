//! Clips whose samples are ready: 16-bit mono at [`SAMPLE_RATE`], in a WAV or FLAC file, as recorders for speech write it.
//!
//! Starting ffmpeg takes ten times as long as reading such a clip, and takes the cores from the engine meanwhile. Callers
//! may rely on: the samples are those that ffmpeg would give, bit for bit, and only a file without any flaw is read here.
//! Nothing is said of all others: ffmpeg looks at them from the beginning. The decoders are safe Rust; they see a few MiB
//! in memory and nothing else.

use std::{
    fs::File,
    io::{Cursor, Read},
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
        io::MediaSourceStream,
    },
    default::{
        formats::{FlacReader, WavReader},
        get_codecs,
    },
};

use super::{SAMPLE_RATE, magic::Source};

/// What a clip may last: with longer sound, recognition takes so long that ffmpeg's start does not count.
const LONGEST: Duration = Duration::from_secs(240);

/// Bytes of a clip's file: a WAV file of [`LONGEST`] has less.
const MAX_BYTES: u64 = 8 << 20;

/// The samples of a clip, signed 16-bit little-endian; none where ffmpeg has to look at the file. `max` is how long sound
/// may be at all. It blocks.
pub(super) fn samples(source: &Source, max: Duration) -> Option<Vec<u8>> {
    if source.size > MAX_BYTES || source.missing > 0.0 || source.open_ended {
        return None;
    }
    let bytes = read(&source.path).ok()?;
    let most = max.min(LONGEST).as_secs() * u64::from(SAMPLE_RATE);
    // The decoders know no panic, but they are others' work and the file may be hostile.
    catch_unwind(AssertUnwindSafe(|| decode(bytes, most))).ok().flatten()
}

/// The whole file, unless it has grown since somebody looked.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The samples of a flawless file with `most` samples at most.
pub(super) fn decode(bytes: Vec<u8>, most: u64) -> Option<Vec<u8>> {
    let is_flac = bytes.starts_with(b"fLaC");
    let stream = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
    let mut reader: Box<dyn FormatReader> = match is_flac {
        true => Box::new(FlacReader::try_new(stream, Default::default()).ok()?),
        false => Box::new(WavReader::try_new(stream, Default::default()).ok()?),
    };
    let track = reader.default_track(TrackType::Audio)?;
    let parameters = track.codec_params.as_ref()?.audio().filter(|parameters| is_ready(parameters))?;
    let announced = track.num_frames.filter(|count| (1..=most).contains(count))?;
    // A FLAC file holds a checksum of its samples.
    let options = AudioDecoderOptions::default().verify(true);
    let mut decoder = get_codecs().make_audio_decoder(parameters, &options).ok()?;
    let (mut samples, mut count, mut part) = (Vec::new(), 0, Vec::<i16>::new());
    while let Some(packet) = reader.next_packet().ok()? {
        // One that comes out of turn stands behind a gap.
        if u64::try_from(packet.pts.get()) != Ok(count) {
            return None;
        }
        decoder.decode(&packet).ok()?.copy_to_vec_interleaved(&mut part);
        count += part.len() as u64;
        if count > announced {
            return None;
        }
        samples.extend(part.iter().flat_map(|sample| sample.to_le_bytes()));
    }
    let is_sound = count == announced && decoder.finalize().verify_ok != Some(false);
    is_sound.then_some(samples)
}

fn is_ready(parameters: &AudioCodecParameters) -> bool {
    [CODEC_ID_FLAC, CODEC_ID_PCM_S16LE].contains(&parameters.codec)
        && parameters.sample_rate == Some(SAMPLE_RATE)
        && parameters.bits_per_sample == Some(16)
        && parameters.channels.as_ref().is_some_and(|channels| channels.count() == 1)
}
