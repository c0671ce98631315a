//! Every sample through the engine and the road around it, in this process.

use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::engine::{Engine, decode, model, smoke};
use crate::{
    domain::{
        Options,
        options::{Goal, Ladder},
    },
    error::Code,
    transcribe::{
        engine::{Ask, EngineEvent, Slots, Window},
        recognise,
    },
};

/// Rows of `recognised.tsv`: file, whether it is exact, text.
fn recognised() -> Vec<(String, String, String)> {
    let table = std::fs::read_to_string(smoke().join("samples/recognised.tsv")).unwrap();
    let rows = table.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
    rows.map(|row| (row[0].clone(), row[1].clone(), row[3].clone())).collect()
}

#[tokio::test]
async fn exact_samples_give_their_exact_text() {
    let engine = Engine::start(1);
    let exact: Vec<_> = recognised().into_iter().filter(|(_, kind, _)| kind == "yes").collect();
    assert!(exact.len() >= 17, "the table marks {} rows", exact.len());
    for (file, _, text) in exact {
        let transcript = engine.transcribe(&file, &Options::default()).await;
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

#[tokio::test]
async fn no_speech_gives_no_text_and_a_warning() {
    let engine = Engine::start(1);
    for file in ["silence.wav", "noise.wav", "tone.wav"] {
        for vad in [true, false] {
            let transcript = engine.transcribe(file, &Options { vad, ..Options::default() }).await;
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

#[tokio::test]
async fn options_are_honoured() {
    let engine = Engine::start(1);
    let base = || Options { language: Some("zh".to_owned()), ..Options::default() };
    let translated = engine.transcribe("zh-known-01.wav", &Options { task: Goal::Translate, ..base() }).await;
    assert_eq!(translated.text, "I study file in the evening.");
    assert_eq!((translated.language.as_str(), translated.language_probability), ("zh", 1.0));

    let words = engine.transcribe("zh-new-19.mp3", &Options { word_timestamps: true, ..base() }).await;
    assert_eq!(words.text, "你现在学习音乐。你喜欢蓝色的汽车。");
    for segment in &words.segments {
        assert_eq!(segment.words.iter().map(|word| word.word.as_str()).collect::<String>(), segment.text);
        assert!(segment.words.iter().all(|word| word.probability > 0.0 && !word.word.starts_with('。')));
        assert!(segment.words.len() > 2, "{:?}", segment.words);
    }
    let english = Options { word_timestamps: true, beam_size: 1, vad: false, ..Options::default() };
    let words = engine.transcribe("en-known-12.wav", &english).await;
    let said: Vec<_> = words.segments[0].words.iter().map(|word| word.word.as_str()).collect();
    assert_eq!(said, ["Please", "send", "the", "lazy", "teacher", "at", "ten", "o'clock."]);

    let prompt = Some("The price is forty two dollars.\0".to_owned());
    let options =
        Options { initial_prompt: prompt, beam_size: 10, temperature: Ladder(vec![0.2]), ..Options::default() };
    let prompted = engine.transcribe("en-known-04.flac", &options).await;
    assert!(prompted.warnings[0].starts_with("beam_size was lowered to 8"));
    assert!(prompted.segments.iter().all(|segment| (segment.temperature - 0.2).abs() < 0.001));
}

#[tokio::test]
async fn long_audio_is_recognised_in_windows() {
    let engine = Engine::start(1);
    let greedy = Options { beam_size: 1, ..Options::default() };
    let transcript = engine.transcribe("long.m4a", &greedy).await;
    assert!(transcript.segments.len() > 25, "{}", transcript.segments.len());
    assert!(transcript.text.starts_with("Please find the lazy window."), "{}", transcript.text);
    assert!(!transcript.text.contains(char::REPLACEMENT_CHARACTER));
    assert!((transcript.duration - 209.65).abs() < 0.2 && transcript.segments.last().unwrap().end > 195.0);
    assert_eq!(engine.transcribe("long.m4a", &greedy).await, transcript, "the same audio gives the same transcript");
}

#[tokio::test]
async fn a_job_is_aborted_and_its_slot_works_on() {
    let engine = Engine::start(1);
    let job = engine.job("long.m4a", &Options::default());
    let cancel = CancellationToken::new();
    let asked = std::sync::Mutex::new(None);
    let events = |event| {
        if matches!(event, EngineEvent::Segment(_)) {
            asked.lock().unwrap().get_or_insert_with(Instant::now);
            cancel.cancel();
        }
    };
    let error = recognise::transcribe(&engine, &model(), &job, &events, &cancel).await.unwrap_err();
    assert_eq!(error.code, Code::Cancelled);
    eprintln!("the abort took {:?}", asked.lock().unwrap().unwrap().elapsed());
    assert_eq!(engine.transcribe("zh-new-23.m4a", &Options::default()).await.text, "那个飞机很热。");
}

#[tokio::test]
async fn two_slots_share_the_weights() {
    let engine = Engine::start(2);
    let options = Options::default();
    let (first, second) =
        tokio::join!(engine.transcribe("zh-new-23.m4a", &options), engine.transcribe("en-known-04.flac", &options),);
    assert_eq!(first.text, "那个飞机很热。");
    assert_eq!(second.text, "The music is near the long box.");
}

#[tokio::test]
async fn missing_audio_fails_only_its_job() {
    let engine = Engine::start(1);
    let cancel = CancellationToken::new();
    let ask = Ask { language: Some("en".to_owned()), previous: String::new(), options: Options::default() };
    let gone = Window { job: 1, is_urgent: false, model: model(), pcm: "/nowhere.pcm".into(), range: 0..16_000 };
    assert_eq!(engine.recognise(&gone, &ask, &|_| {}, &cancel).await.unwrap_err().code, Code::Io);
    let pcm = engine.dir.path().join("short.pcm");
    let samples = decode(&smoke().join("samples/silence.wav"), &pcm).min(100);
    let short = Window { pcm, range: 0..samples, ..gone };
    engine.recognise(&short, &ask, &|_| {}, &cancel).await.expect("a hundred samples are no error");
}
