//! The guard against loops inside a segment: a phrase that comes again and again is kept once. Pure.

use std::ops::Range;

use crate::{domain::Segment, transcribe::text::is_unspaced};

/// As often in a row is a loop: a phrase, and a single word or sign, which people do repeat.
const PHRASE: usize = 5;
const WORD: usize = 10;
/// The most words or signs of a phrase.
const LONGEST: usize = 16;

/// Takes repetitions out of a segment's text and words; gives each phrase with the number of times it was there.
pub(super) fn collapse(segment: &mut Segment) -> Vec<(String, usize)> {
    let text = &segment.text;
    let units = units(text);
    let keys: Vec<String> = units.iter().map(|unit| key(&text[unit.clone()])).collect();
    let (mut cuts, mut found) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < units.len() {
        let Some((length, times)) = repetition(&keys[at..]) else {
            at += 1;
            continue;
        };
        let end = |unit: usize| units[unit - 1].end;
        cuts.push(end(at + length)..end(at + length * times));
        found.push((text[units[at].start..end(at + length)].to_owned(), times));
        at += length * times;
    }
    if cuts.is_empty() {
        return found;
    }
    // The same cuts, counted in characters that are no blanks: words have none around them. Cuts are in order, so text
    // and words are gone through once.
    let ink = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
    let (mut kept, mut inked) = (String::with_capacity(text.len()), Vec::with_capacity(cuts.len()));
    let (mut done, mut place) = (0, 0);
    for cut in cuts {
        kept.push_str(&text[done..cut.start]);
        let start = place + ink(&text[done..cut.start]);
        place = start + ink(&text[cut.clone()]);
        inked.push(start..place);
        done = cut.end;
    }
    kept.push_str(&text[done..]);
    let (mut cut, mut place) = (0, 0);
    segment.words.retain(|word| {
        while inked.get(cut).is_some_and(|range: &Range<usize>| range.end <= place) {
            cut += 1;
        }
        let is_cut = inked.get(cut).is_some_and(|range| range.contains(&place));
        place += ink(&word.word);
        !is_cut
    });
    segment.text = kept;
    found
}

/// Words, and signs of scripts without blanks.
fn units(text: &str) -> Vec<Range<usize>> {
    let mut units: Vec<Range<usize>> = Vec::new();
    let mut is_open = false;
    for (at, c) in text.char_indices() {
        let whole = at..at + c.len_utf8();
        if c.is_whitespace() {
            is_open = false;
        } else if is_unspaced(c) {
            units.push(whole);
            is_open = false;
        } else if let Some(last) = units.last_mut().filter(|_| is_open) {
            last.end = whole.end;
        } else {
            units.push(whole);
            is_open = true;
        }
    }
    units
}

/// What makes a unit the same as another: not its case, nor the marks around it.
fn key(unit: &str) -> String {
    let bare = unit.trim_matches(|c: char| !c.is_alphanumeric());
    if bare.is_empty() { unit.to_owned() } else { bare.to_lowercase() }
}

/// The length of the shortest phrase that the keys begin with often enough, and how often.
fn repetition(keys: &[String]) -> Option<(usize, usize)> {
    (1..=LONGEST.min(keys.len() / PHRASE)).find_map(|length| {
        let phrase = &keys[..length];
        let times = keys.chunks_exact(length).take_while(|chunk| *chunk == phrase).count();
        (times >= if length == 1 { WORD } else { PHRASE }).then_some((length, times))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Word;

    fn collapsed(text: &str) -> (String, Vec<(String, usize)>) {
        let mut segment = Segment { text: text.to_owned(), ..Segment::default() };
        let found = collapse(&mut segment);
        (segment.text, found)
    }

    #[test]
    fn a_phrase_is_kept_once() {
        let (text, found) = collapsed("Well, you know, you know, You know, you know you know, it is late.");
        assert_eq!(text, "Well, you know, it is late.");
        assert_eq!(found, [("you know,".to_owned(), 5)]);
        assert_eq!(collapsed("我们谢谢大家谢谢大家谢谢大家谢谢大家谢谢大家。").0, "我们谢谢大家。");
        assert_eq!(collapsed(&"Thank you. ".repeat(40)).1, [("Thank you.".to_owned(), 40)]);
        assert_eq!(collapsed(&"字幕，".repeat(6)).0, "字幕，");
    }

    #[test]
    fn what_people_say_stays() {
        for text in [
            "ha ha ha ha ha",
            "My number is zero zero zero zero zero zero.",
            "哈哈哈哈哈哈",
            "you know you know you know",
            "",
            "...",
            "No. No. No.",
        ] {
            assert_eq!(collapsed(text), (text.to_owned(), Vec::new()));
        }
        assert_eq!(collapsed(&"the ".repeat(10)).1.len(), 1);
        assert_eq!(collapsed(&"啊".repeat(30)).0, "啊");
    }

    #[test]
    fn words_go_with_their_text() {
        let word = |word: &str| Word { word: word.to_owned(), ..Word::default() };
        let said = ["So,", "thank", "you.", "thank", "you.", "thank", "you.", "thank", "you.", "thank", "you.", "Bye."];
        let mut segment =
            Segment { text: said.join(" "), words: said.into_iter().map(word).collect(), ..Segment::default() };
        collapse(&mut segment);
        assert_eq!(segment.text, "So, thank you. Bye.");
        assert_eq!(segment.words, ["So,", "thank", "you.", "Bye."].map(word));
    }

    /// What a hostile server may send: as many repetitions as fit. Each one cost a pass over the whole text.
    #[test]
    fn many_repetitions_cost_one_pass() {
        let loops: Vec<String> = (0..20_000).map(|n| format!("{n} ").repeat(WORD)).collect();
        let text = loops.concat();
        let word = |word: &str| Word { word: word.to_owned(), ..Word::default() };
        let words = text.split_whitespace().map(word).collect();
        let mut segment = Segment { text, words, ..Segment::default() };
        let started = std::time::Instant::now();
        assert_eq!(collapse(&mut segment).len(), 20_000);
        assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
        let kept: Vec<&str> = segment.words.iter().map(|word| word.word.as_str()).collect();
        assert_eq!((kept.len(), segment.text.split_whitespace().collect::<Vec<_>>()), (20_000, kept));
    }

    proptest! {
        #[test]
        fn nothing_but_repetitions_goes(text in "([ab]{1,2} |我|好){0,60}") {
            let (kept, found) = collapsed(&text);
            let gone: usize = found.iter().map(|(phrase, times)| {
                phrase.chars().filter(|c| !c.is_whitespace()).count() * (times - 1)
            }).sum();
            let ink = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
            prop_assert_eq!(ink(&kept) + gone, ink(&text));
            prop_assert_eq!(found.is_empty(), kept == text);
        }
    }
}
