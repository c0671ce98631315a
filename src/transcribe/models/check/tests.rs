//! What passes is whole, and nothing that is thrown at the check does harm.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Cursor, Seek, SeekFrom, Write},
    sync::LazyLock,
};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// The smoke model.
static SMOKE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("models/smoke/ggml-smoke-q8_0.bin")).unwrap()
});

/// The header of OpenAI's tiny model, from `n_vocab` on, as `f16`.
pub(in crate::transcribe::models) const TINY: [i32; 11] = [51_865, 1_500, 384, 6, 4, 448, 384, 6, 4, 80, 1];

/// Writes a well-formed model without sense: right sizes, one word, weights of zeros that take no room on the disk.
pub(in crate::transcribe::models) fn write_model(path: &Path, header: [i32; 11]) {
    let (dims, ftype) = plausible(header).ok().unwrap();
    let mut file = std::io::BufWriter::new(File::create(path).unwrap());
    let put = |file: &mut std::io::BufWriter<File>, numbers: &[i32]| {
        for number in numbers {
            file.write_all(&number.to_le_bytes()).unwrap();
        }
    };
    put(&mut file, &[MAGIC]);
    put(&mut file, &header);
    put(&mut file, &[header[9], 201]);
    file.seek(SeekFrom::Current(i64::from(header[9]) * 201 * 4)).unwrap();
    put(&mut file, &[1, 1]);
    file.write_all(b"a").unwrap();
    let all: BTreeMap<_, _> = expected(&dims, ftype).into_iter().collect();
    for (name, (shape, kind)) in all {
        let rank = shape.iter().rposition(|size| *size != 1).map_or(1, |last| last + 1);
        put(&mut file, &[i32::try_from(rank).unwrap(), i32::try_from(name.len()).unwrap(), kind]);
        let sizes: Vec<i32> = shape[..rank].iter().map(|size| i32::try_from(*size).unwrap()).collect();
        put(&mut file, &sizes);
        file.write_all(name.as_bytes()).unwrap();
        let (_, block, bytes) = TYPES.iter().find(|(id, ..)| *id == kind).unwrap();
        file.seek(SeekFrom::Current(i64::try_from(shape.iter().product::<u64>() / block * bytes).unwrap())).unwrap();
    }
    let end = file.stream_position().unwrap();
    file.into_inner().unwrap().set_len(end).unwrap();
}

fn verdict(bytes: &[u8]) -> Result<ModelInfo, String> {
    check(Cursor::new(bytes), bytes.len() as u64).map_err(|reason| match reason {
        Reason::Invalid(reason) => reason,
        Reason::Io(error) => panic!("memory has no failures of its own: {error}"),
    })
}

fn with(at: usize, value: i32) -> Vec<u8> {
    let mut bytes = SMOKE.clone();
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    bytes
}

/// Where the structure of the smoke model is, and what tensors it has, read the plain way.
struct Map {
    /// Where the count of the vocabulary stands.
    vocabulary: usize,
    /// Where the first tensor begins.
    weights: usize,
    /// The places of every tensor's header, name included.
    headers: Vec<std::ops::Range<usize>>,
    names: BTreeSet<(Vec<u8>, Vec<i32>)>,
}

/// None when the walk leaves the file.
fn map(bytes: &[u8]) -> Option<Map> {
    let number = |at: usize| Some(i32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let length = |at: usize| usize::try_from(number(at)?).ok();
    let vocabulary = 48 + 8 + length(48)? * length(52)? * 4;
    let mut at = vocabulary + 4;
    for _ in 0..length(vocabulary)? {
        at += 4 + length(at)?;
    }
    let weights = at;
    let (mut headers, mut names) = (Vec::new(), BTreeSet::new());
    while at < bytes.len() {
        let (rank, name, kind) = (length(at)?, length(at + 4)?, number(at + 8)?);
        let sizes: Option<Vec<i32>> = (0..rank).map(|index| number(at + 12 + 4 * index)).collect();
        let sizes = sizes?;
        let end = at + 12 + 4 * rank + name;
        let (_, block, size) = TYPES.iter().find(|(id, ..)| *id == kind)?;
        names.insert((bytes.get(end - name..end)?.to_owned(), sizes.clone()));
        headers.push(at..end);
        let elements: i64 = sizes.iter().map(|size| i64::from(*size)).product();
        at = end + usize::try_from(elements as u64 / block * size).ok()?;
    }
    (at == bytes.len()).then_some(Map { vocabulary, weights, headers, names })
}

static MAP: LazyLock<Map> = LazyLock::new(|| map(&SMOKE).unwrap());

#[test]
fn a_good_file_passes_and_broken_ones_do_not() {
    let info = verdict(&SMOKE).unwrap();
    assert_eq!((info.ftype.as_str(), info.multilingual, info.size), ("q8_0", true, SMOKE.len() as u64));
    assert_eq!((info.dims.n_text_layer, info.dims.n_audio_state, info.dims.n_mels), (3, 96, 80));

    let weights = MAP.weights;
    let mut silero = MAGIC.to_le_bytes().to_vec();
    silero.extend(10i32.to_le_bytes());
    silero.extend(b"silero-16k and much more than a header's worth of bytes after it");
    let nan = f32::NAN.to_bits().cast_signed();
    for (bytes, told) in [
        (SMOKE[..SMOKE.len() - 1].to_vec(), "cut off"),
        (SMOKE[..weights + 100].to_vec(), "cut off"),
        // whisper.cpp's own for-tests files are like this: a true header, a vocabulary, and that is all.
        (SMOKE[..weights].to_vec(), "no weights"),
        (SMOKE[..30].to_vec(), "cut off"),
        (SMOKE[..MAP.headers[9].start].to_vec(), "missing"),
        ([&SMOKE[..], b"<html>"].concat(), "goes on"),
        ([&SMOKE[..], &SMOKE[MAP.headers[0].start..MAP.headers[1].start]].concat(), "goes on"),
        (b"<!DOCTYPE html><html>".to_vec(), "wrong bytes"),
        (Vec::new(), "wrong bytes"),
        (silero, "Silero"),
        (with(4, nan), "no Whisper model"),
        (with(12, 0), "makes no sense"),
        (with(12, -96), "makes no sense"),
        (with(12, nan), "makes no sense"),
        (with(20, i32::MAX), "makes no sense"),
        (with(20, i32::MIN), "makes no sense"),
        (with(44, 9_999), "makes no sense"),
        (with(44, -1), "makes no sense"),
        (with(52, 400), "mel filters"),
        (with(48, -1), "negative"),
        (with(MAP.vocabulary, i32::MAX), "vocabulary"),
        (with(MAP.vocabulary + 4, i32::MAX), "cut off"),
        (with(weights, 99), "damaged"),
        (with(weights + 4, i32::MAX), "damaged"),
        (with(weights + 12, 97), "wrong size"),
        (with(weights + 12, i32::MAX), "wrong size"),
        (with(weights + 8, 5), "wrong size"),
        // As many bytes, but not the numbers that the header promises.
        (with(44, 1), "wrong size"),
        (with(20, 3), "too much"),
        (with(20, 5), "missing"),
    ] {
        let reason = verdict(&bytes).unwrap_err();
        assert!(reason.contains(told), "{told}: {reason}");
    }
}

#[test]
fn a_file_is_named_and_its_size_is_believed_of_the_disk_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ggml-x.bin");
    // A terabyte of nothing behind a true header takes neither time nor memory.
    std::fs::write(&path, &SMOKE[..MAP.vocabulary]).unwrap();
    File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
    let error = check_file(&path).unwrap_err();
    assert_eq!(error.code, Code::ModelInvalid);
    assert!(error.detail.starts_with("ggml-x.bin "), "{}", error.detail);
    assert_eq!(check_file(&folder.path().join("none")).unwrap_err().code, Code::Io);
}

#[test]
fn models_of_every_type_pass() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ggml-x.bin");
    let large = [51_866, 1_500, 1_280, 20, 2, 448, 1_280, 20, 2, 128, 12];
    let tiny = [0, 1, 2, 7, 8, 9, 1_007, 2_008, 12, 24].map(|ftype| {
        let mut header = TINY;
        header[10] = ftype;
        header
    });
    for header in tiny.into_iter().chain([large]) {
        write_model(&path, header);
        let checked = check_file(&path);
        // Rows of 384 are no whole blocks of 256.
        let fits = header[10] != 12 || header[2] == 1_280;
        assert_eq!(checked.is_ok(), fits, "{header:?}: {checked:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_part_of_a_model_is_none(length in 0..SMOKE.len(), near in 0..SMOKE.len()) {
        prop_assert!(verdict(&SMOKE[..length]).is_err());
        // And where something ends.
        let borders: Vec<usize> = MAP.headers.iter().flat_map(|header| [header.start, header.end]).collect();
        prop_assert!(verdict(&SMOKE[..borders[near % borders.len()]]).is_err());
    }

    #[test]
    fn what_passes_has_every_tensor(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..6)) {
        let mut bytes = SMOKE.clone();
        for (place, byte, part) in changes {
            let at = match part {
                0 => place.index(56),
                1 => MAP.vocabulary + place.index(MAP.weights - MAP.vocabulary),
                _ => {
                    let header = place.get(&MAP.headers);
                    header.start + usize::from(byte) % header.len()
                }
            };
            bytes[at] = bytes[at].wrapping_add(byte);
        }
        if verdict(&bytes).is_ok() {
            let found = map(&bytes);
            prop_assert!(found.is_some_and(|found| found.names == MAP.names), "it lacks something and passes");
        }
    }

    #[test]
    fn any_header_is_read_or_refused(header in proptest::collection::vec(any::<i32>(), 0..40), sane in any::<bool>()) {
        let mut bytes = MAGIC.to_le_bytes().to_vec();
        if sane {
            bytes.extend(TINY.iter().flat_map(|number| number.to_le_bytes()));
            bytes.extend([80i32, 201].iter().flat_map(|number| number.to_le_bytes()));
            bytes.resize(bytes.len() + 80 * 201 * 4, 0);
        }
        bytes.extend(header.iter().flat_map(|number| number.to_le_bytes()));
        prop_assert!(verdict(&bytes).is_err());
    }
}
