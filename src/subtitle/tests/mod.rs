//! What holds for every format; `reader` reads the files back.

mod reader;
mod round_trip;
mod snapshots;

use super::*;

#[test]
fn words_read_back() {
    for format in Format::ALL {
        assert_eq!(format.to_string().parse::<Format>().unwrap(), *format);
    }
    assert_eq!(" SRT".parse::<Format>().unwrap(), Format::Srt);
}

#[test]
fn another_word_is_refused_with_the_known_ones() {
    let error = "svt".parse::<Format>().unwrap_err();
    assert_eq!((error.code, error.field.as_deref()), (Code::InvalidValue, Some("format")));
    assert!(error.hint.ends_with("Known: json, txt, srt, vtt."), "{}", error.hint);
    assert!("".parse::<Format>().is_err());
}

#[test]
fn nothing_said_is_a_valid_file() {
    let silence = Transcript::default();
    assert_eq!(render(&silence, Format::Txt), "");
    assert_eq!(render(&silence, Format::Srt), "");
    assert_eq!(render(&silence, Format::Vtt), "WEBVTT\n");
    assert_eq!(serde_json::from_str::<Transcript>(&render(&silence, Format::Json)).unwrap(), silence);
}

#[test]
fn text_without_segments_is_still_text() {
    let transcript = Transcript { text: " One.\n\nTwo. ".into(), ..Transcript::default() };
    assert_eq!(render(&transcript, Format::Txt), "One.\nTwo.\n");
}
