//! An engine's own request loop on a thread of this process, spoken to in its protocol, as slots.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    domain::{Options, Segment, Transcript},
    error::{Code, Error, Result},
    transcribe::{
        ModelRef,
        child::{Args, Output, serve},
        engine::{Ask, Detected, EngineEvent, Heard, Job, Listener, Recognised, Slots, Window},
        protocol::{Event, Request},
        recognise,
    },
};

pub(super) fn smoke() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/smoke")
}

/// Decodes a sample to PCM; gives the number of samples.
pub(super) fn decode(sample: &Path, pcm: &Path) -> u64 {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(sample)
        .args(["-ar", "16000", "-ac", "1", "-f", "s16le", "-y"])
        .arg(pcm)
        .stdin(Stdio::null())
        .output()
        .expect("ffmpeg is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    pcm.metadata().unwrap().len() / 2
}

type Waiting = Arc<Mutex<HashMap<u64, mpsc::UnboundedSender<Event>>>>;

/// The engine with the smoke model.
pub(super) struct Engine {
    requests: Mutex<std::io::PipeWriter>,
    waiting: Waiting,
    next: AtomicU64,
    slots: usize,
    pub(super) dir: TempDir,
}

impl Engine {
    pub(super) fn start(slots: usize) -> Self {
        Self::start_with(slots, false)
    }

    pub(super) fn start_with(slots: usize, short_context: bool) -> Self {
        let (input, requests) = std::io::pipe().unwrap();
        let (output_reader, output) = std::io::pipe().unwrap();
        let args = Args {
            model: smoke().join("ggml-smoke-q8_0.bin"),
            model_name: "smoke-q8_0".to_owned(),
            device: "cpu".to_owned(),
            slots,
            short_context,
            threads: 1, // more would wait for each other in turns on a busy machine
        };
        crate::transcribe::whisper::log_to_stderr();
        std::thread::spawn(move || {
            let output = Arc::new(Output(Mutex::new(Box::new(output) as Box<dyn Write + Send>)));
            serve(&args, BufReader::new(input), output).unwrap();
        });
        let mut lines = BufReader::new(output_reader).lines();
        let read = |line: String| serde_json::from_str::<Event>(&line).unwrap();
        assert!(matches!(read(lines.next().unwrap().unwrap()), Event::Ready { .. }));
        let waiting = Waiting::default();
        let readers = waiting.clone();
        std::thread::spawn(move || {
            for line in lines {
                let event = read(line.unwrap());
                let (Event::Progress { id, .. }
                | Event::Segment { id, .. }
                | Event::Languages { id, .. }
                | Event::Done { id, .. }
                | Event::Failed { id, .. }) = &event
                else {
                    panic!("{event:?}")
                };
                if let Some(reader) = readers.lock().unwrap().get(id) {
                    let _ = reader.send(event);
                }
            }
        });
        let (requests, next) = (Mutex::new(requests), AtomicU64::new(1));
        Self { requests, waiting, next, slots, dir: TempDir::new().unwrap() }
    }

    pub(super) fn send(&self, request: &Request) {
        writeln!(self.requests.lock().unwrap(), "{}", serde_json::to_string(request).unwrap()).unwrap();
    }

    /// A job for one of the samples.
    pub(super) fn job(&self, sample: &str, options: &Options) -> Job {
        let pcm = self.dir.path().join(format!("{}.pcm", self.next.fetch_add(1, Ordering::Relaxed)));
        let samples = decode(&smoke().join("samples").join(sample), &pcm);
        Job {
            model: "smoke-q8_0".to_owned(),
            file: Some(model()),
            pcm,
            samples,
            options: options.clone(),
            is_urgent: false,
        }
    }

    /// Recognises a sample, and checks what holds of every transcript.
    pub(super) async fn transcribe(&self, sample: &str, options: &Options) -> Transcript {
        let job = self.job(sample, options);
        let streamed = Mutex::new(Vec::<Segment>::new());
        let events = |event| match event {
            EngineEvent::Progress(value) => assert!((0.0..=1.0).contains(&value)),
            EngineEvent::Segment(segment) => streamed.lock().unwrap().push(segment),
            EngineEvent::LastBegun => {}
        };
        let made = recognise::transcribe(self, &model(), &job, &events, &CancellationToken::new()).await.unwrap();
        assert_eq!(made.transcript.segments, *streamed.lock().unwrap());
        check(&made.transcript);
        made.transcript
    }

    async fn ask(
        &self,
        request: impl FnOnce(u64) -> Request,
        listener: &Listener<'_>,
        cancel: &CancellationToken,
    ) -> Result<Event> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, mut events) = mpsc::unbounded_channel();
        self.waiting.lock().unwrap().insert(id, sender);
        self.send(&request(id));
        let mut told = false;
        loop {
            tokio::select! {
                event = events.recv() => match event.expect("the engine lives") {
                    Event::Progress { value, .. } => listener(Heard::Alive(value)),
                    Event::Segment { segment, .. } => listener(Heard::Segment(segment)),
                    Event::Failed { code, detail, .. } => return Err(Error::new(Code::from_word(&code), detail)),
                    end => return Ok(end),
                },
                () = cancel.cancelled(), if !told => {
                    told = true;
                    self.send(&Request::Abort { id });
                }
            }
        }
    }
}

pub(super) fn model() -> ModelRef {
    ModelRef::new("smoke-q8_0", smoke().join("ggml-smoke-q8_0.bin"))
}

#[async_trait]
impl Slots for Engine {
    async fn detect(&self, window: &Window, cancel: &CancellationToken) -> Result<Detected> {
        let request = |id| Request::Detect { id, pcm: window.pcm.clone(), range: window.range.clone() };
        match self.ask(request, &|_| {}, cancel).await? {
            Event::Languages { inference_ms, probabilities, .. } => Ok(Detected { inference_ms, probabilities }),
            other => panic!("{other:?}"),
        }
    }

    async fn recognise(
        &self,
        window: &Window,
        ask: &Ask,
        listener: &Listener<'_>,
        cancel: &CancellationToken,
    ) -> Result<Recognised> {
        let request = |id| Request::Recognise {
            id,
            pcm: window.pcm.clone(),
            range: window.range.clone(),
            language: ask.language.clone(),
            previous: ask.previous.clone(),
            options: ask.options.clone(),
        };
        match self.ask(request, listener, cancel).await? {
            Event::Done { inference_ms, probabilities, warnings, .. } => {
                Ok(Recognised { inference_ms, probabilities, warnings, is_makeshift: false })
            }
            other => panic!("{other:?}"),
        }
    }

    fn width(&self) -> usize {
        self.slots
    }
}

/// What holds of every transcript.
fn check(transcript: &Transcript) {
    let mut last = 0.0;
    for (at, segment) in transcript.segments.iter().enumerate() {
        assert_eq!(segment.id, at);
        assert!(last <= segment.start && segment.start <= segment.end && segment.end <= transcript.duration + 0.001);
        assert!(!segment.text.is_empty() && segment.text.trim() == segment.text);
        assert!(segment.avg_logprob <= 0.0 && segment.compression_ratio > 0.0 && !segment.tokens.is_empty());
        let mut inside = segment.start;
        for word in &segment.words {
            assert!(inside <= word.start && word.start <= word.end && word.end <= segment.end, "{segment:?}");
            inside = word.end;
        }
        last = segment.end;
    }
}
