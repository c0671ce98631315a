//! Jobs at real servers on loopback.

mod answers;
mod failures;
mod pool;
mod server;

use std::{
    io::Write,
    sync::Mutex,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio_util::sync::CancellationToken;

use self::server::{Asked, Asr, Said};
use super::Remote;
use crate::{
    config::{Config, RemoteConfig, RemoteUse},
    domain::{Options, Span},
    error::{Code, Result},
    net::Net,
    transcribe::{
        audio::SAMPLE_RATE,
        engine::{Engine, EngineEvent, Job, Transcribed},
    },
};

const KEY: &str = "sk-do-not-show";

/// A client that may talk to loopback addresses.
fn net() -> Net {
    let mut config = Config::defaults().net;
    config.allow_hosts = vec!["127.0.0.0/8".to_owned()];
    config.connect_timeout = Span(Duration::from_secs(2));
    Net::new(&config).unwrap()
}

fn config(url: &str) -> RemoteConfig {
    RemoteConfig {
        url: url.to_owned(),
        api_key: KEY.to_owned(),
        model: String::new(),
        models: Vec::new(),
        used: RemoteUse::First,
        slots: 2,
        max_bytes: 1_000_000,
        timeout: Span(Duration::from_secs(20)),
    }
}

fn remote(url: &str) -> Remote {
    remote_with(url, |_| {})
}

fn remote_with(url: &str, change: impl FnOnce(&mut RemoteConfig)) -> Remote {
    let mut config = config(url);
    change(&mut config);
    Remote::new("lab", &config, net()).unwrap()
}

/// Audio whose samples tell the time in hundredths of a second, and a job for it. No speech, so nobody looks for any.
fn job(seconds: u64, mut options: Value) -> (NamedTempFile, Job) {
    let mut file = NamedTempFile::new().unwrap();
    let samples = seconds * SAMPLE_RATE;
    let time = |sample: u64| i16::try_from(sample * 100 / SAMPLE_RATE).unwrap().to_le_bytes();
    file.write_all(&(0..samples).flat_map(time).collect::<Vec<_>>()).unwrap();
    options["vad"] = json!(false);
    let options = Options::from_json(options.as_object().unwrap()).unwrap();
    let job = Job {
        model: "large-v3".to_owned(),
        file: None,
        pcm: file.path().to_owned(),
        samples,
        options,
        is_urgent: false,
    };
    (file, job)
}

async fn run(remote: &Remote, seconds: u64, options: Value) -> Result<Transcribed> {
    let (_file, job) = job(seconds, options);
    remote.transcribe(job, &|_| {}, &CancellationToken::new()).await
}

/// When the piece that was sent begins, in seconds, and how long it is.
fn times(asked: &Asked) -> (f64, f64) {
    let samples = asked.samples();
    (f64::from(samples[0]) / 100.0, samples.len() as f64 / SAMPLE_RATE as f64)
}

/// Says of a piece when it begins.
fn honest(asked: &Asked) -> Said {
    let (start, length) = times(asked);
    let text = format!("From {start}.");
    let segment = json!({"id": 0, "start": 0.0, "end": length, "text": format!(" {text}"), "avg_logprob": -0.25});
    Said::Json(200, json!({"task": "transcribe", "language": "english", "text": text, "segments": [segment]}))
}

#[tokio::test]
async fn pieces_are_sent_and_their_texts_come_back_in_order() {
    let (first_may, second_came) = std::sync::mpsc::channel::<()>();
    let gate = Mutex::new(second_came);
    let script = move |asked: &Asked| {
        // The first piece is answered after the second one.
        if times(asked).0 == 0.0 {
            gate.lock().unwrap().recv().unwrap();
        } else {
            let _ = first_may.send(());
        }
        honest(asked)
    };
    let server = Asr::start(script).await;
    let remote = remote(&server.url);
    let (_file, job) =
        job(100, json!({"language": "english", "hotwords": "trawl", "word_timestamps": true, "beam_size": 2}));
    let events = Mutex::new(Vec::new());
    let hear = |event| events.lock().unwrap().push(event);
    let done = remote.transcribe(job, &hear, &CancellationToken::new()).await.unwrap();

    let seen = server.seen();
    assert_eq!((seen.most, seen.open), (2, 0));
    let mut sent: Vec<(f64, f64)> = seen.asked.iter().map(times).collect();
    sent.sort_by(|a, b| a.0.total_cmp(&b.0));
    assert!(sent.len() >= 4, "{sent:?}");
    for asked in &seen.asked {
        assert!(asked.file.len() < 1_000_000, "{}", asked.file.len());
        assert_eq!((asked.path.as_str(), asked.file_name.as_str()), ("/v1/audio/transcriptions", "audio.wav"));
        assert_eq!(asked.authorization.as_deref(), Some("Bearer sk-do-not-show"));
        assert_eq!(asked.field("model"), ["large-v3"]);
        assert_eq!(asked.field("language"), ["en"]);
        assert_eq!(asked.field("prompt"), ["trawl"]);
        assert_eq!(asked.field("response_format"), ["verbose_json"]);
        assert_eq!(asked.field("timestamp_granularities[]"), ["segment", "word"]);
    }
    let transcript = done.transcript;
    let heard: Vec<(f64, f64)> = transcript.segments.iter().map(|s| (s.start, s.end)).collect();
    assert_eq!(heard.len(), sent.len());
    for (at, ((start, end), (sent, length))) in heard.iter().zip(&sent).enumerate() {
        assert!((start - sent).abs() < 0.011 && (end - start - length).abs() < 1e-6, "{heard:?} {sent:?}");
        assert_eq!((transcript.segments[at].id, &transcript.segments[at].text), (at, &format!("From {sent}.")));
    }
    assert_eq!(heard.last().unwrap().1, 100.0);
    assert_eq!(transcript.text, sent.iter().map(|(start, _)| format!("From {start}.")).collect::<Vec<_>>().join(" "));
    assert_eq!((transcript.engine.as_str(), transcript.model.as_str()), ("remote:lab", "large-v3"));
    assert_eq!((transcript.language.as_str(), transcript.language_probability), ("en", 1.0));
    assert_eq!((transcript.duration, transcript.segments[0].avg_logprob), (100.0, -0.25));
    assert_eq!(transcript.warnings, ["The server lab knows no beam_size: without effect"]);
    let events = events.into_inner().unwrap();
    let streamed = events.iter().filter_map(|event| match event {
        EngineEvent::Segment(segment) => Some(segment.clone()),
        EngineEvent::Progress(_) | EngineEvent::LastBegun => None,
    });
    assert_eq!(streamed.collect::<Vec<_>>(), transcript.segments);
    assert!(events.contains(&EngineEvent::Progress(0.0)));
}

#[tokio::test]
async fn translations_have_an_address_of_their_own_and_models_other_names() {
    let server = Asr::start(honest).await;
    let remote = remote_with(&format!("{}/", server.url), |config| {
        config.model = "Systran/large".to_owned();
        config.models = vec!["large-v3".to_owned()];
        config.api_key = String::new();
    });
    assert!(remote.does("large-v3") && !remote.does("tiny"));
    let done = run(&remote, 1, json!({"task": "translate"})).await.unwrap();
    let asked = server.seen().asked.remove(0);
    assert_eq!((asked.path.as_str(), asked.authorization), ("/v1/audio/translations", None));
    assert_eq!(asked.fields.iter().find(|(name, _)| name == "model").unwrap().1, "Systran/large");
    assert_eq!((done.transcript.model.as_str(), done.transcript.language.as_str()), ("large-v3", "en"));
    let status = remote.status().remove(0);
    assert_eq!((status.device.as_str(), status.model.as_deref()), ("remote:lab", Some("Systran/large")));
    assert_eq!((status.state.as_str(), status.slots, status.busy, status.problem), ("ready", 2, 0, None));
}

#[tokio::test]
async fn slots_are_for_all_jobs_together() {
    let server = Asr::start(honest).await;
    let remote = remote(&server.url);
    let jobs = (0..4).map(|_| run(&remote, 70, json!({})));
    for done in futures_util::future::join_all(jobs).await {
        assert!(done.unwrap().transcript.segments.len() >= 3);
    }
    let seen = server.seen();
    assert!(seen.asked.len() >= 12 && seen.most <= 2, "{} {}", seen.asked.len(), seen.most);
}

#[tokio::test]
async fn a_cancelled_job_and_a_shutdown_end_at_once() {
    let server = Asr::start(|_| Said::Hang).await;
    let remote = remote(&server.url);
    let (_file, job) = job(70, json!({}));
    let cancel = CancellationToken::new();
    let stop = async {
        let busy = server.until(|seen| seen.open == 2).await;
        assert_eq!((busy.most, remote.status()[0].state.as_str(), remote.status()[0].busy), (2, "busy", 2));
        cancel.cancel();
        Instant::now()
    };
    let (done, asked) = tokio::join!(remote.transcribe(job.clone(), &|_| {}, &cancel), stop);
    assert_eq!(done.unwrap_err().code, Code::Cancelled);
    assert!(asked.elapsed() < Duration::from_secs(1));
    server.until(|seen| seen.open == 0).await;
    assert_eq!((remote.status()[0].busy, remote.wait()), (0, None));

    let stop = async {
        server.until(|seen| seen.open == 2).await;
        remote.shutdown().await;
    };
    let calm = CancellationToken::new();
    let (done, ()) = tokio::join!(remote.transcribe(job.clone(), &|_| {}, &calm), stop);
    assert_eq!(done.unwrap_err().code, Code::ShuttingDown);
    assert_eq!(remote.transcribe(job, &|_| {}, &calm).await.unwrap_err().code, Code::ShuttingDown);
}

#[tokio::test]
async fn silence_is_not_sent() {
    let server = Asr::start(honest).await;
    let (_file, mut job) = job(40, json!({}));
    job.options.vad = true;
    let done = remote(&server.url).transcribe(job, &|_| {}, &CancellationToken::new()).await.unwrap();
    assert_eq!(
        (done.transcript.text.as_str(), &done.transcript.warnings[..]),
        ("", &["No speech was found".to_owned()][..])
    );
    assert!(server.seen().asked.is_empty());
}
