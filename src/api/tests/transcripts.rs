//! Transcripts in every shape that can be asked for.

use super::{Api, tasks::complete_with};
use crate::domain::{Segment, Transcript, Word};

const PATH: &str = "/api/tasks/1/transcript";

/// A daemon with one task that has this to show.
async fn spoken() -> Api {
    let api = Api::new().await;
    let id = api.task().await;
    let word = |word: &str, start, end| Word { word: word.to_owned(), start, end, probability: 0.5 };
    let first = Segment {
        start: 0.5,
        end: 2.0,
        text: "头发干净。".to_owned(),
        words: vec![word("头发", 0.5, 1.0), word("干净。", 1.25, 2.0)],
        ..Segment::default()
    };
    let second =
        Segment { id: 1, start: 3.0, end: 4.0, text: "为什么在台湾？".to_owned(), ..Segment::default() };
    let transcript = Transcript {
        text: "头发干净。为什么在台湾？".to_owned(),
        language: "zh".to_owned(),
        duration: 5.0,
        segments: vec![first, second],
        ..Transcript::default()
    };
    complete_with(&api, id, transcript).await;
    api
}

#[tokio::test]
async fn every_format_has_its_type_and_name() {
    let api = spoken().await;
    for (format, content_type, text) in [
        ("tsv", "text/tab-separated-values", "start\tend\ttext\n500\t2000\t头发干净。\n3000\t4000\t为什么在台湾？\n"),
        ("lrc", "text/x-lrc", "[00:00.50]头发干净。\n[00:03.00]为什么在台湾？\n"),
        ("md", "text/markdown", "**[00:00:00]** 头发干净。\n\n**[00:00:03]** 为什么在台湾？\n"),
        ("txt", "text/plain", "头发干净。\n为什么在台湾？\n"),
    ] {
        let answer = api.get(&format!("{PATH}?format={format}")).await;
        assert_eq!(answer.text(), text, "{format}");
        assert_eq!(answer.header("content-type"), format!("{content_type}; charset=utf-8"));
        assert_eq!(answer.header("content-disposition"), format!("inline; filename=\"task-1.{format}\""));
    }
}

#[tokio::test]
async fn chinese_comes_in_the_script_that_is_asked_for() {
    let api = spoken().await;
    for (zh, text) in [
        ("none", "头发干净。为什么在台湾？"),
        ("hans", "头发干净。为什么在台湾？"),
        ("hant", "頭髮乾淨。爲什麼在臺灣？"),
        ("tw", "頭髮乾淨。為什麼在臺灣？"),
        ("HK", "頭髮乾淨。為什麼在台灣？"),
    ] {
        let transcript = api.get(&format!("{PATH}?zh={zh}")).await.json();
        assert_eq!(transcript["text"], text, "{zh}");
        let shown: String = ["0", "1"]
            .map(|at| transcript["segments"][at.parse::<usize>().unwrap()]["text"].as_str().unwrap())
            .concat();
        assert_eq!(shown, text, "{zh}");
    }
    let transcript = api.get(&format!("{PATH}?zh=tw")).await.json();
    assert_eq!(transcript["segments"][0]["words"][1]["word"], "乾淨。");
    let srt = api.get(&format!("{PATH}?format=srt&zh=tw")).await.text();
    assert!(srt.starts_with("1\n00:00:00,500 --> 00:00:02,000\n頭髮乾淨。\n\n2\n"), "{srt}");
    assert_eq!(api.get(PATH).await.json()["text"], "头发干净。为什么在台湾？");
}

#[tokio::test]
async fn cues_are_laid_out_as_asked() {
    let api = spoken().await;
    let marked = api.get(&format!("{PATH}?format=vtt&words=true&max_seconds=1&zh=hant")).await.text();
    let shown = "WEBVTT\n\n00:00:00.500 --> 00:00:01.000\n<c>頭髮</c>\n\n00:00:01.250 --> 00:00:02.000\n<c>乾淨。</c>\n\n\
                 00:00:03.000 --> 00:00:04.000\n爲什麼在臺灣？\n";
    assert_eq!(marked, shown);
    let narrow = api.get(&format!("{PATH}?format=tsv&max_chars=8&max_lines=1&max_cps=4")).await.text();
    // The last one takes a second to read and has it, because the audio goes on; the one before it has no time.
    assert_eq!(
        narrow,
        "start\tend\ttext\n500\t1000\t头发\n1250\t2000\t干净。\n3000\t3428\t为什么\n3428\t4428\t在台湾？\n"
    );
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_told() {
    let api = spoken().await;
    for (query, field) in [
        ("zh=klingon", "zh"),
        ("max_chars=7", "max_chars"),
        ("max_chars=201", "max_chars"),
        ("max_chars=-1", "max_chars"),
        ("max_chars=many", "max_chars"),
        ("max_lines=0", "max_lines"),
        ("max_lines=1.5", "max_lines"),
        ("max_seconds=0.4", "max_seconds"),
        ("max_seconds=NaN", "max_seconds"),
        ("max_cps=101", "max_cps"),
        ("words=maybe", "words"),
    ] {
        let problem = api.get(&format!("{PATH}?{query}")).await.problem(422, "invalid_value");
        assert_eq!(problem["field"], field, "{problem}");
    }
    let problem = api.get(&format!("{PATH}?max_char=42")).await.problem(422, "unknown_field");
    assert_eq!(problem["hint"], "Did you mean \"max_chars\"?");
}
