//! Files that are cut off, empty, silent, too long, or something else.

use std::{fs, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{Bench, config};
use crate::{
    domain::Span,
    error::{Code, Error},
};

#[tokio::test]
async fn half_a_file_is_truncated() {
    let bench = Bench::new();
    let video = "-f lavfi -i testsrc=d=20:s=64x64:r=10 -pix_fmt yuv420p";
    let cases = [
        ("a.wav", "".to_owned()),
        ("a.aiff", "".to_owned()),
        ("a.mp3", "".to_owned()),
        ("a.flac", "".to_owned()),
        ("front.m4a", "-c:a aac -movflags +faststart".to_owned()),
        ("front.mp4", format!("{video} -c:a aac -c:v mpeg4 -movflags +faststart")),
        ("back.mp4", format!("{video} -c:a aac -c:v mpeg4")),
        ("a.webm", "-c:a libopus".to_owned()),
        ("a.mkv", "-c:a flac".to_owned()),
        ("a.avi", format!("{video} -c:a mp3 -c:v mpeg4")),
        ("a.tta", "".to_owned()),
        ("a.wv", "".to_owned()),
    ];
    for (name, arguments) in cases {
        let whole = bench.sine(name, 20, &arguments);
        bench.extract(&whole).await.unwrap_or_else(|error| panic!("{name}: {}", error.chain()));
        fs::remove_file(bench.path("out.pcm")).unwrap();
        let error = bench.extract(&bench.cut(&whole, 0.5)).await.unwrap_err();
        assert_eq!(error.code, Code::Truncated, "{name}: {}", error.detail);
        assert_clean(&bench, &error);
    }
}

#[tokio::test]
async fn the_first_bytes_alone_are_truncated() {
    let bench = Bench::new();
    for (name, keep) in [("a.wav", 60), ("a.ogg", 30), ("a.flac", 50), ("a.mp3", 300), ("a.m4a", 40), ("a.webm", 300)] {
        let whole = fs::read(bench.sine(name, 3, "")).unwrap();
        let error = bench.extract(&bench.write("start", &whole[..keep])).await.unwrap_err();
        assert_eq!(error.code, Code::Truncated, "{name}: {}", error.detail);
    }
}

#[tokio::test]
async fn a_few_lost_packets_are_a_warning() {
    let bench = Bench::new();
    let mut bytes = fs::read(bench.sine("a.m4a", 20, "-c:a aac")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 200].fill(0x55);
    let audio = bench.extract(&bench.write("b.m4a", bytes)).await.unwrap();
    assert_eq!(audio.warnings, ["Some of the sound is damaged and was passed over"]);
    assert!(audio.samples > 300_000);
}

#[tokio::test]
async fn a_length_that_nobody_knew_is_no_damage() {
    let bench = Bench::new();
    let mut bytes = fs::read(bench.sine("a.wav", 3, "-bitexact")).unwrap();
    for unknown in [0xff, 0x00] {
        bytes[4..8].fill(unknown);
        bytes[40..44].fill(unknown);
        let audio = bench.extract(&bench.write("stream.wav", &bytes)).await.unwrap();
        assert_eq!((audio.samples, audio.warnings), (48_000, vec![]), "{unknown}");
    }
}

#[tokio::test]
async fn sound_that_is_shorter_than_the_pictures_is_fine() {
    let bench = Bench::new();
    for name in ["a.mp4", "a.mkv"] {
        let file = bench.sine(name, 3, "-f lavfi -i testsrc=d=20:s=64x64:r=10 -c:a aac -c:v mpeg4");
        assert!(bench.extract(&file).await.unwrap().samples.abs_diff(48_000) < 1_600, "{name}");
    }
}

#[tokio::test]
async fn what_is_no_media_is_called_so() {
    let bench = Bench::new();
    bench.make("a.jpg", "-f lavfi -i testsrc=s=64x64 -frames:v 1");
    bench.make("a.gif", "-f lavfi -i testsrc=d=1:s=64x64");
    bench.write("a.txt", "a line of text\n".repeat(1_000));
    bench.write("a.html", "<!doctype html><html><body><p>Not Found</p></body></html>");
    bench.write("a.pdf", [&b"%PDF-1.7\n"[..], &[0x20; 4_000]].concat());
    bench.write("a.json", r#"{"error":"gone"}"#);
    bench.write("zeros.mp4", vec![0; 100_000]);
    bench.write("one.mp3", [7]);
    bench.write("a.mid", b"MThd\0\0\0\x06\0\0\0\x01\0\x60MTrk\0\0\0\x04\0\xff\x2f\0");
    for name in ["a.mid", "a.jpg", "a.gif", "a.txt", "a.html", "a.pdf", "a.json", "zeros.mp4", "one.mp3"] {
        let error = bench.extract(&bench.path(name)).await.unwrap_err();
        assert_eq!(error.code, Code::NotMedia, "{name}: {}", error.detail);
        assert_clean(&bench, &error);
    }
    let error = bench.extract(&bench.path("a.jpg")).await.unwrap_err();
    assert!(error.detail.contains("image/jpeg"), "{}", error.detail);
}

#[tokio::test]
async fn empty_silent_missing_and_odd_files() {
    let bench = Bench::new();
    let empty = bench.write("empty.mp4", "");
    assert_eq!(bench.extract(&empty).await.unwrap_err().code, Code::EmptyMedia);
    let mute = bench.make("mute.mp4", "-f lavfi -i testsrc=d=2:s=64x64 -c:v mpeg4");
    assert_eq!(bench.extract(&mute).await.unwrap_err().code, Code::NoAudio);
    let probe = bench.ffmpeg.probe(&mute, &CancellationToken::new()).await.unwrap();
    assert!(probe.has_video && probe.audio_streams.is_empty());
    assert_eq!(bench.extract(&bench.path("nowhere")).await.unwrap_err().code, Code::Io);
    assert_eq!(bench.extract(bench.folder.path()).await.unwrap_err().code, Code::NotMedia);
    let made = std::process::Command::new("mkfifo").arg(bench.path("fifo")).status().unwrap();
    assert!(made.success());
    assert_eq!(bench.extract(&bench.path("fifo")).await.unwrap_err().code, Code::NotMedia);
}

#[tokio::test]
async fn protected_sound_is_called_so() {
    let bench = Bench::new();
    let key = "76a6c65c5ea762046bd749a2e632ccbb";
    let file = format!(
        "-c:a aac -movflags +faststart -encryption_scheme cenc-aes-ctr -encryption_key {key} -encryption_kid {key}"
    );
    let file = bench.sine("a.mp4", 3, &file);
    assert_eq!(bench.extract(&file).await.unwrap_err().code, Code::Encrypted);
}

#[tokio::test]
async fn what_is_too_long_is_refused_early_or_cut() {
    let bench = Bench::with(&crate::config::MediaConfig { max_duration: Span(Duration::from_secs(5)), ..config() });
    let fits = bench.sine("5.wav", 5, "");
    assert_eq!(bench.extract(&fits).await.unwrap().samples, 80_000);
    fs::remove_file(bench.path("out.pcm")).unwrap();
    let long = bench.sine("9.wav", 9, "");
    let error = bench.extract(&long).await.unwrap_err();
    assert_eq!(
        (error.code, error.detail.as_str()),
        (Code::TooLong, "The file is 9.0 s long; at most 5.0 s is allowed")
    );
    // No length in the header: only decoding shows it.
    let hidden = bench.sine("9.aac", 9, "-c:a aac");
    assert!(bench.ffmpeg.probe(&hidden, &CancellationToken::new()).await.unwrap().duration_estimated);
    let error = bench.extract(&hidden).await.unwrap_err();
    assert_eq!(error.code, Code::TooLong, "{}", error.detail);
}

/// Nothing of the machine in what people see.
fn assert_clean(bench: &Bench, error: &Error) {
    let report = error.report();
    for text in [report.detail, report.hint] {
        assert!(!text.contains(bench.folder.path().to_str().unwrap()) && !text.contains(" @ 0x"), "{text}");
    }
}
