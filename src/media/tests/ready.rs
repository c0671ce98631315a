//! Clips that need no ffmpeg: the same samples as its own, and nothing else is taken for one.

use std::{fs, io::Cursor, path::Path, process::Command, time::Duration};

use proptest::{collection::vec, prelude::*};
use tokio_util::sync::CancellationToken;

use super::{Bench, config};
use crate::{
    config::MediaConfig,
    media::{Ffmpeg, magic::Source, pcm::Pcm, ready},
};

const HOUR: Duration = Duration::from_secs(3_600);
/// What a recorder for speech writes.
const SPEECH: &str = "-ar 16000 -ac 1 -sample_fmt s16";

fn read(file: &Path) -> Option<Vec<u8>> {
    read_within(file, HOUR)
}

fn read_within(file: &Path, max: Duration) -> Option<Vec<u8>> {
    let out = file.with_extension("pcm");
    let (draft, samples, _) = ready::read(&Source::open(file).unwrap(), max, &out)?.finish();
    draft.publish(&out).unwrap();
    let bytes = fs::read(&out).unwrap();
    assert_eq!(bytes.len() as u64, samples * 2);
    Some(bytes)
}

/// What ffmpeg makes of a file.
fn by_ffmpeg(file: &Path) -> Vec<u8> {
    let command = ["-nostdin", "-v", "error", "-i", file.to_str().unwrap()];
    let done = Command::new("ffmpeg").args(command).args("-ac 1 -ar 16000 -f s16le -".split(' ')).output().unwrap();
    assert!(done.status.success());
    done.stdout
}

#[test]
fn the_samples_are_those_of_ffmpeg() {
    let bench = Bench::new();
    let music = "aevalsrc=random(0)*sin(800*t*t):d=3";
    let made = |name: &str, more: &str| bench.make(name, &format!("-f lavfi -i {music} {SPEECH} {more}"));
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/smoke/samples");
    let sample = |name: &str| bench.write(name, fs::read(samples.join(name)).unwrap());
    let bare = made("bare.wav", "-bitexact");
    let junk = [&fs::read(&bare).unwrap()[..], b"and something behind it"].concat();
    for file in [
        made("a.wav", "-metadata title=x"),
        bench.write("behind.wav", junk),
        bare,
        made("a.flac", "-metadata title=x"),
        made("small.flac", "-frame_size 512 -compression_level 12"),
        sample("en-known-00.wav"),
        sample("zh-known-13.wav"),
        sample("en-known-02.flac"),
        sample("zh-new-21.flac"),
    ] {
        assert!(read(&file).is_some_and(|read| read == by_ffmpeg(&file)), "{}", file.display());
    }
}

#[test]
fn everything_else_is_for_ffmpeg() {
    let bench = Bench::new();
    let cases = [
        ("44k.wav", ""),
        ("44k.flac", ""),
        ("stereo.wav", "-ar 16000 -ac 2"),
        ("stereo.flac", "-ar 16000 -ac 2"),
        ("24.wav", "-ar 16000 -c:a pcm_s24le"),
        ("8.wav", "-ar 16000 -c:a pcm_u8"),
        ("float.wav", "-ar 16000 -c:a pcm_f32le"),
        ("mulaw.wav", "-ar 16000 -c:a pcm_mulaw"),
        ("24.flac", "-ar 16000 -sample_fmt s32"),
        ("a.mp3", "-ar 16000"),
        ("a.ogg", "-ar 16000 -c:a flac"),
        ("a.aiff", "-ar 16000"),
    ];
    for (name, more) in cases {
        assert_eq!(read(&bench.sine(name, 1, more)), None, "{name}");
    }
    for name in ["long.wav", "long.flac"] {
        assert_eq!(read(&bench.sine(name, 601, SPEECH)), None, "{name}");
    }
    let short = |name| bench.sine(name, 3, SPEECH);
    let file = short("3.wav");
    assert!(read_within(&file, Duration::from_secs(3)).is_some());
    assert_eq!(read_within(&file, Duration::from_secs(2)), None, "ffmpeg says what is too long");
    for name in ["a.wav", "a.flac"] {
        let whole = short(name);
        assert_eq!(read(&bench.cut(&whole, 0.9)), None, "half of {name}");
        let mut bytes = fs::read(&whole).unwrap();
        let is_flac = name == "a.flac";
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        assert_eq!(read(&bench.write("bent", &bytes)).is_none(), is_flac, "{name} knows its samples");
        bytes.extend(b"and something behind it");
        assert_eq!(read(&bench.write("more", &bytes)).is_none(), is_flac);
    }
    // A program that writes to a pipe knows no length.
    let piped = Command::new("ffmpeg").args("-v error -f lavfi -i sine=d=1 -ar 16000 -f wav -".split(' ')).output();
    assert_eq!(read(&bench.write("piped.wav", piped.unwrap().stdout)), None);
}

/// With an ffmpeg that fails whatever it is told.
#[tokio::test]
async fn a_clip_is_extracted_without_ffmpeg() {
    let folder = tempfile::tempdir().unwrap();
    let ffmpeg = super::process::script(folder.path(), "ffmpeg", "exit 1");
    let bench = Bench { folder, ffmpeg: Ffmpeg::new(&MediaConfig { ffmpeg, ..config() }).unwrap() };
    for name in ["a.wav", "a.flac"] {
        let file = bench.sine(name, 2, SPEECH);
        let told = super::Told::default();
        let (out, cancel) = (bench.path("out.pcm"), CancellationToken::new());
        let audio = bench.ffmpeg.extract(&file, &out, &|fraction| told.note(fraction), &cancel).await.unwrap();
        assert_eq!((audio.samples, audio.duration_ms, audio.warnings), (32_000, 2_000, Vec::new()), "{name}");
        assert_eq!(fs::read(&out).unwrap(), by_ffmpeg(&file), "{name}");
        told.assert_complete();
    }
    let other = bench.sine("44k.wav", 1, "");
    assert!(bench.ffmpeg.extract(&other, &bench.path("b.pcm"), &|_| {}, &CancellationToken::new()).await.is_err());
}

/// Bytes that are written over a file's own, and where it is cut.
fn damage() -> impl Strategy<Value = (Vec<(usize, u8)>, Option<usize>)> {
    // Half of them in the header.
    let place = prop_oneof![0..64_usize, any::<usize>()];
    (vec((place, any::<u8>()), 1..8), proptest::option::weighted(0.2, any::<usize>()))
}

/// Some of them make the readers panic in this build, which is caught.
#[test]
fn hostile_files_give_nothing_or_what_they_announce() {
    let bench = Bench::new();
    let files = ["a.wav", "a.flac"].map(|name| {
        let file = bench.make(name, &format!("-f lavfi -i aevalsrc=random(0):d=0.1 {SPEECH} -metadata title=x"));
        fs::read(file).unwrap()
    });
    let most = 3_200;
    let check = |bytes: Vec<u8>, kind: usize| {
        let kind = ["audio/x-wav", "audio/x-flac"][kind];
        let read = ready::decode(Box::new(Cursor::new(bytes)), kind, most, || Ok(Pcm::new(Vec::new())));
        read.is_none_or(|pcm| pcm.bytes() <= 2 * most)
    };
    proptest!(|(file in 0..files.len(), (over, end) in damage())| {
        let mut bytes = files[file].clone();
        for (place, byte) in over {
            let place = place % bytes.len();
            bytes[place] = byte;
        }
        bytes.truncate(end.map_or(usize::MAX, |end| end % files[file].len()));
        prop_assert!(check(bytes, file));
    });
    proptest!(|(kind in 0..files.len(), head in 0..64_usize, noise in vec(any::<u8>(), 0..4_096))| {
        prop_assert!(check([&files[kind][..head], &noise].concat(), kind));
    });
}
