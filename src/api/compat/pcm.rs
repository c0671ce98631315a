//! Sound without a header, as clients of whisper-asr-webservice send it with `encode=false`.

use tokio::io::AsyncReadExt;

use crate::{
    api::{facade::Given, native::Context},
    error::Result,
    transcribe::audio::wav_header,
};

/// How much is copied at once.
const PIECE: usize = 256 * 1024;

/// What files begin with that say themselves what they are.
const MARKS: [(usize, &[u8]); 6] =
    [(0, b"RIFF"), (0, b"fLaC"), (0, b"OggS"), (0, b"ID3"), (4, b"ftyp"), (0, b"\x1A\x45\xDF\xA3")];

impl Context {
    /// Gives samples their header: 16 bits, mono, 16 kHz. A file that has one stays as it is.
    pub(super) async fn with_header(&self, given: Given) -> Result<Given> {
        let mut source = tokio::fs::File::open(given.file.path()).await?;
        let mut piece = vec![0; PIECE];
        let mut count = source.read(&mut piece).await?;
        if is_file(&piece[..count]) {
            return Ok(given);
        }
        let mut file = self.state.files.new_upload().await?;
        file.write(&wav_header(given.file.size())).await?;
        while count > 0 {
            file.write(&piece[..count]).await?;
            count = source.read(&mut piece).await?;
        }
        file.finish().await?;
        Ok(Given { file, name: given.name, content_type: given.content_type })
    }
}

fn is_file(head: &[u8]) -> bool {
    MARKS.iter().any(|(at, mark)| head.get(*at..).is_some_and(|rest| rest.starts_with(mark)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_told_from_files() {
        assert!(is_file(b"RIFF\x24\0\0\0WAVE") && is_file(b"\0\0\0\x20ftypisom") && is_file(b"ID3\x04"));
        assert!(!is_file(&[0; 32]) && !is_file(b"") && !is_file(b"RIF") && !is_file(b"\xFF\xFB\x90\x44"));
    }
}
