//! Answers in the formats of several servers, and rubbish.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Heard, Unread, longest, read};
use crate::transcribe::words::USUAL;

fn heard(value: &Value, length: f64) -> Heard {
    read(value.to_string().as_bytes(), length, &USUAL).unwrap()
}

fn spelled(heard: &Heard) -> Vec<Vec<(&str, f64, f64)>> {
    let words = |segment| -> Vec<(&str, f64, f64)> {
        let segment: &crate::domain::Segment = segment;
        segment.words.iter().map(|word| (word.word.as_str(), word.start, word.end)).collect()
    };
    heard.segments.iter().map(words).collect()
}

#[test]
fn openai() {
    let answer = json!({
        "task": "transcribe", "language": "english", "duration": 4.5, "text": "The beach was a popular spot. Yes!",
        "segments": [
            {"id": 0, "seek": 0, "start": 0.0, "end": 3.0, "text": " The beach was a popular spot.", "tokens": [50364, 440],
             "temperature": 0.0, "avg_logprob": -0.28, "compression_ratio": 1.2, "no_speech_prob": 0.01},
            {"id": 1, "seek": 0, "start": 3.5, "end": 4.5, "text": " Yes!", "tokens": [], "temperature": 0.0,
             "avg_logprob": -0.5, "compression_ratio": 0.9, "no_speech_prob": 0.02},
        ],
        "words": [
            {"word": "The", "start": 0.0, "end": 0.4}, {"word": "beach", "start": 0.4, "end": 0.9},
            {"word": "was", "start": 0.9, "end": 1.2}, {"word": "a", "start": 1.2, "end": 1.3},
            {"word": "popular", "start": 1.3, "end": 2.0}, {"word": "spot", "start": 2.0, "end": 3.0},
            {"word": "Yes", "start": 3.5, "end": 4.4},
        ],
        "usage": {"type": "duration", "seconds": 5},
    });
    let heard = heard(&answer, 5.0);
    assert_eq!((heard.language, heard.is_timeless, heard.is_misspelt), (Some("en"), false, false));
    let first = &heard.segments[0];
    assert_eq!((first.text.as_str(), first.start, first.end), ("The beach was a popular spot.", 0.0, 3.0));
    assert_eq!((first.avg_logprob, first.no_speech_prob, first.compression_ratio), (-0.28, 0.01, 1.2));
    assert_eq!(first.tokens, [50364, 440]);
    let words = spelled(&heard);
    assert_eq!(words[0][1..3], [("beach", 0.4, 0.9), ("was", 0.9, 1.2)]);
    assert_eq!((words[0].len(), words[0][5]), (6, ("spot.", 2.0, 3.0)));
    assert_eq!(words[1], [("Yes!", 3.5, 4.4)]);
}

#[test]
fn words_alone_and_text_alone() {
    let words = json!([{"word": "One", "start": 0.5, "end": 1.0}, {"word": "two", "start": 1.5, "end": 2.0}]);
    let only_words = heard(&json!({"text": "One, two.", "words": words}), 9.0);
    assert_eq!(spelled(&only_words), [[("One,", 0.5, 1.0), ("two.", 1.5, 2.0)]]);
    assert_eq!((only_words.segments[0].start, only_words.segments[0].end, only_words.is_timeless), (0.5, 2.0, false));
    let only_text = heard(&json!({"text": " One, two.\n"}), 9.0);
    assert_eq!((only_text.segments[0].start, only_text.segments[0].end, only_text.is_timeless), (0.0, 9.0, true));
    assert_eq!(only_text.segments[0].text, "One, two.");
    for nothing in [json!({"text": ""}), json!({"text": " ", "segments": []}), json!({"segments": [{"text": "\n"}]})] {
        assert!(heard(&nothing, 9.0).segments.is_empty() && !heard(&nothing, 9.0).is_timeless);
    }
}

#[test]
fn faster_whisper() {
    let answer = json!({
        "task": "transcribe", "language": "zh", "duration": 3.0, "text": "我们很好。",
        "segments": [{
            "id": 1, "seek": 300, "start": 0.2, "end": 2.5, "text": "我们很好。", "tokens": [1, 2], "temperature": 0.0,
            "avg_logprob": -0.1, "compression_ratio": 0.8, "no_speech_prob": 0.0,
            "words": [
                {"start": 0.2, "end": 0.9, "word": "我们", "probability": 0.9},
                {"start": 0.9, "end": 2.5, "word": "很好。", "probability": 0.8},
            ],
        }],
        "words": null,
    });
    let heard = heard(&answer, 3.0);
    assert_eq!(heard.language, Some("zh"));
    assert_eq!(spelled(&heard), [[("我们", 0.2, 0.9), ("很好。", 0.9, 2.5)]]);
    assert_eq!(heard.segments[0].words[1].probability, 0.8);
}

#[test]
fn whisper_cpp() {
    // Tokens for words; halves of a character arrive broken.
    let token = |word: &str, start: f64, p: f64| json!({"word": word, "start": start, "end": start + 0.5, "t_dtw": -1, "probability": p});
    let answer = json!({
        "task": "transcribe", "language": "english", "duration": 3.0, "text": " The café.\n",
        "segments": [{
            "id": 0, "text": " The café.", "start": 0.0, "end": 2.5, "tokens": [440, 269],
            "words": [token(" The", 0.0, 0.5), token(" ca", 0.5, 0.25), token("f", 1.0, 0.25), token("\u{FFFD}", 1.5, 0.1),
                      token("\u{FFFD}", 1.75, 0.1), token(".", 2.0, 1.0)],
            "temperature": 0.0, "avg_logprob": -0.3,
        }],
        "detected_language": "english", "detected_language_probability": 0.75,
    });
    let heard = heard(&answer, 3.0);
    assert_eq!(heard.language_probability, Some(0.75));
    assert_eq!(spelled(&heard), [[("The", 0.0, 0.5), ("café.", 0.5, 2.5)]]);
    assert_eq!(heard.segments[0].words[1].probability, 0.5);
}

#[test]
fn local_ai_with_nanoseconds() {
    let segment = json!({"id": 0, "start": 0, "end": 2_500_000_000u64, "text": "Hi.", "tokens": null});
    let heard = heard(&json!({"segments": [segment], "text": "Hi."}), 3.0);
    assert_eq!((heard.segments[0].start, heard.segments[0].end, heard.is_timeless), (0.0, 2.5, false));
}

#[test]
fn what_nobody_can_say_is_refused() {
    let of = |value: &Value| read(value.to_string().as_bytes(), 2.0, &USUAL);
    let text = |length: usize| json!({ "text": "字".repeat(length) });
    assert!(of(&text(1_200)).is_ok());
    assert_eq!(of(&text(1_201)), Err(Unread::TooMuch));
    let segments = |count: usize| json!({"segments": vec![json!({"text": "字字"}); count]});
    assert!(of(&segments(600)).is_ok());
    assert_eq!(of(&segments(601)), Err(Unread::TooMuch));
    let empty = vec![json!({}); 1_300];
    assert_eq!(of(&json!({"text": "x", "words": empty})), Err(Unread::TooMuch));
    assert_eq!(of(&json!({"text": "x", "rest": vec![0; 22_000]})), Err(Unread::TooMuch));
    // What is inside texts is no structure.
    assert!(of(&json!({"text": "x", "note": "{\\\"{,[".repeat(9_000)})).is_ok());
    assert_eq!((longest(0.0), longest(10.0), longest(1e9)), (262_144, 425_984, 33_554_432));
}

#[test]
fn each_of_many_segments_takes_its_own_words() {
    let length = 120.0;
    let times = |n: usize| (n as f64 / 50.0, (n as f64 + 0.9) / 50.0);
    let item = |name: &str, n: usize| json!({name: format!("w{n}"), "start": times(n).0, "end": times(n).1});
    let (segments, words): (Vec<_>, Vec<_>) = (0..2_000).map(|n| (item("text", n), item("word", n))).unzip();
    let body = json!({"segments": segments, "words": words}).to_string();
    let heard = read(body.as_bytes(), length, &USUAL).unwrap();
    assert!(heard.segments.len() == 2_000 && heard.segments.iter().all(|segment| segment.words.len() == 1));
}

#[test]
fn times_that_make_no_sense_are_mended() {
    let segments = json!([
        {"start": -3, "end": "late", "text": "a"}, {"start": 2.0, "end": 1.0, "text": "b"}, {"start": null, "end": 99.0, "text": "c"},
        {"start": 1.0, "end": 3.0, "text": "d"}, {"text": 5}, "e", null,
    ]);
    let heard = heard(&json!({"segments": segments, "language": "klingon"}), 10.0);
    let times: Vec<_> = heard.segments.iter().map(|s| (s.text.as_str(), s.start, s.end)).collect();
    assert_eq!(times, [("a", 0.0, 2.0), ("b", 2.0, 2.0), ("c", 2.0, 10.0), ("d", 10.0, 10.0)]);
    assert_eq!(heard.language, None);
    let timeless = read(br#"{"segments": [{"text": "a"}, {"text": "b"}]}"#, 10.0, &USUAL).unwrap();
    assert!(timeless.is_timeless);
}

#[test]
fn words_that_are_not_the_text_are_left_out() {
    let answer = json!({"text": "x", "segments": [
        {"start": 0, "end": 1, "text": "Twenty-two.", "words": [{"word": "22", "start": 0, "end": 1}]},
    ]});
    let heard = heard(&answer, 1.0);
    assert!(heard.is_misspelt && heard.segments[0].words.is_empty());
}

fn anything() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "text",
        "segments",
        "words",
        "word",
        "start",
        "end",
        "language",
        "tokens",
        "probability",
        "no_speech_prob",
        "temperature",
        "avg_logprob",
        "compression_ratio",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0.0..20.0f64).prop_map(Value::from),
        "[ a-c。\u{0}\u{FFFD}]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(name.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn check(heard: &Heard, length: f64) {
    let mut last = 0.0;
    for segment in &heard.segments {
        assert!(last <= segment.start && segment.start <= segment.end && segment.end <= length, "{heard:?}");
        assert!(!segment.text.is_empty() && segment.text.trim() == segment.text);
        assert!(
            segment.avg_logprob.is_finite() && segment.compression_ratio.is_finite() && segment.temperature.is_finite()
        );
        assert!((0.0..=1.0).contains(&segment.no_speech_prob));
        let mut earliest = segment.start;
        for word in &segment.words {
            assert!(earliest <= word.start && word.start <= word.end && word.end <= segment.end, "{heard:?}");
            assert!(!word.word.is_empty() && (0.0..=1.0).contains(&word.probability));
            earliest = word.end;
        }
        let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        let words: String = segment.words.iter().map(|word| bare(&word.word)).collect();
        assert!(segment.words.is_empty() || words == bare(&segment.text), "{heard:?}");
        last = segment.end;
    }
}

proptest! {
    #[test]
    fn any_answer_keeps_the_rules(
        text in prop::option::of("[ a-c。]{0,8}"), segments in prop::collection::vec(anything(), 0..5),
        words in prop::collection::vec(anything(), 0..5), other in anything(),
    ) {
        let answer = json!({"text": text, "segments": segments, "words": words, "language": other});
        if let Ok(heard) = read(answer.to_string().as_bytes(), 12.5, &USUAL) {
            check(&heard, 12.5);
        }
    }

    #[test]
    fn any_segments_keep_the_rules(
        segments in prop::collection::vec(
            ("[ a-c。]{1,8}", any::<f64>(), -5.0..30.0f64, prop::collection::vec(("[ a-c。\u{FFFD}]{0,3}", -5.0..30.0f64, -1.0..2.0f64), 0..5)), 0..5),
    ) {
        let word = |(word, at, p): &(String, f64, f64)| json!({"word": word, "start": at, "end": at + p, "probability": p});
        let segment = |(text, start, end, words): &(String, f64, f64, Vec<_>)| {
            json!({"text": text, "start": start, "end": end, "words": words.iter().map(word).collect::<Vec<_>>()})
        };
        let answer = json!({"segments": segments.iter().map(segment).collect::<Vec<_>>()});
        check(&read(answer.to_string().as_bytes(), 12.5, &USUAL).unwrap(), 12.5);
    }

    #[test]
    fn bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes, 1.0, &USUAL);
    }
}
