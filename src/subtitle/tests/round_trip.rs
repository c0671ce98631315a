//! Whatever is said, and whenever, a subtitle file reads back.

use proptest::{collection::vec, prelude::*, sample::select};

use super::{
    super::cue::{Cue, Line, cues},
    reader::{Shown, srt, tsv, vtt},
    *,
};
use crate::domain::Segment;

/// Pieces which have broken subtitle files.
const NASTY: [&str; 16] = [
    "-->",
    "--",
    ">",
    "\n",
    "\n\n",
    "\r\n",
    "\u{2028}",
    "\0",
    "\u{202e}",
    "7",
    "WEBVTT",
    "NOTE ",
    "00:00:00,000 --> 00:00:01,000",
    "<b>&amp;lt;",
    "你好",
    " ",
];

fn text() -> impl Strategy<Value = String> {
    vec(prop_oneof![select(&NASTY[..]).prop_map(str::to_owned), any::<String>()], 0..6).prop_map(|parts| parts.concat())
}

fn seconds() -> impl Strategy<Value = f64> {
    prop_oneof![4 => 0.0..500_000.0, 1 => any::<f64>(), 1 => select(&[f64::NAN, f64::INFINITY, -0.0, -3.0][..])]
}

fn transcript() -> impl Strategy<Value = Transcript> {
    let segment = (seconds(), seconds(), text()).prop_map(|(start, end, text)| Segment {
        start,
        end,
        text,
        ..Segment::default()
    });
    vec(segment, 0..8).prop_map(|segments| Transcript { segments, ..Transcript::default() })
}

fn expected(transcript: &Transcript, text: impl Fn(&Cue) -> String) -> Vec<Shown> {
    cues(transcript, &Layout::default())
        .iter()
        .map(|cue| Shown { start: cue.start, end: cue.end, text: text(cue) })
        .collect()
}

fn lines(cue: &Cue) -> String {
    cue.lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
}

proptest! {
    #[test]
    fn tsv_reads_back(transcript in transcript()) {
        let one_line = |cue: &Cue| Line::join(&cue.lines).text;
        prop_assert_eq!(tsv(&file(&transcript, Format::Tsv)), expected(&transcript, one_line));
    }

    #[test]
    fn lyrics_and_paragraphs_are_there_for_each_cue(transcript in transcript()) {
        let count = cues(&transcript, &Layout::default()).len();
        for words in [false, true] {
            let lyrics = render(&transcript, Format::Lrc, &Layout { words, ..Layout::default() });
            prop_assert_eq!(lyrics.lines().count(), count);
            // One time at the start of each line, and nothing else that could be taken for one.
            prop_assert!(lyrics.lines().all(|line| line.starts_with('[') && line.matches(['[', ']']).count() == 2));
        }
        let paragraphs = file(&transcript, Format::Md);
        prop_assert_eq!(paragraphs.split("\n\n").filter(|text| text.starts_with("**[")).count(), count);
    }

    #[test]
    fn vtt_reads_back(transcript in transcript()) {
        prop_assert_eq!(vtt(&file(&transcript, Format::Vtt)), expected(&transcript, lines));
    }

    #[test]
    fn srt_reads_back(transcript in transcript()) {
        let written = |cue: &Cue| lines(cue).replace("-->", "→");
        prop_assert_eq!(srt(&file(&transcript, Format::Srt)), expected(&transcript, written));
    }

    #[test]
    fn txt_has_a_line_for_each_cue(transcript in transcript()) {
        let made = file(&transcript, Format::Txt);
        prop_assert_eq!(made.lines().count(), cues(&transcript, &Layout::default()).len());
        prop_assert!(made.is_empty() || made.ends_with('\n'));
    }

    #[test]
    fn json_is_one_line_and_the_same(transcript in transcript()) {
        let made = file(&transcript, Format::Json);
        prop_assert_eq!(made.matches('\n').count(), 1);
        let is_number = |segment: &Segment| segment.start.is_finite() && segment.end.is_finite();
        if transcript.segments.iter().all(is_number) {
            let back: Transcript = serde_json::from_str(&made).unwrap();
            for (back, segment) in back.segments.iter().zip(&transcript.segments) {
                prop_assert_eq!(&back.text, &segment.text);
            }
            prop_assert_eq!(back.segments.len(), transcript.segments.len());
        }
    }

    #[test]
    fn ordinary_times_come_back_to_the_millisecond(start in 0u64..500_000_000, length in 1u64..100_000) {
        let (from, to) = (start as f64 / 1000.0, (start + length) as f64 / 1000.0);
        let segment = Segment { start: from, end: to, text: "x".into(), ..Segment::default() };
        let transcript = Transcript { segments: vec![segment], ..Transcript::default() };
        let back = srt(&file(&transcript, Format::Srt));
        prop_assert_eq!((back[0].start, back[0].end), (start, start + length));
    }
}
