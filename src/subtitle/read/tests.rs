use proptest::prelude::*;

use super::*;
use crate::{
    domain::{Segment, Transcript},
    subtitle::{Format, Layout, render},
};

fn lines_of(file: &str) -> Vec<(u64, u64, String)> {
    read(file.as_bytes()).unwrap().into_iter().map(|line| (line.start, line.end, line.text)).collect()
}

fn line(start: u64, end: u64, text: &str) -> (u64, u64, String) {
    (start, end, text.to_owned())
}

#[test]
fn tiktoks_own_file_is_read() {
    assert_eq!(
        lines_of(include_str!("../../../crawlers/fixtures/tiktok/sub_eng.vtt")),
        [line(80, 2_440, "here is how I plan my week"), line(2_440, 5_000, "in about ten minutes")]
    );
}

#[test]
fn webvtt_is_read_with_all_that_it_may_hold() {
    let file = "\u{feff}WEBVTT - a title\r\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\r\n\r\nSTYLE\r\n::cue { color: red }\r\n\r\n\
                NOTE no words\r\n\r\nREGION\r\nid:a\r\n\r\nname of a cue\r\n00:01.000 --> 00:02.500 align:start position:0%\r\n\
                <v Ann>Tom &amp; I</v>\r\n\r\n00:00:03.000 --> 01:00:00.000\r\n你好，\r\n<b>世界</b>\r\n\r\n00:09.000 --> 00:10.000\r\n&nbsp;\r\n";
    assert_eq!(lines_of(file), [line(1_000, 2_500, "Tom & I"), line(3_000, 3_600_000, "你好，世界")]);
}

#[test]
fn subrip_is_read_with_its_usual_faults() {
    let file = "1\n00:00:05,000 --> 00:00:06,000\n<i>Second</i>\n2\n00:00:01,000 --> 00:00:09,000\nFirst\nin two lines\n\n\
                3\n00:00:07,000 --> 00:00:06,500\n{\\an8}Ends too early\n\n4\nno time\n\n5\n00:00:08,000 --> 00:00:09,000\n\n";
    assert_eq!(
        lines_of(file),
        [line(1_000, 5_000, "First in two lines"), line(5_000, 6_000, "Second"), line(7_000, 7_000, "Ends too early")]
    );
}

#[test]
fn captions_that_roll_up_are_said_once() {
    let file = "WEBVTT\n\n00:00.000 --> 00:02.000\n \nso today\n\n00:02.000 --> 00:02.010\nso today\n \n\n\
                00:02.010 --> 00:04.000\nso today\nwe<00:03.000><c> bake</c>\n\n00:05.000 --> 00:06.000\nla la\n\n00:06.000 --> 00:07.000\nla la\n";
    let texts: Vec<String> = lines_of(file).into_iter().map(|(.., text)| text).collect();
    assert_eq!(texts, ["so today", "we bake", "la la", "la la"]);
}

#[test]
fn both_kinds_of_json_are_read() {
    let tiktok = r#"{"utterances":[{"start_time":120,"end_time":1500,"text":"hello"},{"start_time":1500,"end_time":1600,"text":" "},
                     {"start_time":"1600","end_time":2000,"text":"again"},{"text":"no time"},7]}"#;
    assert_eq!(lines_of(tiktok), [line(120, 1_500, "hello"), line(1_600, 2_000, "again")]);
    let podcast = r#"{"version":"1.0.0","segments":[{"speaker":"Ann","startTime":0.5,"endTime":0.75,"body":"Hi <b>"},
                      {"startTime":2,"body":"Bye"}]}"#;
    assert_eq!(lines_of(podcast), [line(500, 750, "Hi <b>"), line(2_000, 2_000, "Bye")]);
    let whisper = r#"{"text":"x","segments":[{"start":1.25,"end":2.5,"text":" One."}]}"#;
    assert_eq!(lines_of(whisper), [line(1_250, 2_500, "One.")]);
}

#[test]
fn what_holds_no_words_is_refused() {
    for file in
        ["", "WEBVTT", "{}", "[]", "{\"segments\":{}}", "<html>", "#EXTM3U\n#EXTINF:4,\n0.vtt", "{\"utterances\":[{}]}"]
    {
        assert_eq!(read(file.as_bytes()).unwrap_err().code, Code::UnsupportedFormat, "{file}");
    }
}

/// Fragments of which files are made, and broken.
const PIECES: [&str; 22] = [
    "WEBVTT",
    "\n",
    "\n\n",
    "\r",
    "00:01.000",
    "00:00:01,5",
    " --> ",
    "99999999999:00:00",
    "<",
    ">",
    "<v ",
    "&amp;",
    "&#x0;",
    "{\\",
    "}",
    "{\"utterances\":[",
    "{\"start_time\":1e400,\"text\":\"a\"}",
    "]}",
    "words",
    "你好",
    "7",
    "\u{202e}",
];

proptest! {
    #[test]
    fn nothing_breaks_the_reader(pieces in proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..40), noise in ".{0,20}") {
        let file = pieces.concat() + &noise;
        for line in read(file.as_bytes()).unwrap_or_default() {
            prop_assert!(line.start <= line.end && !line.text.trim().is_empty() && !line.text.contains(['\n', '\r']), "{line:?}");
        }
    }

    /// What our own writers write reads back.
    #[test]
    fn own_files_read_back(texts in proptest::collection::vec("[a-zA-Z<>&;{}' .,!]{0,12}[a-zA-Z]", 1..12), step in 21u64..5_000) {
        let at = |index: usize| (index as u64 * step) as f64 / 1000.0;
        let segment = |(index, text): (usize, &String)| {
            Segment { id: index, start: at(index), end: at(index + 1), text: text.trim().to_owned(), ..Segment::default() }
        };
        let segments: Vec<Segment> = texts.iter().enumerate().map(segment).collect();
        let expected: Vec<String> = segments.iter().map(|segment| segment.text.clone()).collect();
        let transcript = Transcript { segments, ..Transcript::default() };
        let back = |format| -> Vec<String> {
            let file = render(&transcript, format, &Layout::default());
            read(file.as_bytes()).unwrap().into_iter().map(|line| line.text).collect()
        };
        prop_assert_eq!(&back(Format::Vtt), &expected);
        if !expected.iter().any(|text| text.contains(['<', '{'])) {
            prop_assert_eq!(&back(Format::Srt), &expected);
        }
    }
}
