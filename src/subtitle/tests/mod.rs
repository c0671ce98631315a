//! What holds for every format; `reader` reads the files back.

mod laid_out;
mod reader;
mod round_trip;
mod snapshots;

use super::*;

/// The file as it is when nobody asks for a layout.
fn file(transcript: &Transcript, format: Format) -> String {
    render(transcript, format, &Layout::default())
}

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
    assert!(error.hint.ends_with("Known: json, txt, srt, vtt, tsv, lrc, md."), "{}", error.hint);
    assert!("".parse::<Format>().is_err());
}

#[test]
fn nothing_said_is_a_valid_file() {
    let silence = Transcript::default();
    assert_eq!(file(&silence, Format::Txt), "");
    assert_eq!(file(&silence, Format::Srt), "");
    assert_eq!(file(&silence, Format::Vtt), "WEBVTT\n");
    assert_eq!(file(&silence, Format::Tsv), "start\tend\ttext\n");
    assert_eq!(file(&silence, Format::Lrc), "");
    assert_eq!(file(&silence, Format::Md), "");
    assert_eq!(serde_json::from_str::<Transcript>(&file(&silence, Format::Json)).unwrap(), silence);
}

#[test]
fn text_without_segments_is_still_text() {
    let transcript = Transcript { text: " One.\n\nTwo. ".into(), ..Transcript::default() };
    assert_eq!(file(&transcript, Format::Txt), "One.\nTwo.\n");
    assert_eq!(file(&transcript, Format::Md), "**[00:00:00]** One. Two.\n");
}
