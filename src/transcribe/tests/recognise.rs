//! What options do to real audio: the whole coordinator over the engine with the smoke model.

use std::sync::Mutex;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::engine::{Engine, decode, model, smoke};
use crate::{
    domain::{
        Options, Transcript,
        options::{Clips, Split},
    },
    error::Result,
    transcribe::{
        engine::{Ask, Detected, Job, Listener, Recognised, Slots, Window},
        recognise,
    },
};

const S: usize = 16_000;

fn greedy() -> Options {
    Options { beam_size: 1, ..Options::default() }
}

/// The samples of a clip.
fn clip(engine: &Engine, sample: &str) -> Vec<u8> {
    let pcm = engine.dir.path().join(format!("{sample}.clip"));
    decode(&smoke().join("samples").join(sample), &pcm);
    std::fs::read(pcm).unwrap()
}

fn silence(seconds: usize) -> Vec<u8> {
    vec![0; seconds * S * 2]
}

/// A job over pieces of sound, one after the other.
fn job(engine: &Engine, pieces: &[Vec<u8>], options: Options) -> Job {
    let bytes = pieces.concat();
    let pcm = engine.dir.path().join(format!("{}.joined", bytes.len()));
    std::fs::write(&pcm, &bytes).unwrap();
    Job { model: model().name, file: Some(model()), pcm, samples: bytes.len() as u64 / 2, options, is_urgent: false }
}

async fn run(slots: &dyn Slots, job: &Job) -> Transcript {
    recognise::transcribe(slots, &model(), job, &|_| {}, &CancellationToken::new()).await.unwrap().transcript
}

#[tokio::test]
async fn a_long_file_is_the_same_with_any_number_of_slots() {
    let parallel = Options { split: Split::Parallel, ..greedy() };
    let apart = Options { split: Split::Sequential, condition_on_previous_text: Some(false), ..greedy() };
    let (one, two) = (Engine::start(1), Engine::start(2));
    let run = async |engine: &Engine, options| {
        let mut transcript = engine.transcribe("long.m4a", options).await;
        // whisper.cpp takes this number from what the state decoded before (unless the prompt is one token).
        transcript.segments.iter_mut().for_each(|segment| segment.no_speech_prob = 0.0);
        transcript
    };
    let first = run(&one, &parallel).await;
    assert!(first.segments.len() > 25 && first.language == "en", "{}", first.text);
    assert!(run(&two, &parallel).await == first);
    assert!(run(&two, &apart).await == first, "without context the order makes no difference");
}

/// Slots that write down what they are asked.
struct Listening<'a>(&'a Engine, Mutex<Vec<Ask>>, Mutex<Vec<Window>>);

#[async_trait]
impl Slots for Listening<'_> {
    async fn detect(&self, window: &Window, cancel: &CancellationToken) -> Result<Detected> {
        self.2.lock().unwrap().push(window.clone());
        self.0.detect(window, cancel).await
    }

    async fn recognise(
        &self,
        window: &Window,
        ask: &Ask,
        listener: &Listener<'_>,
        cancel: &CancellationToken,
    ) -> Result<Recognised> {
        self.1.lock().unwrap().push(ask.clone());
        self.0.recognise(window, ask, listener, cancel).await
    }

    fn width(&self) -> usize {
        self.0.width()
    }
}

#[tokio::test]
async fn a_conditioned_window_hears_the_text_before_it() {
    let engine = Engine::start(2);
    let slots = Listening(&engine, Mutex::default(), Mutex::default());
    let options = Options { condition_on_previous_text: Some(true), ..greedy() };
    let pieces = [clip(&engine, "en-known-04.flac"), silence(31), clip(&engine, "en-known-18.mp3")];
    let transcript = run(&slots, &job(&engine, &pieces, options)).await;
    assert!(transcript.text.starts_with("The music is near the long box."), "{}", transcript.text);
    let previous: Vec<String> = slots.1.into_inner().unwrap().into_iter().map(|ask| ask.previous).collect();
    assert_eq!(previous, ["", "The music is near the long box."]);
}

#[tokio::test]
async fn languages_are_limited_to_those_allowed() {
    let engine = Engine::start(1);
    let ask =
        |languages: &[&str]| Options { languages: languages.iter().map(|l| (*l).to_owned()).collect(), ..greedy() };
    let free = engine.transcribe("en-known-04.flac", &ask(&[])).await;
    assert_eq!((free.language.as_str(), free.text.as_str()), ("en", "The music is near the long box."));
    let one = engine.transcribe("en-known-04.flac", &ask(&["zh"])).await;
    assert_eq!((one.language.as_str(), one.language_probability), ("zh", 1.0));
    let two = engine.transcribe("en-known-04.flac", &ask(&["Chinese", "German"])).await;
    assert!(["zh", "de"].contains(&two.language.as_str()));
    assert_eq!((two.language_probs[0].0.as_str(), two.language_probs.len()), ("en", 99), "all are told");
    let given = Options { language: Some("english".to_owned()), ..ask(&["zh", "en"]) };
    assert_eq!(engine.transcribe("en-known-04.flac", &given).await.language, "en");
}

#[tokio::test]
async fn the_language_is_voted_by_what_is_spoken_most() {
    let engine = Engine::start(2);
    let (english, chinese) = (clip(&engine, "en-known-04.flac"), clip(&engine, "zh-known-03.flac"));
    let vote = async |pieces: &[&[u8]]| {
        let pause = silence(31);
        let pieces: Vec<Vec<u8>> = pieces.iter().flat_map(|piece| [piece.to_vec(), pause.clone()]).collect();
        let slots = Listening(&engine, Mutex::default(), Mutex::default());
        let transcript = run(&slots, &job(&engine, &pieces, greedy())).await;
        assert_eq!(transcript.language_probs[0], (transcript.language.clone(), transcript.language_probability));
        (transcript.language, slots.2.into_inner().unwrap().len())
    };
    assert_eq!(vote(&[&english, &chinese, &chinese]).await, ("zh".to_owned(), 3));
    assert_eq!(vote(&[&chinese, &english, &english, &english]).await.1, 3, "three are enough");
    let sentence = &chinese[..2 * S * 2];
    assert_eq!(vote(&[sentence, &english.repeat(3)]).await, ("en".to_owned(), 2));
}

#[tokio::test]
async fn only_the_named_parts_are_heard() {
    let engine = Engine::start(2);
    let (first, second) = (clip(&engine, "en-known-04.flac"), clip(&engine, "zh-known-13.wav"));
    let at = (first.len() / 2) as f64 / S as f64;
    let pieces = [first, second];
    let ask = |clips: Vec<f64>| job(&engine, &pieces, Options { clip_timestamps: Clips(clips), ..greedy() });
    let start = run(&engine, &ask(vec![0.0, at])).await;
    assert_eq!((start.text.as_str(), start.language.as_str()), ("The music is near the long box.", "en"));
    assert!(start.duration > at + 5.0 && start.duration_after_vad <= at);
    let end = run(&engine, &ask(vec![at])).await;
    assert_eq!(end.text, "那个图片很大。他们明天要语言。");
    assert!(end.segments[0].start >= at, "times are those of the whole");
    let nothing = run(&engine, &ask(vec![500.0])).await;
    assert_eq!((nothing.text.as_str(), nothing.warnings.as_slice()), ("", &["No speech was found".to_owned()][..]));
}

#[tokio::test]
async fn speech_detection_saves_work_and_its_numbers_count() {
    let engine = Engine::start(2);
    let pieces = [clip(&engine, "en-known-04.flac"), silence(60), clip(&engine, "en-known-18.mp3")];
    let run = async |change: &dyn Fn(&mut Options)| {
        let mut options = Options { language: Some("en".to_owned()), ..greedy() };
        change(&mut options);
        let slots = Listening(&engine, Mutex::default(), Mutex::default());
        let transcript = run(&slots, &job(&engine, &pieces, options)).await;
        (transcript, slots.1.into_inner().unwrap().len())
    };
    let (usual, windows) = run(&|_| {}).await;
    assert_eq!(
        (usual.text.as_str(), windows),
        ("The music is near the long box. Please write the new window at nine o'clock.", 2)
    );
    assert!(usual.segments[1].start > 62.0 && usual.duration_after_vad < 6.5, "{}", usual.duration_after_vad);
    let (without, windows) = run(&|options| options.vad = false).await;
    assert_eq!(without.duration_after_vad, without.duration);
    assert!(windows >= 3, "all of it was heard");
    let spoken = async |change: &dyn Fn(&mut Options)| run(change).await.0.duration_after_vad;
    let usual = usual.duration_after_vad;
    assert!(spoken(&|options| options.vad_pad_ms = 0).await < usual - 0.5);
    assert!(spoken(&|options| options.vad_threshold = 0.9).await < usual);
    assert!(spoken(&|options| options.vad_min_silence_ms = 0).await <= usual);
    assert_eq!(spoken(&|options| options.vad_min_speech_ms = 10_000).await, 0.0, "no speech is as long");
}

#[tokio::test]
async fn texts_in_long_silences_are_dropped_with_a_warning() {
    let engine = Engine::start(2);
    let speech = clip(&engine, "en-known-04.flac");
    let quieter =
        |pair: &[u8]| ((f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 120.0).round() as i16).to_le_bytes();
    let murmur: Vec<u8> = speech.chunks_exact(2).flat_map(quieter).collect();
    // The model makes words of a murmur in which a strict detector hears nobody.
    let pieces = [speech, silence(31), murmur, silence(2)];
    let ask = |least| Options {
        vad: false,
        vad_threshold: 0.9,
        hallucination_silence_threshold: least,
        language: Some("en".to_owned()),
        ..greedy()
    };
    let heard = async |least| run(&engine, &job(&engine, &pieces, ask(least))).await;
    let all = heard(None).await;
    assert_eq!((all.segments.len(), all.warnings.len()), (2, 0), "{}", all.text);
    assert_eq!(heard(Some(600.0)).await.segments.len(), 2, "the silence is shorter");
    let without = heard(Some(3.0)).await;
    assert_eq!(without.text, "The music is near the long box.");
    let dropped = &all.segments[1];
    let warning = format!("A text in a silence was dropped: \"{}\" at {:.1} s", dropped.text, dropped.start);
    assert_eq!(without.warnings, [warning]);
}
