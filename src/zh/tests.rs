use super::*;
use crate::domain::Word;

fn written(text: &str, script: Zh) -> String {
    let mut transcript = Transcript { text: text.to_owned(), language: "zh".to_owned(), ..Transcript::default() };
    convert(&mut transcript, script);
    transcript.text
}

#[test]
fn every_script_has_its_characters() {
    let spoken = "皇后的头发很干净，后面的干部在台湾里面发展，他们吃面，为什么说着话？";
    for (script, expected) in [
        (Zh::None, spoken),
        (Zh::Hans, spoken),
        (Zh::Hant, "皇后的頭髮很乾淨，後面的幹部在臺灣裏面發展，他們喫麪，爲什麼說着話？"),
        (Zh::Tw, "皇后的頭髮很乾淨，後面的幹部在臺灣裡面發展，他們吃麵，為什麼說著話？"),
        (Zh::Hk, "皇后的頭髮很乾淨，後面的幹部在台灣裏面發展，他們吃麪，為什麼説着話？"),
    ] {
        assert_eq!(written(spoken, script), expected, "{script:?}");
        // A 著 can be right in both scripts (显著), so it is left as it is.
        assert_eq!(written(expected, Zh::Hans).replace('著', "着"), spoken, "{script:?}");
        assert_eq!(written(expected, script), expected, "{script:?} is not stable");
    }
}

#[test]
fn words_stay_those_that_were_spoken() {
    assert_eq!(written("软件和出租车", Zh::Tw), "軟件和出租車");
    assert_eq!(written("乾坤、饼干、能干、干杯", Zh::Tw), "乾坤、餅乾、能幹、乾杯");
    assert_eq!(written("頭髮發展", Zh::Tw), "頭髮發展");
    assert_eq!(written("OK, 3.14 <b> 👩\u{200d}🚀 \0\n", Zh::Hk), "OK, 3.14 <b> 👩\u{200d}🚀 \0\n");
}

fn segment(text: &str, words: &[&str]) -> Segment {
    let word = |word: &&str| Word { word: (*word).to_owned(), start: 1.0, end: 2.0, probability: 0.5 };
    Segment { text: text.to_owned(), words: words.iter().map(word).collect(), ..Segment::default() }
}

#[test]
fn words_are_cut_from_the_text_around_them() {
    // Alone, 发 would become 發, and 干 would become 幹.
    let mut transcript = Transcript {
        text: "头发干净。".to_owned(),
        language: "yue".to_owned(),
        segments: vec![segment("头发干净。", &["头", "发", "干", "净。"]), segment("别的话", &["理", "发"])],
        ..Transcript::default()
    };
    convert(&mut transcript, Zh::Hant);
    let words = |index: usize| -> Vec<&str> {
        transcript.segments[index].words.iter().map(|word| word.word.as_str()).collect()
    };
    assert_eq!((transcript.text.as_str(), transcript.segments[0].text.as_str()), ("頭髮乾淨。", "頭髮乾淨。"));
    assert_eq!(words(0), ["頭", "髮", "乾", "淨。"]);
    // Words that do not spell their segment are converted one by one.
    assert_eq!(words(1), ["理", "發"]);
    assert_eq!((transcript.segments[0].words[0].start, transcript.segments[0].words[0].probability), (1.0, 0.5));
}

#[test]
fn other_languages_are_left_alone() {
    for language in ["ja", "en", "ko", ""] {
        let spoken = Transcript {
            text: "国会の台".to_owned(),
            language: language.to_owned(),
            segments: vec![segment("国会の台", &["国会", "の台"])],
            ..Transcript::default()
        };
        let mut transcript = spoken.clone();
        convert(&mut transcript, Zh::Hant);
        assert_eq!(transcript, spoken, "{language}");
    }
}

#[test]
fn scripts_are_read_by_their_words() {
    for (word, script) in Zh::ALL {
        assert_eq!(read(word).unwrap(), script);
    }
    assert_eq!(read(" TW").unwrap(), Zh::Tw);
    let error = read("hnat").unwrap_err();
    assert_eq!((error.code, error.field.as_deref()), (Code::InvalidValue, Some("zh")));
    assert_eq!(error.hint, "Did you mean \"hant\"? Known: none, hans, hant, tw, hk.");
}

#[test]
fn a_text_in_no_known_language_is_told_where_a_script_was_wanted() {
    let of = |language: &str, text: &str, script| {
        let transcript = Transcript { text: text.to_owned(), language: language.to_owned(), ..Transcript::default() };
        unwritten(&transcript, script).is_some()
    };
    assert!(of("", "Hi.", Zh::Hans));
    assert!(!of("", "Hi.", Zh::None) && !of("en", "Hi.", Zh::Hans) && !of("zh", "你好", Zh::Tw) && !of("", "", Zh::Hk));
}

#[test]
fn a_word_is_looked_for_in_every_script() {
    assert_eq!(spellings("台灣"), ["台灣", "台湾", "臺灣"]);
    assert_eq!(spellings("Word"), ["Word"]);
}
