//! What each option of decoding does to real audio.

use std::sync::Mutex;

use tokio_util::sync::CancellationToken;

use super::engine::{Engine, decode, model, smoke};
use crate::{
    domain::{
        Options, Segment,
        options::{Ladder, Zh},
    },
    error::{Code, Result},
    transcribe::engine::{Ask, Heard, Recognised, Slots, Window},
};

/// Two sentences, well understood.
const CLEAR: &str = "en-known-14.flac";
/// One sentence without repetitions.
const PLAIN: &str = "en-known-04.flac";
/// Its first sentence is guesswork.
const UNCLEAR: &str = "en-known-00.wav";

fn greedy() -> Options {
    Options { language: Some("en".to_owned()), beam_size: 1, vad: false, ..Options::default() }
}

fn ladder(steps: &[f32]) -> Ladder {
    Ladder(steps.to_vec())
}

/// Options under which no attempt is good enough.
fn never_content(steps: &[f32]) -> Options {
    Options { temperature: ladder(steps), logprob_threshold: 0.0, no_speech_threshold: 1.0, ..greedy() }
}

fn likelihood(segments: &[Segment]) -> f32 {
    segments.iter().map(|segment| segment.avg_logprob).sum::<f32>() / segments.len() as f32
}

impl Engine {
    /// Recognises one window over the first 30 seconds of a sample.
    async fn window(&self, sample: &str, ask: &Ask) -> (Result<Recognised>, Vec<Segment>) {
        let job = self.job(sample, &ask.options);
        let window =
            Window { job: 1, is_urgent: false, model: model(), pcm: job.pcm, range: 0..job.samples.min(480_000) };
        let segments = Mutex::new(Vec::new());
        let listener = |heard| {
            if let Heard::Segment(segment) = heard {
                segments.lock().unwrap().push(segment);
            }
        };
        let result = self.recognise(&window, ask, &listener, &CancellationToken::new()).await;
        (result, segments.into_inner().unwrap())
    }

    /// Recognises two samples in one window: the second one after 30 seconds, so that it is heard in a pass of its own.
    async fn passes(&self, samples: [&str; 2], conditioned: bool) -> [Vec<Segment>; 2] {
        let options = Options {
            compression_ratio_threshold: 1.0,
            temperature: ladder(&[0.0, 0.1]),
            condition_on_previous_text: Some(conditioned),
            ..greedy()
        };
        let [first, second] = samples.map(|sample| std::fs::read(self.job(sample, &options).pcm).unwrap());
        let pcm = self.dir.path().join("two.pcm");
        let silence = vec![0; 960_000 - first.len()];
        std::fs::write(&pcm, [first, silence, second].concat()).unwrap();
        let range = 0..pcm.metadata().unwrap().len() / 2;
        let window = Window { job: 1, is_urgent: false, model: model(), pcm, range };
        let segments = Mutex::new(Vec::new());
        let listener = |heard| {
            if let Heard::Segment(segment) = heard {
                segments.lock().unwrap().push(segment);
            }
        };
        self.recognise(&window, &ask(options, ""), &listener, &CancellationToken::new()).await.unwrap();
        let (first, second): (Vec<_>, _) =
            segments.into_inner().unwrap().into_iter().partition(|segment| segment.start < 30.0);
        assert!(!first.is_empty() && !second.is_empty());
        [first, second]
    }
}

fn ask(options: Options, previous: &str) -> Ask {
    Ask { language: Some("en".to_owned()), previous: previous.to_owned(), options }
}

#[tokio::test]
async fn every_ladder_is_climbed_to_its_end() {
    let engine = Engine::start(1);
    // Three attempts which whisper.cpp makes at temperatures of its own choice.
    let hot = engine.transcribe(CLEAR, &never_content(&[0.0, 0.3, 1.0])).await;
    assert!(hot.segments.iter().all(|segment| segment.temperature == 1.0), "{:?}", hot.segments);
    // The same three places, but the last one is cold: the model is sure of all it says.
    let cold = engine.transcribe(CLEAR, &never_content(&[1.0, 0.3, 0.0])).await;
    assert!(cold.segments.iter().all(|segment| segment.temperature == 0.0), "{:?}", cold.segments);
    assert!(likelihood(&hot.segments) < -0.005 && likelihood(&cold.segments) > -0.001);
    // One that is content stays on the first step.
    let content = Options { logprob_threshold: -20.0, ..never_content(&[0.0, 0.3, 1.0]) };
    let content = engine.transcribe(CLEAR, &content).await;
    assert!(content.segments.iter().all(|segment| segment.temperature == 0.0));
    assert_eq!(content.text, cold.text);
}

#[tokio::test]
async fn a_text_that_repeats_itself_is_tried_again_and_kept_at_last() {
    let engine = Engine::start(1);
    // Every text is longer than what it compresses to, if the limit is as low as that.
    let picky = |steps| Options { compression_ratio_threshold: 1.0, temperature: ladder(steps), ..greedy() };
    for steps in [&[0.0][..], &[0.0, 0.1, 0.2]] {
        let transcript = engine.transcribe(CLEAR, &picky(steps)).await;
        assert_eq!(transcript.segments.len(), 2, "{transcript:?}");
        assert!(transcript.segments.iter().all(|segment| segment.temperature == *steps.last().unwrap()));
        assert_eq!(transcript.warnings.len(), 1);
        assert!(transcript.warnings[0].contains("repeats itself at every temperature; it was kept: \"The price"));
    }
    let usual = engine.transcribe(CLEAR, &greedy()).await;
    assert!(usual.warnings.is_empty() && usual.segments.iter().all(|segment| segment.temperature == 0.0));
}

#[tokio::test]
async fn a_window_goes_on_at_the_first_temperature_after_a_repetition() {
    let engine = Engine::start(1);
    let [first, second] = engine.passes([CLEAR, PLAIN], false).await;
    assert!(first.len() == 2 && first.iter().all(|segment| segment.temperature == 0.1), "{first:?}");
    assert!(second.len() == 1 && second[0].temperature == 0.0, "{second:?}");
}

#[tokio::test]
async fn a_repetition_is_done_again_with_the_text_before_it() {
    let engine = Engine::start(1);
    let [before, alone] = engine.passes([PLAIN, CLEAR], false).await;
    let [the_same, conditioned] = engine.passes([PLAIN, CLEAR], true).await;
    assert!(before == the_same && before.iter().all(|segment| segment.temperature == 0.0), "{before:?}");
    assert!(alone.iter().chain(&conditioned).all(|segment| segment.temperature == 0.1), "{conditioned:?}");
    assert_ne!(alone, conditioned, "it would be the same without the text before it");
}

#[tokio::test]
async fn more_samples_and_more_hypotheses_find_other_texts() {
    let engine = Engine::start(1);
    let sampled = |best_of| Options { best_of, temperature: ladder(&[1.0]), ..greedy() };
    let one = engine.transcribe(UNCLEAR, &sampled(1)).await;
    let best = engine.transcribe(UNCLEAR, &sampled(5)).await;
    assert!(likelihood(&one.segments) < likelihood(&best.segments));
    let one = engine.transcribe(UNCLEAR, &greedy()).await;
    let best = engine.transcribe(UNCLEAR, &Options { beam_size: 5, ..greedy() }).await;
    assert_ne!(one.text, best.text);
}

#[tokio::test]
async fn an_unlikely_text_counts_as_silence_from_a_threshold_on() {
    let engine = Engine::start(1);
    let with = |threshold| Options { no_speech_threshold: threshold, ..never_content(&[0.0]) };
    let heard = engine.transcribe(CLEAR, &with(1.0)).await;
    let probability = heard.segments[0].no_speech_prob;
    assert!(heard.segments.len() == 2 && probability > 0.0 && probability < 0.5, "{probability}");
    let dropped = "A text was taken for silence and dropped: \"The price of the yellow table is fifteen…\" at 0.4 s";
    assert_eq!(engine.transcribe(CLEAR, &with(0.0)).await.warnings, [dropped, "No speech was found"]);
    // A likely one never does.
    let likely = Options { logprob_threshold: -1.0, ..with(0.0) };
    assert_eq!(engine.transcribe(CLEAR, &likely).await.text, heard.text);
}

#[tokio::test]
async fn text_before_is_heard_whichever_way_it_comes() {
    let engine = Engine::start(1);
    let text = |segments: Vec<Segment>| segments.into_iter().map(|segment| segment.text).collect::<Vec<_>>();
    let said = "The new window.";
    let plain = text(engine.window(UNCLEAR, &ask(greedy(), "")).await.1);
    let previous = text(engine.window(UNCLEAR, &ask(greedy(), said)).await.1);
    assert_ne!(plain, previous);
    let prompt = Options { initial_prompt: Some(said.to_owned()), ..greedy() };
    assert_eq!(text(engine.window(UNCLEAR, &ask(prompt, "")).await.1), previous);
    let hotwords = Options { hotwords: Some(said.to_owned()), ..greedy() };
    assert_eq!(text(engine.window(UNCLEAR, &ask(hotwords.clone(), "")).await.1), previous);
    // What there is no room for is the oldest text, and hotwords only when they are too many by themselves. A long word
    // without blanks is no danger.
    let (result, _) = engine.window(UNCLEAR, &ask(hotwords, &"我".repeat(20_000))).await;
    assert!(result.unwrap().warnings.is_empty());
    let many = Options { hotwords: Some("我们".repeat(500)), temperature: ladder(&[0.0]), ..greedy() };
    let (result, _) = engine.window(UNCLEAR, &ask(many, "")).await;
    assert!(result.unwrap().warnings[0].contains("too many hotwords"));
}

#[tokio::test]
async fn marks_hang_where_the_options_say() {
    let engine = Engine::start(1);
    let words = async |prepend: &str, append: &str| {
        let options = Options {
            language: Some("zh".to_owned()),
            word_timestamps: true,
            prepend_punctuations: prepend.to_owned(),
            append_punctuations: append.to_owned(),
            ..greedy()
        };
        let transcript = engine.transcribe("zh-new-19.mp3", &options).await;
        transcript.segments[0].words.iter().map(|word| word.word.clone()).collect::<Vec<_>>()
    };
    assert_eq!(words("", "。").await, ["你", "现在", "学", "习", "音", "乐。"]);
    assert_eq!(words("", "").await, ["你", "现在", "学", "习", "音", "乐", "。"]);
    assert_eq!(words("你", "。").await, ["你现在", "学", "习", "音", "乐。"]);
    let without = engine.transcribe("zh-new-19.mp3", &Options { zh: Zh::None, ..greedy() }).await;
    assert!(without.segments.iter().all(|segment| segment.words.is_empty()));
}

#[tokio::test]
async fn what_was_recognised_before_changes_nothing() {
    let engine = Engine::start(1);
    for options in [greedy(), Options { beam_size: 5, ..greedy() }, never_content(&[0.0, 0.8])] {
        let first = engine.transcribe(UNCLEAR, &options).await;
        engine.transcribe(CLEAR, &options).await;
        assert_eq!(engine.transcribe(UNCLEAR, &options).await, first);
    }
}

#[tokio::test]
async fn a_language_found_on_the_way_gives_the_text_of_one_that_was_told() {
    let engine = Engine::start(1);
    for options in [Options { beam_size: 5, ..greedy() }, never_content(&[0.0, 0.8])] {
        // A run begins with the language of the window before: not the right one here, but for the third.
        for (sample, spoken) in [("zh-known-03.flac", "zh"), (PLAIN, "en"), (UNCLEAR, "en")] {
            let job = engine.job(sample, &options);
            let window = Window { job: 1, is_urgent: false, model: model(), pcm: job.pcm, range: 0..job.samples };
            let told = Ask { language: Some(spoken.to_owned()), ..ask(options.clone(), "") };
            let open = Options { language: None, ..options.clone() };
            let (found, segments) = engine.window(sample, &Ask { language: None, ..ask(open, "") }).await;
            let alone = engine.detect(&window, &CancellationToken::new()).await.unwrap().probabilities;
            assert_eq!((&alone[0].0[..], alone.len()), (spoken, 99));
            assert_eq!(found.unwrap().probabilities, alone);
            let (given, expected) = engine.window(sample, &told).await;
            assert_eq!((given.unwrap().probabilities, segments), (Vec::new(), expected));
        }
    }
}

#[tokio::test]
async fn a_short_context_does_not_change_what_is_well_understood() {
    let engine = Engine::start_with(1, true);
    for (file, text) in [
        ("en-known-04.flac", "The music is near the long box."),
        ("en-known-12.wav", "Please send the lazy teacher at ten o'clock."),
        ("zh-new-23.m4a", "那个飞机很热。"),
        ("zh-new-21.flac", "我今天要图片。"),
    ] {
        let options = Options { language: None, vad: true, ..greedy() };
        assert_eq!(engine.transcribe(file, &options).await.text, text);
    }
}

#[tokio::test]
async fn nonsense_fails_by_itself() {
    let engine = Engine::start(1);
    let cancel = CancellationToken::new();
    let pcm = engine.dir.path().join("long.pcm");
    let samples = decode(&smoke().join("samples/long.m4a"), &pcm);
    let long = Window { job: 1, is_urgent: false, model: model(), pcm, range: 0..samples };
    let error = engine.recognise(&long, &ask(greedy(), ""), &|_| {}, &cancel).await.unwrap_err();
    assert_eq!((error.code, error.detail.as_str()), (Code::Internal, "The window is too long"));
    // The model has no Cantonese; the token in its place means something else.
    let cantonese = Ask { language: Some("yue".to_owned()), ..ask(greedy(), "") };
    assert_eq!(engine.window(CLEAR, &cantonese).await.0.unwrap_err().code, Code::InvalidValue);
    let elvish = Ask { language: Some("qya".to_owned()), ..ask(greedy(), "") };
    assert_eq!(engine.window(CLEAR, &elvish).await.0.unwrap_err().code, Code::InvalidValue);
    let no_steps = Options { temperature: ladder(&[]), ..greedy() };
    assert_eq!(engine.window(CLEAR, &ask(no_steps, "")).await.1.len(), 2);
    let far_off = Options { temperature: ladder(&[7.0, -3.0]), ..greedy() };
    engine.window(CLEAR, &ask(far_off, "")).await.0.unwrap();
}
