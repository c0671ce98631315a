//! AES-128 in CBC mode with PKCS#7 padding, as HLS encrypts segments.

use std::{
    fs::File,
    io::{BufReader, BufWriter, Read, Write},
    path::Path,
};

use aes::Aes128;
use cbc::{
    Decryptor,
    cipher::{Block, BlockModeDecrypt, KeyIvInit},
};

use crate::error::{Code, Error, Result};

const BLOCK: usize = 16;

/// Writes what `from` holds, decrypted, to `to`. Blocks the thread.
pub(super) fn decrypt(from: &Path, to: &Path, key: [u8; BLOCK], iv: [u8; BLOCK]) -> Result<()> {
    let mut cipher = Decryptor::<Aes128>::new(&key.into(), &iv.into());
    let (mut from, mut to) = (BufReader::new(File::open(from)?), BufWriter::new(File::create(to)?));
    // One block is held back: the last one says how much of it is padding.
    let mut held: Option<[u8; BLOCK]> = None;
    loop {
        let mut bytes = [0; BLOCK];
        match fill(&mut from, &mut bytes)? {
            0 => break,
            BLOCK => {}
            _ => return Err(wrong()),
        }
        if let Some(block) = held {
            to.write_all(&block)?;
        }
        let mut block: Block<Decryptor<Aes128>> = bytes.into();
        cipher.decrypt_block(&mut block);
        held = Some(block.into());
    }
    let last = held.ok_or_else(wrong)?;
    let padding = usize::from(last[BLOCK - 1]);
    if padding == 0 || padding > BLOCK || last[BLOCK - padding..].iter().any(|byte| usize::from(*byte) != padding) {
        return Err(wrong());
    }
    to.write_all(&last[..BLOCK - padding])?;
    Ok(to.flush()?)
}

/// Reads until the buffer is full or the file ends.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

fn wrong() -> Error {
    Error::new(Code::SourceError, "The stream cannot be decrypted with the key that its playlist names")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decrypted(hex: &str, key: &str, iv: &str) -> Result<Vec<u8>> {
        let bytes = |hex: &str| -> Vec<u8> {
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
        };
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        std::fs::write(&from, bytes(hex)).unwrap();
        decrypt(&from, &to, bytes(key).try_into().unwrap(), bytes(iv).try_into().unwrap())?;
        Ok(std::fs::read(&to).unwrap())
    }

    const KEY: &str = "000102030405060708090a0b0c0d0e0f";
    const IV: &str = "0f0e0d0c0b0a09080706050403020100";
    /// Made with `openssl enc -aes-128-cbc`.
    const WORDS: &str = "ec17b0327c4f0b4075c691486ba2a848a78cf1452e767f899261790f59023b49";

    #[test]
    fn what_openssl_encrypted_is_read() {
        assert_eq!(decrypted(WORDS, KEY, IV).unwrap(), b"The music is near the long box.");
    }

    #[test]
    fn another_key_half_a_block_and_nothing_are_errors() {
        for (hex, key) in [(WORDS, IV), (&WORDS[..62], KEY), (&WORDS[..32], KEY), ("", KEY)] {
            assert_eq!(decrypted(hex, key, IV).unwrap_err().code, Code::SourceError, "{hex}");
        }
    }
}
