//! One transcript in every format, to be looked at.

use insta::{assert_json_snapshot, assert_snapshot};

use super::*;
use crate::domain::{Segment, Word};

fn sample() -> Transcript {
    let segment = |id, start, end, text: &str| Segment { id, start, end, text: text.into(), ..Segment::default() };
    let word = Word { word: "Hello".into(), start: 0.0, end: 0.42, probability: 0.5 };
    let first = Segment {
        avg_logprob: -0.25,
        no_speech_prob: 0.125,
        compression_ratio: 0.75,
        tokens: vec![15947],
        words: vec![word],
        ..segment(0, 0.0, 4.3, " Hello, R&D <team>! ")
    };
    Transcript {
        text: "Hello, R&D <team>! 我们今天学习中文。 a --> b".into(),
        language: "en".into(),
        language_probability: 0.75,
        language_probs: vec![("en".into(), 0.75), ("zh".into(), 0.25)],
        duration: 3_605.5,
        duration_after_vad: 3_600.0,
        model: "smoke-q8_0".into(),
        engine: "whisper.cpp".into(),
        segments: vec![
            first,
            segment(1, 4.3, 5.0, "  "),
            segment(2, 5.0, 59.9996, "我们今天\n\n学习中文。"),
            segment(3, 3_600.0, 3_605.5, "a --> b"),
        ],
        warnings: vec![],
    }
}

#[test]
fn txt() {
    assert_snapshot!(file(&sample(), Format::Txt), @r"
    Hello, R&D <team>!
    我们今天 学习中文。
    a --> b
    ");
}

#[test]
fn srt() {
    assert_snapshot!(file(&sample(), Format::Srt), @r"
    1
    00:00:00,000 --> 00:00:04,300
    Hello, R&D <team>!

    2
    00:00:05,000 --> 00:01:00,000
    我们今天
    学习中文。

    3
    01:00:00,000 --> 01:00:05,500
    a → b
    ");
}

#[test]
fn vtt() {
    assert_snapshot!(file(&sample(), Format::Vtt), @r"
    WEBVTT

    00:00:00.000 --> 00:00:04.300
    Hello, R&amp;D &lt;team&gt;!

    00:00:05.000 --> 00:01:00.000
    我们今天
    学习中文。

    01:00:00.000 --> 01:00:05.500
    a --&gt; b
    ");
}

#[test]
fn tsv() {
    assert_eq!(
        file(&sample(), Format::Tsv),
        "start\tend\ttext\n0\t4300\tHello, R&D <team>!\n5000\t60000\t我们今天学习中文。\n3600000\t3605500\ta --> b\n"
    );
}

#[test]
fn lrc() {
    assert_snapshot!(file(&sample(), Format::Lrc), @r"
    [00:00.00]Hello, R&D <team>!
    [00:05.00]我们今天学习中文。
    [60:00.00]a --> b
    ");
}

#[test]
fn md() {
    assert_snapshot!(file(&sample(), Format::Md), @r"
    **[00:00:00]** Hello, R\&D \<team>!

    **[00:00:05]** 我们今天学习中文。

    **[01:00:00]** a --> b
    ");
}

/// The shape that the API promises; that it stands on one line is checked elsewhere.
#[test]
fn json() {
    let made = file(&sample(), Format::Json);
    let mut transcript: Transcript = serde_json::from_str(&made).unwrap();
    assert_eq!(transcript, sample());
    transcript.segments.truncate(1);
    assert_json_snapshot!(transcript, @r#"
    {
      "text": "Hello, R&D <team>! 我们今天学习中文。 a --> b",
      "language": "en",
      "language_probability": 0.75,
      "language_probs": [
        [
          "en",
          0.75
        ],
        [
          "zh",
          0.25
        ]
      ],
      "duration": 3605.5,
      "duration_after_vad": 3600.0,
      "model": "smoke-q8_0",
      "engine": "whisper.cpp",
      "segments": [
        {
          "id": 0,
          "start": 0.0,
          "end": 4.3,
          "text": " Hello, R&D <team>! ",
          "avg_logprob": -0.25,
          "no_speech_prob": 0.125,
          "compression_ratio": 0.75,
          "temperature": 0.0,
          "tokens": [
            15947
          ],
          "words": [
            {
              "word": "Hello",
              "start": 0.0,
              "end": 0.42,
              "probability": 0.5
            }
          ]
        }
      ],
      "warnings": []
    }
    "#);
}
