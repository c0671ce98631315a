//! Cancelling, time limits, crashes: and that no process is left. A script plays an ffmpeg with bad manners.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Bench, config, processes};
use crate::{
    config::{MediaConfig, Sandbox},
    domain::Span,
    error::Code,
    media::Ffmpeg,
};

/// The word of four seconds, two seconds of samples, then `manners`.
pub(super) fn script(folder: &Path, name: &str, manners: &str) -> PathBuf {
    let path = folder.join(name);
    let text = format!(
        "#!/bin/sh\nif [ \"$1\" = -version ]; then echo {name} version 0; exit; fi\n\
         echo '[info] Input #0, wav, from a:\n[info]   Duration: 00:00:04.00, bitrate: 256 kb/s' >&2\n\
         head -c 64000 /dev/zero\n{manners}\n"
    );
    // Written by another process: were the file open here, a fork of another test could keep it busy.
    let write = Command::new("sh")
        .args(["-c", "printf %s \"$1\" > \"$0\" && chmod +x \"$0\""])
        .arg(&path)
        .arg(text)
        .status()
        .unwrap();
    assert!(write.success());
    path
}

/// A bench whose ffmpeg behaves badly, with a mark by which its processes are found, and a good file.
fn bad(manners: &str, timeout: Duration, grace: Duration) -> (Bench, String, PathBuf) {
    let mark = format!("99999{}", Uuid::new_v4().as_u128() % 1_000_000_000);
    let folder = tempfile::tempdir().unwrap();
    let ffmpeg = script(folder.path(), "ffmpeg", &manners.replace("MARK", &mark));
    let config = MediaConfig { ffmpeg, timeout: Span(timeout), ..config() };
    let bench = Bench { folder, ffmpeg: Ffmpeg::with_grace(&config, grace).unwrap() };
    let file = bench.sine("a.wav", 4, "");
    (bench, mark, file)
}

const LONG: Duration = Duration::from_secs(3_600);

/// With an hour of grace, only SIGTERM can have ended it.
#[tokio::test]
async fn cancelling_ends_ffmpeg_and_everything_it_started() {
    let (bench, mark, file) = bad("sleep MARK & exec sleep MARK", LONG, LONG);
    let cancel = CancellationToken::new();
    let seen = std::sync::Mutex::new(Vec::new());
    let progress = |_| {
        *seen.lock().unwrap() = processes(&mark);
        cancel.cancel();
    };
    let error = bench.ffmpeg.extract(&file, &bench.path("out.pcm"), &progress, &cancel).await.unwrap_err();
    assert_eq!(error.code, Code::Cancelled);
    assert_eq!(processes(&mark), Vec::<String>::new());
    assert!(!bench.path("out.pcm").exists());
    bench.no_drafts();
}

#[tokio::test]
async fn deaf_to_sigterm_it_is_killed() {
    let manners = "trap '' TERM; (trap '' TERM; exec sleep MARK) & while :; do sleep MARK; done";
    let (bench, mark, file) = bad(manners, LONG, Duration::from_millis(20));
    let cancel = CancellationToken::new();
    let error = bench.ffmpeg.extract(&file, &bench.path("out.pcm"), &|_| cancel.cancel(), &cancel).await.unwrap_err();
    assert_eq!(error.code, Code::Cancelled);
    assert_eq!(processes(&mark), Vec::<String>::new());
    bench.no_drafts();
}

#[tokio::test]
async fn a_dropped_call_leaves_nothing() {
    let (bench, mark, file) = bad("exec sleep MARK", LONG, LONG);
    let (cancel, running, out) = (CancellationToken::new(), Notify::new(), bench.path("out.pcm"));
    let told = |_| running.notify_one();
    tokio::select! {
        _ = bench.ffmpeg.extract(&file, &out, &told, &cancel) => panic!("it sleeps"),
        () = running.notified() => {}
    }
    // The thread that watched it reaps it; a read of /proc is all that can tell.
    while !processes(&mark).is_empty() || fs::read_dir(bench.folder.path()).unwrap().count() > 2 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_cancelled_call_does_not_start() {
    let bench = Bench::new();
    let (file, cancel) = (bench.sine("a.wav", 1, ""), CancellationToken::new());
    cancel.cancel();
    let error = bench.ffmpeg.probe(&file, &cancel).await.unwrap_err();
    assert_eq!(error.code, Code::Cancelled);
}

#[tokio::test]
async fn real_work_is_cancelled_in_the_middle() {
    let bench = Bench::new();
    let file = bench.make("long.flac", "-f lavfi -i anullsrc=r=16000:cl=mono -t 14400");
    let cancel = CancellationToken::new();
    let error = bench.ffmpeg.extract(&file, &bench.path("out.pcm"), &|_| cancel.cancel(), &cancel).await.unwrap_err();
    assert_eq!(error.code, Code::Cancelled);
    assert_eq!(processes(file.to_str().unwrap()), Vec::<String>::new());
    bench.no_drafts();
}

#[tokio::test]
async fn a_hung_ffmpeg_meets_the_time_limit() {
    let (bench, mark, file) = bad("exec sleep MARK", Duration::from_millis(700), LONG);
    let error = bench.extract(&file).await.unwrap_err();
    assert_eq!(
        (error.code, error.detail.as_str()),
        (Code::MediaTimeout, "ffmpeg was not done with this file after 0.7 s")
    );
    assert_eq!(processes(&mark), Vec::<String>::new());
}

/// Closed pipes are not the end: it is still there, and still limited.
#[tokio::test]
async fn hanging_behind_closed_pipes_is_hanging() {
    let (bench, mark, file) = bad("exec sleep MARK >&- 2>&-", Duration::from_millis(700), LONG);
    assert_eq!(bench.extract(&file).await.unwrap_err().code, Code::MediaTimeout);
    assert_eq!(processes(&mark), Vec::<String>::new());
}

/// Most files are as they say: for them ffmpeg's own words are enough.
#[tokio::test]
async fn ffprobe_is_asked_where_it_matters() {
    let folder = tempfile::tempdir().unwrap();
    let ffprobe = script(folder.path(), "ffprobe", "kill -KILL $$");
    let bench = Bench::with(&MediaConfig { ffprobe, ..config() });
    let plain = bench.sine("a.m4a", 3, "-c:a aac");
    assert!(bench.extract(&plain).await.unwrap().samples.abs_diff(48_000) < 1_600);
    fs::remove_file(bench.path("out.pcm")).unwrap();
    let pictures = "-f lavfi -i testsrc=d=20:s=64x64:r=10 -c:a aac -c:v mpeg4";
    let files =
        [bench.sine("two.mka", 3, "-map 0 -map 0"), bench.sine("short.mp4", 3, pictures), bench.cut(&plain, 0.5)];
    for file in files {
        assert_eq!(bench.extract(&file).await.unwrap_err().code, Code::Crashed, "{}", file.display());
    }
}

#[tokio::test]
async fn a_crash_is_a_crash() {
    let (bench, _, file) = bad("kill -SEGV $$", LONG, LONG);
    let error = bench.extract(&file).await.unwrap_err();
    assert_eq!((error.code, error.is_retryable()), (Code::Crashed, true));
    assert!(error.detail.contains("signal 11"), "{}", error.detail);
}

/// systemd signals every process of a service that it stops; the file is not to blame.
#[tokio::test]
async fn an_ffmpeg_that_others_stop_says_nothing_about_the_file() {
    let manners = "echo '[info] Exiting normally, received signal 15.' >&2; exit 255";
    let (bench, _, file) = bad(manners, LONG, LONG);
    assert_eq!(bench.extract(&file).await.unwrap_err().code, Code::Crashed);
}

#[tokio::test]
async fn a_chatty_ffmpeg_does_not_block() {
    let manners = "head -c 3000000 /dev/zero >&2; head -c 64000 /dev/zero";
    let (bench, _, file) = bad(manners, LONG, LONG);
    assert_eq!(bench.extract(&file).await.unwrap().samples, 64_000);
}

#[tokio::test]
async fn too_little_memory_is_said() {
    let bench = Bench::new();
    let file = bench.sine("a.flac", 2, "");
    // Less than the libraries need: it cannot even start.
    let error = Ffmpeg::new(&MediaConfig { memory_bytes: 1 << 20, ..config() }).unwrap_err();
    assert_eq!(error.code, Code::FfmpegMissing);
    bench.extract(&file).await.unwrap();
}

#[test]
fn programs_that_are_not_there() {
    for ffmpeg in ["/nowhere/ffmpeg", "no-such-program-anywhere", "/etc/passwd"] {
        let error = Ffmpeg::new(&MediaConfig { ffmpeg: ffmpeg.into(), ..config() }).unwrap_err();
        assert_eq!(error.code, Code::FfmpegMissing, "{ffmpeg}");
        assert!(!error.detail.contains(ffmpeg), "{}", error.detail);
    }
}

#[test]
fn versions_and_sandbox_are_told() {
    let told = Ffmpeg::new(&MediaConfig { sandbox: Sandbox::Off, ..config() }).unwrap().describe();
    assert!(told.ffmpeg.starts_with(|c: char| c.is_ascii_alphanumeric()) && told.ffmpeg == told.ffprobe, "{told:?}");
    assert_eq!(serde_json::to_value(told.sandbox).unwrap(), serde_json::json!({"kind": "off"}));
}

/// Steps run on a runtime with many threads.
#[test]
fn calls_can_be_spawned() {
    fn is_send(_: &impl Send) {}
    let (bench, cancel) = (Bench::new(), CancellationToken::new());
    let (file, out) = (bench.path("a"), bench.path("b"));
    is_send(&bench.ffmpeg.extract(&file, &out, &|_| {}, &cancel));
    is_send(&bench.ffmpeg.probe(&file, &cancel));
}
