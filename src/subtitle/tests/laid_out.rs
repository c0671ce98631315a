//! What a layout asks for is what comes out, and nothing is lost on the way.

use insta::assert_snapshot;
use proptest::{collection::vec, option, prelude::*, sample::select};
use unicode_width::UnicodeWidthStr;

use super::{
    super::{
        atoms::atoms,
        cue::{Cue, cues},
    },
    *,
};
use crate::domain::{Segment, Word};

const PIECES: [&str; 22] = [
    "hello",
    "a",
    "extraordinarily-long-compound",
    "world.",
    "but,",
    "(so",
    "to)",
    "\"Why?\"",
    "我",
    "们",
    "今天",
    "学习",
    "。",
    "，",
    "「",
    "」",
    "キャー",
    "한국어",
    "42",
    "👩\u{200d}🚀",
    "e\u{301}",
    "...",
];

/// A segment of words, some after a blank, each with its time or all without.
fn segment() -> impl Strategy<Value = Segment> {
    let word = (select(&PIECES[..]), any::<bool>(), 0u64..900, 1u64..900);
    (vec(word, 1..40), any::<bool>(), 0u64..2000).prop_map(|(words, are_timed, after)| {
        let (mut at, mut text, mut timed) = (1_000, String::new(), Vec::new());
        for (piece, is_apart, gap, length) in words {
            let piece = format!("{}{piece}", if is_apart { " " } else { "" });
            text.push_str(&piece);
            let (start, end) = ((at + gap) as f64 / 1000.0, (at + gap + length) as f64 / 1000.0);
            timed.push(Word { word: piece, start, end, probability: 1.0 });
            at += gap + length;
        }
        let end = (at + after) as f64 / 1000.0;
        Segment { start: 1.0, end, text, words: if are_timed { timed } else { Vec::new() }, ..Segment::default() }
    })
}

/// Segments one after the other, with silence between them.
fn transcript() -> impl Strategy<Value = Transcript> {
    vec((segment(), 0.0..3.0), 1..4).prop_map(|segments| {
        let (mut shift, mut all) = (0.0, Vec::new());
        for (mut segment, silence) in segments {
            segment.start += shift;
            segment.end += shift;
            for word in &mut segment.words {
                word.start += shift;
                word.end += shift;
            }
            shift = segment.end + silence;
            all.push(segment);
        }
        Transcript { segments: all, duration: shift + 10.0, ..Transcript::default() }
    })
}

fn layout() -> impl Strategy<Value = Layout> {
    let page = (option::of(8u32..90), option::of(1u32..=4), option::of(0.5f64..10.0));
    (page, option::of(1.0f64..40.0), any::<bool>()).prop_map(|((max_chars, max_lines, max_seconds), max_cps, words)| {
        Layout { max_chars, max_lines, max_seconds, max_cps, words }
    })
}

fn bare(text: &str) -> String {
    text.split_whitespace().collect()
}

fn text(cue: &Cue) -> String {
    cue.lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
}

proptest! {
    #[test]
    fn nothing_is_lost_and_nothing_overlaps(transcript in transcript(), layout in layout()) {
        let cues = cues(&transcript, &layout);
        let spoken: String = transcript.segments.iter().map(|segment| bare(&segment.text)).collect();
        prop_assert_eq!(cues.iter().map(|cue| bare(&text(cue))).collect::<String>(), spoken);
        prop_assert!(cues.iter().all(|cue| cue.start < cue.end && !cue.lines.is_empty()));
        prop_assert!(cues.windows(2).all(|pair| pair[0].end <= pair[1].start));
        prop_assert!(cues.iter().flat_map(|cue| &cue.lines).all(|line| line.text.trim() == line.text && !line.text.is_empty()));
    }

    #[test]
    fn cues_fit_into_the_page(transcript in transcript(), layout in layout()) {
        let words: Vec<String> = transcript.segments.iter().flat_map(atoms).map(|atom| atom.text).collect();
        if let Some((width, most)) = layout.page() {
            for cue in cues(&transcript, &layout) {
                prop_assert!(cue.lines.len() <= most, "{:?}", cue);
                for line in &cue.lines {
                    prop_assert!(line.text.width() <= width || words.contains(&line.text), "{:?}", line);
                }
            }
        }
    }

    #[test]
    fn cues_end_in_time(transcript in transcript(), layout in layout()) {
        let words: Vec<(u64, u64)> = transcript.segments.iter().flat_map(atoms).map(|atom| (atom.start, atom.end)).collect();
        if let Some(longest) = layout.longest() {
            for cue in cues(&transcript, &layout) {
                prop_assert!(cue.end - cue.start <= longest || words.contains(&(cue.start, cue.end)), "{:?}", cue);
            }
        }
    }

    #[test]
    fn cues_stay_in_their_segment_and_begin_with_their_word(transcript in transcript(), layout in layout()) {
        let layout = Layout { max_cps: None, ..layout };
        let cues = cues(&transcript, &layout);
        let millis = |seconds: f64| (seconds * 1000.0).round() as u64;
        for cue in &cues {
            let holds = |segment: &&Segment| millis(segment.start) <= cue.start && cue.end <= millis(segment.end);
            let segment = transcript.segments.iter().find(holds);
            prop_assert!(segment.is_some(), "{:?}", cue);
            let words = &segment.unwrap().words;
            if layout.cuts() && !words.is_empty() {
                prop_assert!(words.iter().any(|word| millis(word.start) == cue.start), "{:?}", cue);
                prop_assert!(words.iter().any(|word| millis(word.end) == cue.end), "{:?}", cue);
            }
        }
    }

    #[test]
    fn slower_cues_have_the_same_words_and_starts(transcript in transcript(), layout in layout()) {
        let quick = cues(&transcript, &Layout { max_cps: None, ..layout });
        let slow = cues(&transcript, &layout);
        prop_assert_eq!(quick.len(), slow.len());
        for (index, (quick, now)) in quick.iter().zip(&slow).enumerate() {
            prop_assert_eq!((&quick.lines, quick.start), (&now.lines, now.start));
            prop_assert!(quick.end <= now.end);
            let next = slow.get(index + 1).map_or((transcript.duration * 1000.0).round() as u64, |next| next.start);
            if let Some(cps) = layout.max_cps {
                let seconds = (now.end - now.start) as f64 / 1000.0;
                let read: usize = now.lines.iter().map(|line| line.text.chars().count()).sum();
                let is_stopped = now.end == next || layout.longest() == Some(now.end - now.start) || now.end == quick.end;
                prop_assert!(is_stopped || (read as f64 / seconds) < cps + 0.5, "{:?}", now);
            }
        }
    }

    #[test]
    fn marked_words_are_the_text(transcript in transcript(), layout in layout()) {
        let layout = Layout { words: true, ..layout };
        let plain = render(&transcript, Format::Vtt, &Layout { words: false, ..layout });
        let marked = render(&transcript, Format::Vtt, &layout);
        let mut shown = String::new();
        for (index, part) in marked.split('<').enumerate() {
            shown.push_str(if index == 0 { part } else { part.split_once('>').unwrap().1 });
        }
        prop_assert_eq!(shown, plain);
    }
}

fn spoken(text: &str, words: &[(&str, f64, f64)]) -> Transcript {
    let word = |(word, start, end): &(&str, f64, f64)| Word {
        word: (*word).to_owned(),
        start: *start,
        end: *end,
        probability: 1.0,
    };
    let end = words.last().map_or(10.0, |(_, _, end)| *end);
    let words = words.iter().map(word).collect();
    let segment = Segment { start: 0.0, end, text: text.to_owned(), words, ..Segment::default() };
    Transcript { segments: vec![segment], duration: 20.0, ..Transcript::default() }
}

#[test]
fn english_breaks_at_its_sentences_and_in_even_lines() {
    let text =
        "The quick brown fox jumps over the lazy dog. It was not seen again, although they looked for it everywhere.";
    let layout = Layout { max_chars: Some(32), ..Layout::default() };
    assert_snapshot!(render(&spoken(text, &[]), Format::Srt, &layout), @r"
    1
    00:00:00,000 --> 00:00:04,090
    The quick brown fox
    jumps over the lazy dog.

    2
    00:00:04,090 --> 00:00:10,000
    It was not seen again, although
    they looked for it everywhere.
    ");
}

#[test]
fn chinese_counts_two_columns_and_keeps_its_marks() {
    let text = "我们今天学习中文，「明天」去北京。你喜欢蓝色的汽车吗？";
    let layout = Layout { max_chars: Some(16), max_lines: Some(1), ..Layout::default() };
    assert_snapshot!(render(&spoken(text, &[]), Format::Srt, &layout), @r"
    1
    00:00:00,000 --> 00:00:02,222
    我们今天学习

    2
    00:00:02,222 --> 00:00:04,814
    中文，「明天」

    3
    00:00:04,814 --> 00:00:07,407
    去北京。你喜欢

    4
    00:00:07,407 --> 00:00:10,000
    蓝色的汽车吗？
    ");
}

#[test]
fn words_carry_their_times() {
    let words =
        [(" Hello,", 0.0, 0.4), (" R&D", 0.5, 0.9), (" team!", 0.9, 0.9), (" 我们", 1.2, 1.6), ("学习。", 2.0, 2.5)];
    let transcript = spoken(" Hello, R&D team! 我们学习。", &words);
    let layout = Layout { words: true, ..Layout::default() };
    assert_snapshot!(render(&transcript, Format::Vtt, &layout), @r"
    WEBVTT

    00:00:00.000 --> 00:00:02.500
    <c>Hello,</c> <00:00:00.500><c>R&amp;D</c> <00:00:00.900><c>team!</c> <00:00:01.200><c>我们</c><00:00:02.000><c>学习。</c>
    ");
    assert_snapshot!(render(&transcript, Format::Lrc, &layout), @r"[00:00.00]<00:00.00>Hello, <00:00.50>R&D <00:00.90>team! <00:01.20>我们<00:02.00>学习。");
    let cut = Layout { max_seconds: Some(1.0), ..layout };
    assert_snapshot!(render(&transcript, Format::Vtt, &cut), @r"
    WEBVTT

    00:00:00.000 --> 00:00:00.901
    <c>Hello,</c> <00:00:00.500><c>R&amp;D</c> <00:00:00.900><c>team!</c>

    00:00:01.200 --> 00:00:01.600
    <c>我们</c>

    00:00:02.000 --> 00:00:02.500
    <c>学习。</c>
    ");
    // Words that do not spell the text mark nothing.
    let mut other = transcript.clone();
    other.segments[0].words.pop();
    assert_eq!(render(&other, Format::Vtt, &layout), file(&other, Format::Vtt));
}

#[test]
fn a_cue_that_is_too_fast_stays_into_the_silence() {
    let segment = |start, end, text: &str| Segment { start, end, text: text.to_owned(), ..Segment::default() };
    let segments = vec![
        segment(0.0, 1.0, "twenty characters...."),
        segment(1.5, 2.0, "twenty characters..."),
        segment(8.0, 8.1, "twenty characters..."),
    ];
    let transcript = Transcript { segments, duration: 9.0, ..Transcript::default() };
    let ends = |layout: Layout| cues(&transcript, &layout).iter().map(|cue| cue.end).collect::<Vec<_>>();
    let slow = Layout { max_cps: Some(10.0), ..Layout::default() };
    assert_eq!(ends(Layout::default()), [1000, 2000, 8100]);
    assert_eq!(ends(slow), [1500, 3500, 9000]);
    assert_eq!(ends(Layout { max_seconds: Some(1.2), ..slow })[1], 2700);
}

#[test]
fn nonsense_is_laid_out_without_harm() {
    let layout =
        Layout { max_chars: Some(8), max_seconds: Some(1.0), max_cps: Some(5.0), words: true, max_lines: None };
    let segment = |start, end, text: &str| Segment { start, end, text: text.to_owned(), ..Segment::default() };
    let segments = vec![
        segment(f64::NAN, f64::INFINITY, "a b c"),
        segment(5.0, 1.0, "one two three four five six"),
        segment(5.0, 5.0, &"啊".repeat(20_000)),
        segment(3.0, 4.0, "\u{200d}\u{301} \u{200e}x"),
    ];
    let transcript = Transcript { segments, ..Transcript::default() };
    for format in Format::ALL {
        assert!(!render(&transcript, *format, &layout).is_empty());
    }
    let cues = cues(&transcript, &layout);
    assert!(cues.windows(2).all(|pair| pair[0].end <= pair[1].start && pair[0].start < pair[0].end));
}

#[test]
fn ranges_are_kept() {
    Layout { max_chars: Some(200), max_lines: Some(6), max_seconds: Some(60.0), max_cps: Some(1.0), words: true }
        .check()
        .unwrap();
    let no = Layout::default();
    for (layout, field) in [
        (Layout { max_chars: Some(7), ..no }, "max_chars"),
        (Layout { max_lines: Some(0), ..no }, "max_lines"),
        (Layout { max_seconds: Some(f64::NAN), ..no }, "max_seconds"),
        (Layout { max_cps: Some(101.0), ..no }, "max_cps"),
    ] {
        let error = layout.check().unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (Code::InvalidValue, Some(field)));
        assert!(error.detail.contains("number from"), "{}", error.detail);
    }
}
