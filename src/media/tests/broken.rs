//! Clips broken at random, always in the same way: research/security.md §7, 60.

use std::{fs, path::PathBuf, time::Duration};

use futures_util::{StreamExt, stream};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio_util::sync::CancellationToken;

use super::{Bench, config, processes};
use crate::{config::MediaConfig, domain::Span, error::Code};

const CLIPS: [&str; 5] = ["clip.mp4", "en-known-00.wav", "en-known-04.flac", "en-known-06.mp3", "en-new-10.m4a"];
const FILES: usize = 100;

/// Breaks a file in one of seven ways.
fn broken(bytes: &mut Vec<u8>, random: &mut StdRng) {
    let length = bytes.len();
    if length < 10 {
        return;
    }
    // Heads are where most can go wrong.
    let reach = if random.random() { length } else { length.min(400) };
    let (from, other) = (random.random_range(0..reach), random.random_range(0..length));
    let run = random.random_range(1..2_000).min(length - from);
    match random.random_range(0..7) {
        0 => (0..random.random_range(1..64)).for_each(|_| {
            let place = random.random_range(0..reach);
            bytes[place] ^= 1 << random.random_range(0..8);
        }),
        1 => random.fill(&mut bytes[from..from + run]),
        2 => bytes[from..from + run].fill([0, 0xff][usize::from(random.random::<bool>())]),
        3 => bytes.truncate(from.max(1)),
        4 => drop(bytes.drain(from..from + run)),
        5 => bytes.extend_from_within(from..from + run),
        _ => {
            let part = bytes[from..from + run].to_vec();
            bytes.splice(other..other, part);
        }
    }
}

#[tokio::test]
async fn broken_files_are_heard_or_refused_and_leave_nothing() {
    let max_duration = Span(Duration::from_secs(60));
    let bench = Bench::with(&MediaConfig { max_duration, ..config() });
    let samples = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("models/smoke/samples");
    let clips = CLIPS.map(|name| fs::read(samples.join(name)).unwrap());
    let mut random = StdRng::seed_from_u64(60);
    let files: Vec<PathBuf> = (0..FILES)
        .map(|number| {
            let mut bytes = clips[number % clips.len()].clone();
            (0..random.random_range(1..4)).for_each(|_| broken(&mut bytes, &mut random));
            bench.write(&format!("{number:03}-{}", CLIPS[number % clips.len()]), bytes)
        })
        .collect();
    let heard = stream::iter(&files).map(async |file| {
        let out = file.with_extension("pcm");
        let never = CancellationToken::new();
        let work = bench.ffmpeg.extract(file, &out, &|_| (), &never);
        let result = tokio::time::timeout(Duration::from_secs(60), work).await.expect("it does not end");
        assert_eq!(out.exists(), result.is_ok(), "{}: all or nothing", file.display());
        match result {
            Ok(_) => {
                fs::remove_file(out).unwrap();
                true
            }
            Err(error) => {
                let expected = [
                    Code::EmptyMedia,
                    Code::NotMedia,
                    Code::Truncated,
                    Code::UnsupportedFormat,
                    Code::NoAudio,
                    Code::TooLong,
                    Code::Encrypted,
                ];
                assert!(expected.contains(&error.code), "{}: {:?} {}", file.display(), error.code, error.chain());
                false
            }
        }
    });
    let heard: Vec<bool> = heard.buffer_unordered(2).collect().await;
    assert!(heard.contains(&true) && heard.contains(&false), "they are broken, and not beyond hearing");
    assert_eq!(fs::read_dir(bench.folder.path()).unwrap().count(), FILES, "something is left");
    assert_eq!(processes(bench.folder.path().to_str().unwrap()), [""; 0]);
}
