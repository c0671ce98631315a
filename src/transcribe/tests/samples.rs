//! Every sample through the engine's own request loop, in this process.

use std::{
    collections::BTreeMap,
    io::{BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    time::Instant,
};

use tempfile::TempDir;

use crate::{
    domain::{Options, Segment, Transcript, options::Goal},
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
    let exact: Vec<_> = recognised().into_iter().filter(|(_, kind, _)| kind == "yes").collect();
    assert!(exact.len() >= 17, "the table marks {} rows", exact.len());
    for (file, _, text) in exact {
        let transcript = engine.transcribe(&file, &Options::default());
        assert_eq!(transcript.text, text, "{file}");
        assert_eq!(transcript.language, file[..2], "{file}");
        assert!(transcript.warnings.is_empty(), "{file}: {:?}", transcript.warnings);
        assert_eq!(transcript.language_probs[0], (transcript.language.clone(), transcript.language_probability));
        assert_eq!(transcript.language_probs.len(), 99);
        let sum: f32 = transcript.language_probs.iter().map(|(_, p)| p).sum();
        assert!((sum - 1.0).abs() < 0.01 && transcript.language_probs.is_sorted_by(|a, b| a.1 >= b.1));
        assert!(0.0 < transcript.duration_after_vad && transcript.duration_after_vad <= transcript.duration);
    }
}

#[test]
fn no_speech_gives_no_text_and_a_warning() {
    let mut engine = Engine::start(1);
    for file in ["silence.wav", "noise.wav", "tone.wav"] {
        for vad in [true, false] {
            let transcript = engine.transcribe(file, &Options { vad, ..Options::default() });
            assert_eq!((transcript.text.as_str(), transcript.segments.len()), ("", 0), "{file} {vad}");
            assert_eq!(transcript.warnings, ["No speech was found"], "{file} {vad}");
            assert_eq!((transcript.duration, transcript.language.as_str()), (3.0, ""));
            // Speech detection takes the tone for a voice; the model then hears nothing in it.
            if file == "silence.wav" {
                assert_eq!(transcript.duration_after_vad, if vad { 0.0 } else { 3.0 });
            }
        }
    }
}

#[test]
fn options_are_honoured() {
    let mut engine = Engine::start(1);
    let base = || Options { language: Some("zh".to_owned()), ..Options::default() };
    let translated = engine.transcribe("zh-known-01.wav", &Options { task: Goal::Translate, ..base() });
    assert_eq!(translated.text, "I study file in the evening.");
    assert_eq!((translated.language.as_str(), translated.language_probability), ("zh", 1.0));

    let words = engine.transcribe("zh-new-19.mp3", &Options { word_timestamps: true, ..base() });
    assert_eq!(words.text, "你现在学习音乐。你喜欢蓝色的汽车。");
    for segment in &words.segments {
        assert_eq!(segment.words.iter().map(|word| word.word.as_str()).collect::<String>(), segment.text);
        assert!(segment.words.iter().all(|word| word.probability > 0.0 && !word.word.starts_with('。')));
        assert!(segment.words.len() > 2, "{:?}", segment.words);
    }
    let english = Options { word_timestamps: true, beam_size: 1, vad: false, ..Options::default() };
    let words = engine.transcribe("en-known-12.wav", &english);
    let said: Vec<_> = words.segments[0].words.iter().map(|word| word.word.as_str()).collect();
    assert_eq!(said, ["Please", "send", "the", "lazy", "teacher", "at", "ten", "o'clock."]);

    let prompt = Some("The price is forty two dollars.\0".to_owned());
    let options = Options { initial_prompt: prompt, beam_size: 10, temperature: 0.2, ..Options::default() };
    let prompted = engine.transcribe("en-known-04.flac", &options);
    assert!(prompted.warnings[0].starts_with("beam_size was lowered to 8"));
    assert!(prompted.segments.iter().all(|segment| (segment.temperature - 0.2).abs() < 0.001));
}

#[test]
fn long_audio_is_recognised_in_windows() {
    let mut engine = Engine::start(1);
    let greedy = Options { beam_size: 1, ..Options::default() };
    let transcript = engine.transcribe("long.m4a", &greedy);
    assert!(transcript.segments.len() > 25, "{}", transcript.segments.len());
    assert!(transcript.text.starts_with("Please find the lazy window."), "{}", transcript.text);
    assert!(!transcript.text.contains(char::REPLACEMENT_CHARACTER));
    assert!((transcript.duration - 209.65).abs() < 0.2 && transcript.segments.last().unwrap().end > 195.0);
    assert_eq!(engine.transcribe("long.m4a", &greedy), transcript, "the same audio gives the same transcript");
}

#[test]
fn a_job_is_aborted_and_its_slot_works_on() {
    let mut engine = Engine::start(1);
    let id = engine.begin("long.m4a", &Options::default());
    while !matches!(engine.event(), Event::Segment { .. }) {}
    engine.send(&Request::Abort { id });
    let asked = Instant::now();
    loop {
        match engine.event() {
            Event::Failed { id: failed, code, .. } => {
                assert_eq!((failed, code.as_str()), (id, "cancelled"));
                break;
            }
            Event::Progress { .. } | Event::Segment { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    eprintln!("the abort took {:?}", asked.elapsed());
    assert_eq!(engine.transcribe("zh-new-23.m4a", &Options::default()).text, "那个飞机很热。");
}

#[test]
fn two_slots_share_the_weights() {
    let mut engine = Engine::start(2);
    let first = engine.begin("zh-new-23.m4a", &Options::default());
    let second = engine.begin("en-known-04.flac", &Options::default());
    let mut texts = BTreeMap::new();
    while texts.len() < 2 {
        if let Event::Done { id, transcript, .. } = engine.event() {
            texts.insert(id, transcript.text);
        }
    }
    assert_eq!(texts[&first], "那个飞机很热。");
    assert_eq!(texts[&second], "The music is near the long box.");
}

#[test]
fn missing_audio_fails_only_its_job() {
    let mut engine = Engine::start(1);
    let options = Options::default();
    engine.send(&Request::Transcribe { id: 9, pcm: "/nowhere.pcm".into(), samples: 16_000, options });
    assert!(matches!(engine.event(), Event::Failed { id: 9, code, .. } if code == "io"));
    let samples = decode(&smoke().join("samples/silence.wav"), &engine.dir.path().join("short.pcm")).min(100);
    let pcm = engine.dir.path().join("short.pcm");
    let options = Options { vad: false, ..Options::default() };
    engine.send(&Request::Transcribe { id: 10, pcm, samples, options });
    assert!(matches!(engine.event(), Event::Done { id: 10, .. }), "a hundred samples are no error");
}
