//! Good files of every kind.

use std::fs;

use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::{Bench, Told};
use crate::media::command::FORMATS;

/// Five seconds in every container that this ffmpeg can write. Codecs add padding at the ends: 100 ms at most.
#[tokio::test]
async fn every_container_gives_its_samples() {
    let bench = Bench::new();
    let video = "-f lavfi -i testsrc=d=5:s=64x64:r=10 -pix_fmt yuv420p";
    let cases = [
        ("a.wav", "".to_owned()),
        ("8k.wav", "-ar 8000".to_owned()),
        ("96k.wav", "-ar 96000 -c:a pcm_s24le".to_owned()),
        ("surround.wav", "-ac 6".to_owned()),
        ("a.flac", "".to_owned()),
        ("a.mp3", "".to_owned()),
        ("bare.mp3", "-write_xing 0 -id3v2_version 0".to_owned()),
        ("a.m4a", "-c:a aac".to_owned()),
        ("surround.m4a", "-c:a aac -ac 6 -ar 48000".to_owned()),
        ("a.aac", "-c:a aac".to_owned()),
        ("video.mp4", format!("{video} -c:a aac -c:v mpeg4")),
        ("fragmented.mp4", "-c:a aac -movflags frag_keyframe+empty_moov".to_owned()),
        ("a.ogg", "-c:a libvorbis".to_owned()),
        ("a.opus", "-c:a libopus".to_owned()),
        ("video.webm", format!("{video} -c:a libopus -c:v libvpx")),
        ("video.mkv", format!("{video} -c:a flac -c:v mpeg4")),
        ("video.avi", format!("{video} -c:a mp3 -c:v mpeg4")),
        ("video.ts", format!("{video} -c:a aac -c:v mpeg2video")),
        ("video.mpg", format!("{video} -r 25 -c:a mp2 -c:v mpeg1video")),
        ("a.flv", "-c:a aac".to_owned()),
        ("a.wma", "".to_owned()),
        ("a.aiff", "".to_owned()),
        ("a.caf", "".to_owned()),
        ("a.w64", "".to_owned()),
        ("a.wv", "".to_owned()),
        ("a.tta", "".to_owned()),
        ("a.au", "".to_owned()),
        ("a.ac3", "".to_owned()),
        ("a.eac3", "".to_owned()),
    ];
    for (name, arguments) in cases {
        let file = bench.sine(name, 5, &arguments);
        let probe = bench.ffmpeg.probe(&file, &CancellationToken::new()).await.unwrap();
        assert_eq!(probe.has_video, name.starts_with("video"), "{name}");
        assert_eq!(probe.audio_streams.len(), 1, "{name}");
        let (told, out) = (Told::default(), bench.path("a.pcm"));
        let audio = bench
            .ffmpeg
            .extract(&file, &out, &|fraction| told.note(fraction), &CancellationToken::new())
            .await
            .unwrap_or_else(|error| panic!("{name}: {}", error.chain()));
        assert!(audio.samples.abs_diff(80_000) <= 1_600, "{name}: {} samples", audio.samples);
        assert_eq!(audio.duration_ms, (audio.samples as f64 / 16.0).round() as u64, "{name}");
        assert_eq!(audio.warnings, Vec::<String>::new(), "{name}");
        told.assert_complete();
        let bytes = fs::read(&audio.path).unwrap();
        assert_eq!(bytes.len() as u64, audio.samples * 2, "{name}");
        let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(audio.sha256, hash, "{name}");
        let loud = bytes.chunks_exact(2).filter(|pair| i16::from_le_bytes([pair[0], pair[1]]).abs() > 500).count();
        assert!(loud > 40_000, "{name}: only {loud} samples are not silence");
        bench.no_drafts();
    }
}

#[tokio::test]
async fn the_probe_tells_what_is_inside() {
    let bench = Bench::new();
    let file = bench.sine("a.mp3", 3, "-ac 2 -ar 44100");
    let probe = bench.ffmpeg.probe(&file, &CancellationToken::new()).await.unwrap();
    assert_eq!(probe.format, "mp3");
    assert!(probe.duration_ms.unwrap().abs_diff(3_000) < 100);
    assert_eq!(probe.size, fs::metadata(&file).unwrap().len());
    let stream = &probe.audio_streams[0];
    assert_eq!((stream.index, stream.codec.as_str(), stream.sample_rate, stream.channels), (0, "mp3", 44_100, 2));
}

#[tokio::test]
async fn a_cover_picture_is_no_video() {
    let bench = Bench::new();
    let cover = "-f lavfi -i color=s=32x32:d=0.04 -map 0 -map 1 -c:v png -disposition:v attached_pic";
    let file = bench.sine("a.mp3", 1, cover);
    assert!(!bench.ffmpeg.probe(&file, &CancellationToken::new()).await.unwrap().has_video);
    bench.extract(&file).await.unwrap();
}

#[tokio::test]
async fn the_same_sound_has_the_same_hash_and_the_first_track_is_used() {
    let bench = Bench::new();
    let one = bench.extract(&bench.sine("a.wav", 2, "")).await.unwrap();
    let two = bench.extract(&bench.sine("a.flac", 2, "")).await.unwrap();
    assert_eq!(one.sha256, two.sha256);
    let both = bench.sine("both.mka", 2, "-f lavfi -i anullsrc=d=2 -map 0 -map 1 -c:a flac");
    let both = bench.extract(&both).await.unwrap();
    assert_eq!(both.warnings, ["The file has 2 audio tracks; the first was used"]);
    assert!(both.samples.abs_diff(32_000) < 100, "{}", both.samples);
}

/// Subtitles must fit the pictures, so sound that starts late stays late.
#[tokio::test]
async fn times_in_the_samples_are_times_in_the_file() {
    let bench = Bench::new();
    let late = "-itsoffset 2 -f lavfi -i sine=d=3 -f lavfi -i testsrc=d=5:s=64x64 -map 0 -map 1 -c:v mpeg4 -c:a flac";
    let audio = bench.extract(&bench.make("late.mkv", late)).await.unwrap();
    assert!(audio.samples.abs_diff(80_000) <= 1_600, "{}", audio.samples);
    let bytes = fs::read(&audio.path).unwrap();
    assert!(bytes[..63_000].iter().all(|byte| *byte == 0), "the first two seconds are silent");
}

#[tokio::test]
async fn names_mean_nothing() {
    let bench = Bench::new();
    let long = "é".repeat(120);
    for name in
        ["-i", "--", "-version", "|sh", "a b.wav", "it's \"q\".wav", "%03d.wav", "a:b.wav", "晚安\n😀", &long, "*?[a]"]
    {
        let file = bench.sine(name, 1, "-f wav");
        let audio = bench.extract(&file).await.unwrap_or_else(|error| panic!("{name}: {}", error.chain()));
        assert_eq!(audio.samples, 16_000, "{name}");
    }
}

#[test]
fn the_formats_are_those_that_ffmpeg_has() {
    let listed = std::process::Command::new("ffmpeg").args(["-hide_banner", "-demuxers"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let known: Vec<_> =
        listed.lines().filter_map(|line| line.split_whitespace().nth(1)).flat_map(|n| n.split(',')).collect();
    for name in FORMATS.split(',') {
        assert!(known.contains(&name), "{name} is no demuxer of this ffmpeg");
    }
    for dangerous in
        ["hls", "dash", "concat", "sdp", "image2", "lavfi", "applehttp", "webm_dash_manifest", "imf", "tty"]
    {
        assert!(!FORMATS.split(',').any(|name| name == dangerous), "{dangerous}");
    }
}
