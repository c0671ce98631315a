//! The coordinator over slots that say what they are told to.

use std::{
    collections::BTreeMap,
    fs::File,
    ops::Range,
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use tempfile::TempDir;
use tokio::sync::watch;

use super::*;
use crate::{
    domain::{Segment, options::Split},
    transcribe::{
        audio::SAMPLE_RATE,
        engine::{EngineEvent, Heard, Listener, Recognised},
    },
};

const S: u64 = SAMPLE_RATE;

/// What a window is answered with.
#[derive(Clone, Default)]
struct Answer {
    /// Start and end within the window, text, temperature.
    segments: Vec<(f64, f64, &'static str, f32)>,
    error: Option<Code>,
    /// Waits until so many windows are over; forever when they never are.
    after: usize,
}

/// Slots with one answer per second at which a window starts.
struct Script {
    answers: BTreeMap<u64, Answer>,
    languages: Vec<(&'static str, f32)>,
    width: usize,
    running: AtomicUsize,
    most: AtomicUsize,
    over: watch::Sender<usize>,
    /// What was asked, with the second at which the window starts.
    asked: Mutex<Vec<(u64, Ask)>>,
    stopped: AtomicUsize,
    detected: Mutex<Vec<Range<u64>>>,
    dir: TempDir,
}

impl Script {
    fn new(width: usize, answers: impl IntoIterator<Item = (u64, Answer)>) -> Self {
        Self {
            answers: answers.into_iter().collect(),
            languages: vec![("zh", 0.6), ("en", 0.4)],
            width,
            running: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            over: watch::Sender::new(0),
            asked: Mutex::default(),
            stopped: AtomicUsize::new(0),
            detected: Mutex::default(),
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// So many silent seconds, every one of which is to be recognised in windows that start where `starts` say.
    fn job(&self, starts: &[u64], seconds: u64, mut options: Options) -> Job {
        let pcm: PathBuf = self.dir.path().join("a.pcm");
        File::create(&pcm).unwrap().set_len(seconds * S * 2).unwrap();
        options.vad = false;
        let ends = starts[1..].iter().chain([&seconds]);
        options.clip_timestamps.0 = starts.iter().zip(ends).flat_map(|(a, b)| [*a as f64, *b as f64 - 0.5]).collect();
        Job { model: "m".to_owned(), file: None, pcm, samples: seconds * S, options, is_urgent: false }
    }

    fn probabilities(&self) -> Probabilities {
        self.languages.iter().map(|(language, p)| ((*language).to_owned(), *p)).collect()
    }

    async fn run(&self, job: &Job, cancel: &CancellationToken) -> (Result<Transcribed>, Vec<EngineEvent>) {
        let events = Mutex::new(Vec::new());
        let model = ModelRef::new("m", PathBuf::new());
        let listen = |event| events.lock().unwrap().push(event);
        let made = transcribe(self, &model, job, &listen, cancel).await;
        assert_eq!(self.running.load(Ordering::SeqCst), 0, "nothing goes on after the end");
        (made, events.into_inner().unwrap())
    }

    async fn texts(&self, job: &Job) -> Vec<String> {
        let (made, events) = self.run(job, &CancellationToken::new()).await;
        let transcript = made.unwrap().transcript;
        let (mut streamed, mut told) = (Vec::new(), 0.0);
        for event in events {
            match event {
                EngineEvent::Segment(segment) => streamed.push(segment),
                EngineEvent::Progress(value) => {
                    assert!(told <= value && value <= 1.0);
                    told = value;
                }
                EngineEvent::LastBegun => {}
            }
        }
        assert_eq!((streamed, told), (transcript.segments.clone(), 1.0));
        transcript.segments.into_iter().map(|segment| segment.text).collect()
    }
}

#[async_trait]
impl Slots for Script {
    async fn detect(&self, window: &Window, _: &CancellationToken) -> Result<Detected> {
        self.detected.lock().unwrap().push(window.range.clone());
        Ok(Detected { inference_ms: 1, probabilities: self.probabilities() })
    }

    async fn recognise(
        &self,
        window: &Window,
        ask: &Ask,
        listener: &Listener<'_>,
        cancel: &CancellationToken,
    ) -> Result<Recognised> {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        // As a process would, it answers later.
        tokio::task::yield_now().await;
        let start = window.range.start / S;
        self.asked.lock().unwrap().push((start, ask.clone()));
        let answer = self.answers.get(&start).cloned().unwrap_or_default();
        listener(Heard::Alive(0.5));
        for (from, to, text, temperature) in answer.segments {
            let offset = seconds(window.range.start);
            let text = text.to_owned();
            let segment = Segment { start: offset + from, end: offset + to, text, temperature, ..Segment::default() };
            listener(Heard::Segment(segment));
        }
        let mut over = self.over.subscribe();
        let result = tokio::select! {
            _ = over.wait_for(|over| *over >= answer.after) => match answer.error {
                Some(code) => Err(Error::new(code, "as the script says")),
                None => {
                    let probabilities = if ask.language.is_none() { self.probabilities() } else { Vec::new() };
                    let warnings = vec!["the same".to_owned()];
                    Ok(Recognised { inference_ms: 10, probabilities, warnings, is_makeshift: false })
                }
            },
            () = cancel.cancelled() => {
                self.stopped.fetch_add(1, Ordering::SeqCst);
                Err(cancelled())
            }
        };
        self.running.fetch_sub(1, Ordering::SeqCst);
        self.over.send_modify(|over| *over += 1);
        result
    }

    fn width(&self) -> usize {
        self.width
    }
}

fn says(text: &'static str) -> Answer {
    Answer { segments: vec![(0.0, 1.0, text, 0.0)], ..Answer::default() }
}

#[tokio::test]
async fn windows_are_done_together_and_told_in_order() {
    // The first one is only over after all the others; they wait with what they have.
    let answers =
        [(0, Answer { after: 4, ..says("a") }), (10, says("b")), (20, says("c")), (30, says("d")), (40, says("e"))];
    let script = Script::new(2, answers);
    let job = script.job(&[0, 10, 20, 30, 40], 50, Options::default());
    assert_eq!(script.texts(&job).await, ["a", "b", "c", "d", "e"]);
    assert_eq!(script.most.load(Ordering::SeqCst), 3, "two at work and one that waits");
    let (made, _) = Script::new(2, [(0, says("a"))]).run(&job, &CancellationToken::new()).await;
    let made = made.unwrap();
    assert_eq!((made.inference_ms, made.transcript.warnings.len()), (53, 1), "{:?}", made.transcript.warnings);
    assert_eq!((made.transcript.language.as_str(), made.transcript.language_probability), ("zh", 0.6));
}

#[tokio::test]
async fn any_number_of_slots_gives_the_same() {
    let answers = || (0..20).map(|at| (at * 10, says(["a", "b", "b", "c"][at as usize % 4])));
    let starts: Vec<u64> = (0..20).map(|at| at * 10).collect();
    let mut all = Vec::new();
    for width in [1, 2, 3, 8, 40] {
        let script = Script::new(width, answers());
        all.push(script.texts(&script.job(&starts, 200, Options::default())).await);
        assert_eq!(script.most.load(Ordering::SeqCst), (width + 1).min(20));
        assert_eq!(script.detected.lock().unwrap().len(), 3, "the language is voted on");
    }
    all.dedup();
    assert_eq!((all.len(), all[0].len()), (1, 20));
}

#[tokio::test]
async fn the_first_window_streams_and_later_ones_wait() {
    let script = Script::new(2, [(0, Answer { after: 1, ..says("a") }), (10, says("b"))]);
    let job = script.job(&[0, 10], 20, Options::default());
    let (_, events) = script.run(&job, &CancellationToken::new()).await;
    let told: Vec<String> = events
        .iter()
        .map(|event| match event {
            EngineEvent::Progress(value) => format!("{value}"),
            EngineEvent::Segment(segment) => segment.text.clone(),
            EngineEvent::LastBegun => "last".to_owned(),
        })
        .collect();
    // The second window is over before the first one, and says nothing until that is over, too.
    let at = |wanted: &str| told.iter().position(|told| told == wanted).unwrap();
    assert!(at("a") < at("1") && at("1") < at("b"), "{told:?}");
    assert_eq!(told.iter().filter(|told| *told == "last").count(), 1);
    assert!(at("last") < at("1"), "the next job is called before this one ends: {told:?}");
}

#[tokio::test]
async fn context_goes_from_window_to_window() {
    let hot = Answer { segments: vec![(0.0, 1.0, "two", 0.0), (1.0, 2.0, "hot", 0.8)], ..Answer::default() };
    let script = Script::new(4, [(0, says("one")), (10, hot), (20, says("three")), (30, says("four"))]);
    let options = Options {
        split: Split::Sequential,
        initial_prompt: Some("before".to_owned()),
        hotwords: Some("names".to_owned()),
        ..Options::default()
    };
    let job = script.job(&[0, 10, 20, 30], 40, options.clone());
    assert_eq!(script.texts(&job).await, ["one", "two", "hot", "three", "four"]);
    assert_eq!(script.most.load(Ordering::SeqCst), 1);
    let asked = std::mem::take(&mut *script.asked.lock().unwrap());
    let heard: Vec<_> =
        asked.iter().map(|(at, ask)| (*at, ask.previous.as_str(), ask.options.initial_prompt.as_deref())).collect();
    assert_eq!(heard, [(0, "", Some("before")), (10, "one", None), (20, "", None), (30, "three", None)]);
    assert!(asked.iter().all(|(_, ask)| ask.options.hotwords == options.hotwords));

    let alone = Options { condition_on_previous_text: Some(false), ..options };
    script.texts(&script.job(&[0, 10, 20, 30], 40, alone)).await;
    let asked = script.asked.lock().unwrap();
    assert!(asked.iter().all(|(_, ask)| ask.previous.is_empty() && ask.options.initial_prompt.is_some()));
    assert_eq!(script.most.load(Ordering::SeqCst), 1, "sequential is one at a time");
}

#[tokio::test]
async fn context_is_not_longer_than_the_model_hears() {
    let long = Box::leak((0..700).map(|n| format!("{n}字")).collect::<String>().into_boxed_str());
    let script = Script::new(1, [(0, says(long)), (10, says("b"))]);
    let options = Options { condition_on_previous_text: Some(true), ..Options::default() };
    script.texts(&script.job(&[0, 10], 20, options)).await;
    assert_eq!(script.asked.lock().unwrap()[1].1.previous.chars().count(), 1_000);
}

#[tokio::test]
async fn a_window_that_fails_stops_the_others() {
    let never = || Answer { after: 99, ..says("x") };
    let broken = Answer { error: Some(Code::EngineCrashed), ..Answer::default() };
    let script = Script::new(2, [(0, never()), (10, broken), (20, never()), (30, says("y"))]);
    let job = script.job(&[0, 10, 20, 30], 40, Options::default());
    let (made, _) = script.run(&job, &CancellationToken::new()).await;
    assert_eq!(made.unwrap_err().code, Code::EngineCrashed);
    assert_eq!(script.stopped.load(Ordering::SeqCst), 2);
    assert!(script.asked.lock().unwrap().iter().all(|(at, _)| *at < 30), "nothing is begun after the failure");
}

#[tokio::test]
async fn a_cancel_stops_every_window() {
    let never = || Answer { after: 99, ..says("x") };
    let script = Script::new(2, [(0, never()), (10, never()), (20, never()), (30, never())]);
    let job = script.job(&[0, 10, 20, 30], 40, Options::default());
    let cancel = CancellationToken::new();
    let when_busy = async {
        while script.running.load(Ordering::SeqCst) < 3 {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    let ((made, _), ()) = tokio::join!(script.run(&job, &cancel), when_busy);
    assert_eq!(made.unwrap_err().code, Code::Cancelled);
    assert_eq!(script.stopped.load(Ordering::SeqCst), 3);
    let (made, events) = script.run(&job, &cancel).await;
    assert_eq!((made.unwrap_err().code, events.len()), (Code::Cancelled, 0), "cancelled before it began");
}

#[tokio::test]
async fn languages_are_given_limited_or_voted() {
    let language = async |windows: usize, language: Option<&str>, languages: &[&str]| {
        let script = Script::new(1, [(0, says("a"))]);
        let languages = languages.iter().map(|name| (*name).to_owned()).collect();
        let options = Options { language: language.map(str::to_owned), languages, ..Options::default() };
        let job = script.job(&[0, 10][..windows], 20, options);
        let (made, _) = script.run(&job, &CancellationToken::new()).await;
        let asked = script.asked.lock().unwrap().iter().map(|(_, ask)| ask.language.clone()).next_back().flatten();
        let detected = script.detected.lock().unwrap().len();
        made.map(|made| {
            let told = (windows > 1 || detected > 0 || asked.is_some()).then_some(made.transcript.language.as_str());
            assert_eq!(asked.as_deref(), told);
            (made.transcript.language, made.transcript.language_probability, detected)
        })
    };
    for (windows, voters) in [(1, 0), (2, 2)] {
        assert_eq!(language(windows, None, &[]).await.unwrap(), ("zh".to_owned(), 0.6, voters));
        assert_eq!(language(windows, Some("Chinese"), &[]).await.unwrap(), ("zh".to_owned(), 1.0, 0));
        assert_eq!(language(windows, None, &["german"]).await.unwrap(), ("de".to_owned(), 1.0, 0));
        assert_eq!(language(windows, None, &["de", "en"]).await.unwrap(), ("en".to_owned(), 0.4, voters));
        let error = language(windows, None, &["de", "fr"]).await.unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (Code::InvalidValue, Some("languages")));
        assert_eq!(language(windows, Some("en"), &["de"]).await.unwrap_err().field.as_deref(), Some("language"));
    }
}

#[tokio::test]
async fn the_guards_name_what_they_drop() {
    let wild = Answer {
        // Before its window, overlapping, after its window.
        segments: vec![(-5.0, 2.0, "early", 0.0), (1.0, 3.0, "over", 0.0), (2.0, 60.0, "late", 0.0)],
        ..Answer::default()
    };
    let again = Answer {
        segments: (0..6).map(|at| (f64::from(at), f64::from(at) + 1.0, "again", 0.0)).collect(),
        ..wild.clone()
    };
    let phrase = says("so it is so it is so it is so it is so it is fine");
    let script = Script::new(1, [(10, wild), (20, again), (30, phrase)]);
    let job = script.job(&[10, 20, 30], 40, Options::default());
    let (made, _) = script.run(&job, &CancellationToken::new()).await;
    let transcript = made.unwrap().transcript;
    let times: Vec<_> = transcript.segments.iter().map(|s| (s.text.as_str(), s.start, s.end)).collect();
    assert_eq!(
        times,
        [
            ("early", 10.0, 12.0),
            ("over", 12.0, 13.0),
            ("late", 13.0, 19.5),
            ("again", 20.0, 21.0),
            ("so it is fine", 30.0, 31.0)
        ]
    );
    assert_eq!(transcript.text, "early over late again so it is fine");
    assert_eq!(
        transcript.warnings,
        [
            "the same",
            "A repetition was dropped: \"again\" was heard 6 times in a row",
            "A repetition was dropped: \"so it is\" was heard 5 times in a row"
        ]
    );
}

#[tokio::test]
async fn texts_in_silence_are_dropped_when_asked_for() {
    let thanks = || Answer { segments: vec![(1.0, 2.0, "Thanks", 0.0), (3.0, 4.0, "Bye", 0.0)], ..Answer::default() };
    let script = Script::new(1, [(0, thanks()), (10, thanks())]);
    let ask = |least| Options { hallucination_silence_threshold: least, ..Options::default() };
    for least in [None, Some(20.5)] {
        assert_eq!(script.texts(&script.job(&[0, 10], 20, ask(least))).await.len(), 4);
    }
    let (made, events) = script.run(&script.job(&[0, 10], 20, ask(Some(2.0))), &CancellationToken::new()).await;
    let transcript = made.unwrap().transcript;
    assert!(transcript.segments.is_empty() && transcript.language.is_empty());
    assert!(!events.iter().any(|event| matches!(event, EngineEvent::Segment(_))));
    assert_eq!(
        transcript.warnings[1..],
        [
            "A text in a silence was dropped: \"Thanks\", 2 times, the first at 1.0 s",
            "A text in a silence was dropped: \"Bye\", 2 times, the first at 3.0 s",
            "No speech was found"
        ]
    );
}
