//! Raw PCM files: signed 16-bit little-endian, mono, 16 kHz.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    ops::Range,
    path::Path,
};

use crate::error::{Code, Error, Result};

/// Samples per second.
pub const SAMPLE_RATE: u64 = 16_000;

/// In samples: whisper.cpp says nothing about less than a tenth of a second.
pub(crate) const SHORTEST: u64 = SAMPLE_RATE / 10 + 160;

/// Bytes of a WAV header.
pub(crate) const WAV_HEADER: u64 = 44;

/// The header of a WAV file with so many bytes of such PCM; more than 4 GiB are told as 4 GiB.
pub fn wav_header(bytes: u64) -> [u8; WAV_HEADER as usize] {
    let size = |bytes: u64| u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
    let mut header = [0; WAV_HEADER as usize];
    let parts: [(usize, &[u8]); 11] = [
        (0, b"RIFF"),
        (4, &size(bytes + WAV_HEADER - 8)),
        (8, b"WAVEfmt "),
        (16, &16u32.to_le_bytes()),
        (20, &1u16.to_le_bytes()),
        (22, &1u16.to_le_bytes()),
        (24, &size(SAMPLE_RATE)),
        (28, &size(SAMPLE_RATE * 2)),
        (32, &2u16.to_le_bytes()),
        (34, &16u16.to_le_bytes()),
        (36, b"data"),
    ];
    for (at, part) in parts {
        header[at..at + part.len()].copy_from_slice(part);
    }
    header[40..].copy_from_slice(&size(bytes));
    header
}

/// Seconds of so many samples.
pub(crate) fn seconds(samples: u64) -> f64 {
    samples as f64 / SAMPLE_RATE as f64
}

/// An open PCM file, read piece by piece: an hour of audio is never in memory at once.
pub(crate) struct Pcm {
    file: File,
    samples: u64,
}

impl Pcm {
    /// Opens a file which must hold at least so many samples.
    pub(crate) fn open(path: &Path, samples: u64) -> Result<Self> {
        let file = File::open(path)?;
        let there = file.metadata()?.len() / 2;
        if there < samples {
            let detail = format!("The decoded audio has {there} samples instead of {samples}");
            return Err(Error::new(Code::Io, detail));
        }
        Ok(Self { file, samples })
    }

    /// The samples of a range, as they are.
    pub(crate) fn read(&mut self, range: Range<u64>) -> Result<Vec<i16>> {
        let range = range.start.min(self.samples)..range.end.min(self.samples);
        let count = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(0);
        self.file.seek(SeekFrom::Start(range.start * 2))?;
        let mut bytes = vec![0; count * 2];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect())
    }

    /// The samples of a range, from -1 to 1.
    pub(crate) fn read_floats(&mut self, range: Range<u64>) -> Result<Vec<f32>> {
        Ok(self.read(range)?.into_iter().map(|sample| f32::from(sample) / 32_768.0).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_says_what_follows() {
        let header = wav_header(32_000);
        assert_eq!(&header[..4], b"RIFF");
        assert_eq!(u32::from_le_bytes(header[4..8].try_into().unwrap()), 32_036);
        assert_eq!(u32::from_le_bytes(header[24..28].try_into().unwrap()), 16_000);
        assert_eq!(u32::from_le_bytes(header[40..].try_into().unwrap()), 32_000);
    }
}
