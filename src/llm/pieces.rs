//! Cutting a long text into parts, at ends of sentences where that can be.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::tokens::estimate;

/// Puts units of these sizes into parts of at most `max`, each unit in one part at least, in order. A part begins with as
/// many of the units before it as have at most `overlap` together. A unit that is larger than `max` is a part by itself.
pub(super) fn pack(sizes: &[usize], max: usize, overlap: usize) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut next = 0;
    while next < sizes.len() {
        let (mut start, mut size) = (next, sizes[next]);
        let earliest = parts.last().map_or(next, |part| part.start + 1);
        // What is repeated must leave room for what is new.
        let mut repeated = 0;
        while start > earliest && repeated + sizes[start - 1] <= overlap && size + sizes[start - 1] <= max {
            start -= 1;
            repeated += sizes[start];
            size += sizes[start];
        }
        next += 1;
        while next < sizes.len() && size + sizes[next] <= max {
            size += sizes[next];
            next += 1;
        }
        parts.push(start..next);
    }
    parts
}

/// Cuts a text into parts of at most `max` estimated tokens that repeat at most `overlap` of the part before. Nothing is
/// left out, and no character is cut.
pub(super) fn split(text: &str, max: usize, overlap: usize) -> Vec<&str> {
    let units = units(text, max.max(1));
    let sizes: Vec<usize> = units.iter().map(|unit| estimate(&text[unit.clone()])).collect();
    let range = |part: Range<usize>| units[part.start].start..units[part.end - 1].end;
    pack(&sizes, max, overlap).into_iter().map(|part| &text[range(part)]).collect()
}

/// Sentences; where one is too long, its words; where a word is too long, its characters as people see them, or at last
/// as Unicode has them.
fn units(text: &str, max: usize) -> Vec<Range<usize>> {
    let mut units = Vec::new();
    for (start, sentence) in text.split_sentence_bound_indices() {
        if estimate(sentence) <= max {
            units.push(start..start + sentence.len());
            continue;
        }
        for (at, word) in sentence.split_word_bound_indices() {
            let start = start + at;
            if estimate(word) <= max {
                units.push(start..start + word.len());
            } else {
                for (at, grapheme) in word.grapheme_indices(true) {
                    let start = start + at;
                    match estimate(grapheme) <= max {
                        true => units.push(start..start + grapheme.len()),
                        false => {
                            units.extend(grapheme.char_indices().map(|(at, c)| start + at..start + at + c.len_utf8()))
                        }
                    }
                }
            }
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_are_cut_at_sentences() {
        let text = "One is here. Two is there! Three is nowhere? 四在这里。五在那里。";
        let parts = split(text, 12, 0);
        assert_eq!(parts, ["One is here. Two is there! ", "Three is nowhere? ", "四在这里。", "五在那里。"]);
        assert_eq!(split(text, 12, 6)[1], "Two is there! Three is nowhere? ");
        assert_eq!(split(text, 1000, 100), [text]);
        assert_eq!(split("", 10, 2), Vec::<&str>::new());
    }

    #[test]
    fn a_hundred_thousand_sentences_are_quick() {
        let text = "It is what it is. ".repeat(100_000);
        assert!(split(&text, 2000, 100).len() > 200);
    }

    proptest! {
        /// All is covered in order, parts overlap by what was asked for at most, and fit unless a single unit does not.
        #[test]
        fn parts_cover_everything(sizes in proptest::collection::vec(1usize..50, 0..80), max in 1usize..100, overlap in 0usize..60) {
            let parts = pack(&sizes, max, overlap);
            let mut covered = 0;
            for (at, part) in parts.iter().enumerate() {
                let size: usize = sizes[part.clone()].iter().sum();
                prop_assert!(part.start <= covered && part.end > covered, "{parts:?}");
                prop_assert!(size <= max || part.len() == 1, "{parts:?}");
                let repeated: usize = sizes[part.start..covered].iter().sum();
                prop_assert!(repeated <= overlap);
                // It repeats as much as it may: one more would be too much, or no room, or all of the part before.
                if at > 0 && part.start > parts[at - 1].start + 1 {
                    let new = sizes[covered];
                    let more = sizes[part.start - 1];
                    prop_assert!(repeated + more > overlap || new + repeated + more > max);
                }
                covered = part.end;
            }
            prop_assert_eq!(covered, sizes.len());
        }

        #[test]
        fn any_text_is_cut_without_loss(text in "(\\PC|[。！\u{301}\u{1f468}\u{200d}\n]){0,300}", max in 1usize..40) {
            let parts = split(&text, max, 0);
            prop_assert_eq!(parts.concat(), text.as_str());
            for part in split(&text, max.max(3), 0) {
                prop_assert!(estimate(part) <= max.max(3), "{}", part);
            }
            for part in split(&text, max, max / 2) {
                prop_assert!(text.contains(part));
            }
        }
    }
}
