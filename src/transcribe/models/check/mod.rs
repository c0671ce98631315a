//! Whether a file really is a Whisper model, whole and with nothing behind it.
//!
//! whisper.cpp aborts the process over some wrong files (a Silero VAD model has the same magic) and "transcribes" with
//! others that have no weights at all. Callers may rely on a file that passes being loadable, memory permitting: the
//! header is plausible, every tensor which the header implies is there once, in the shape and kind of number that
//! whisper.cpp makes room for, and the file ends where the last one does. Only headers are read and next to no memory is
//! taken, whatever a header says, so it takes milliseconds.

mod layout;

use std::{
    collections::HashMap,
    fs::File,
    io::{BufReader, Read, Seek},
    path::Path,
};

use serde::Serialize;

use self::layout::{FTYPES, Ftype, Shape, TYPES, expected};
use crate::error::{Code, Error, Result};

/// The first four bytes, as a little-endian number.
const MAGIC: i32 = 0x6767_6d6c;

/// What a model file's header says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelInfo {
    /// The sizes of its parts.
    pub dims: Dims,
    /// Whether it knows languages besides English.
    pub multilingual: bool,
    /// How its weights are stored: `f16`, `q8_0`, …
    pub ftype: String,
    /// The file's size in bytes.
    pub size: u64,
}

/// The sizes of a model's parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names are OpenAI's")]
pub struct Dims {
    pub n_vocab: u32,
    pub n_audio_ctx: u32,
    pub n_audio_state: u32,
    pub n_audio_head: u32,
    pub n_audio_layer: u32,
    pub n_text_ctx: u32,
    pub n_text_state: u32,
    pub n_text_head: u32,
    pub n_text_layer: u32,
    pub n_mels: u32,
}

/// Checks a model file without reading its weights.
pub fn check_file(path: &Path) -> Result<ModelInfo> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    check(BufReader::new(file), size).map_err(|reason| match reason {
        Reason::Invalid(reason) => Error::new(Code::ModelInvalid, format!("{name} {reason}")),
        Reason::Io(error) => Error::from(error),
    })
}

enum Reason {
    Invalid(String),
    Io(std::io::Error),
}

impl From<std::io::Error> for Reason {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::UnexpectedEof {
            return Self::Invalid("is cut off: the download was not finished".to_owned());
        }
        Self::Io(error)
    }
}

fn invalid<T>(reason: impl Into<String>) -> Result<T, Reason> {
    Err(Reason::Invalid(reason.into()))
}

fn check(mut file: impl Read + Seek, size: u64) -> Result<ModelInfo, Reason> {
    if size < 4 || number(&mut file)? != MAGIC {
        return invalid("is no ggml Whisper model: it begins with the wrong bytes");
    }
    let mut header = [0; 11];
    for value in &mut header {
        *value = number(&mut file)?;
    }
    let (dims, ftype) = plausible(header)?;

    let (mels, bins) = (count(&mut file)?, count(&mut file)?);
    if mels != u64::from(dims.n_mels) || bins != 201 {
        return invalid(format!("has mel filters of {mels} × {bins}, which does not fit its header"));
    }
    skip(&mut file, mels * bins * 4, size)?;
    let tokens = count(&mut file)?;
    if tokens == 0 || tokens > u64::from(dims.n_vocab) {
        return invalid(format!("has a vocabulary of {tokens}, which does not fit its header"));
    }
    for _ in 0..tokens {
        let length = count(&mut file)?;
        skip(&mut file, length, size)?;
    }
    tensors(&mut file, size, expected(&dims, ftype))?;
    Ok(ModelInfo { dims, multilingual: dims.n_vocab >= 51_865, ftype: ftype.name.to_owned(), size })
}

fn plausible(header: [i32; 11]) -> Result<(Dims, &'static Ftype), Reason> {
    let [n_vocab, a_ctx, a_state, a_head, a_layer, t_ctx, t_state, t_head, t_layer, n_mels, ftype] = header;
    if n_vocab == 10 || !(51_864..=51_900).contains(&n_vocab) {
        // A Silero file goes on with the length of its name ("silero-16k").
        return invalid("is no Whisper model, though it has the same kind of file (perhaps a Silero VAD model)");
    }
    let ok = a_state == t_state
        && (1..=8_192).contains(&a_state)
        && (1..=64).contains(&a_head)
        && (1..=64).contains(&t_head)
        && a_state % a_head == 0
        && t_state % t_head == 0
        && (1..=128).contains(&a_layer)
        && (1..=128).contains(&t_layer)
        && (1..=10_000).contains(&a_ctx)
        && (1..=10_000).contains(&t_ctx)
        && (n_mels == 80 || n_mels == 128);
    let ftype = FTYPES.iter().find(|known| known.id == ftype % 1_000 && ftype >= 0);
    let (true, Some(ftype)) = (ok, ftype) else {
        return invalid("has a header that makes no sense for a Whisper model");
    };
    let dims = Dims {
        n_vocab: n_vocab.unsigned_abs(),
        n_audio_ctx: a_ctx.unsigned_abs(),
        n_audio_state: a_state.unsigned_abs(),
        n_audio_head: a_head.unsigned_abs(),
        n_audio_layer: a_layer.unsigned_abs(),
        n_text_ctx: t_ctx.unsigned_abs(),
        n_text_state: t_state.unsigned_abs(),
        n_text_head: t_head.unsigned_abs(),
        n_text_layer: t_layer.unsigned_abs(),
        n_mels: n_mels.unsigned_abs(),
    };
    Ok((dims, ftype))
}

fn tensors(file: &mut (impl Read + Seek), size: u64, mut missing: HashMap<String, (Shape, i32)>) -> Result<(), Reason> {
    if file.stream_position()? == size {
        return invalid("has no weights: it is one of whisper.cpp's files for its own tests");
    }
    while file.stream_position()? < size {
        if missing.is_empty() {
            return invalid("goes on after its last tensor: something else was written behind the model");
        }
        let (dimensions, length, kind) = (number(file)?, count(file)?, number(file)?);
        if !(1..=4).contains(&dimensions) || length == 0 || length > 256 {
            return invalid("is damaged: a tensor's header makes no sense");
        }
        let mut shape: Shape = [1; 4];
        for size in shape.iter_mut().take(usize::try_from(dimensions).unwrap_or(0)) {
            *size = count(file)?;
        }
        let mut name = vec![0; usize::try_from(length).unwrap_or(0)];
        file.read_exact(&mut name)?;
        let name = String::from_utf8_lossy(&name).into_owned();
        let Some(wanted) = missing.remove(&name) else {
            return invalid(format!("is damaged: it has a tensor \"{}\" too much", name.escape_debug()));
        };
        if (shape, kind) != wanted {
            return invalid(format!("is damaged: the tensor \"{name}\" has the wrong size"));
        }
        // Rows are whole blocks; whisper.cpp aborts where they are not.
        let row = TYPES.iter().find(|(id, ..)| *id == kind).filter(|(_, block, _)| shape[0].is_multiple_of(*block));
        let Some((_, block, bytes)) = row else {
            return invalid(format!("is damaged: the rows of the tensor \"{name}\" cannot be stored like this"));
        };
        skip(file, shape.iter().product::<u64>() / block * bytes, size)?;
    }
    match missing.keys().min() {
        Some(name) => invalid(format!("is cut off: {} tensors are missing, {name} among them", missing.len())),
        None => Ok(()),
    }
}

fn number(file: &mut impl Read) -> Result<i32, Reason> {
    let mut bytes = [0; 4];
    file.read_exact(&mut bytes)?;
    Ok(i32::from_le_bytes(bytes))
}

fn count(file: &mut impl Read) -> Result<u64, Reason> {
    let value = number(file)?;
    u64::try_from(value).or_else(|_| invalid("is damaged: it has a negative length"))
}

/// Goes on by so many bytes, which must all be there.
fn skip(file: &mut impl Seek, bytes: u64, size: u64) -> Result<(), Reason> {
    let at = file.stream_position()?;
    if at.saturating_add(bytes) > size {
        return invalid("is cut off: the download was not finished");
    }
    // A relative seek keeps what was read ahead, and a vocabulary has fifty thousand short entries.
    file.seek_relative(i64::try_from(bytes).unwrap_or(i64::MAX))?;
    Ok(())
}

#[cfg(test)]
pub(super) mod tests;
