//! Where a line may end, and where it should.

use unicode_width::UnicodeWidthChar;

/// How good it is to go on to the next line or cue here, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rest {
    /// After a sentence.
    Sentence,
    /// After a part of one.
    Clause,
    /// Anywhere else.
    Word,
}

/// What closes: it never begins a line.
const CLOSING: &str = "、。，．・：；？！）」』】〉》〕］｝”’…‥％‰℃ー々〻,.!?:;)]}%»›，。、؟،。";
/// Small kana do not begin a line either.
const SMALL: &str = "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ";
/// What opens: it never ends a line.
const OPENING: &str = "（「『【〈《〔［｛“‘([{«‹¿¡";

/// Whether there may be a break between two characters that stand next to each other or have a blank between them.
pub(super) fn may_break(before: char, after: char, is_blank: bool) -> bool {
    // Marks, joiners and selectors belong to what stands before them, and a joiner takes in what comes after it.
    let is_joined = |c: char| c == '\u{200d}' || c.width() == Some(0);
    let is_kept = CLOSING.contains(after)
        || SMALL.contains(after)
        || OPENING.contains(before)
        || is_joined(after)
        || before == '\u{200d}';
    !is_kept && (is_blank || is_cjk(before) || is_cjk(after))
}

/// Whether lines may be broken on both sides of this character without a blank: Chinese and Japanese, not Korean, which
/// has blanks.
pub(super) fn is_cjk(character: char) -> bool {
    matches!(character,
        '\u{2e80}'..='\u{312f}' | '\u{3190}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}')
}

/// What ends with this text.
pub(super) fn rest_after(text: &str) -> Rest {
    let is_wrapping = |c: char| "\"'”’）」』】〉》)]}»›".contains(c);
    match text.trim_end_matches(is_wrapping).chars().next_back() {
        Some('.' | '!' | '?' | '…' | '。' | '！' | '？' | '．' | '؟' | '।') => Rest::Sentence,
        Some(',' | ';' | ':' | '，' | '、' | '；' | '：' | '،' | '—' | '–') => Rest::Clause,
        _ => Rest::Word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stay_with_what_they_belong_to() {
        for (before, after, is_blank, expected) in [
            ('a', 'b', true, true),
            ('a', 'b', false, false),
            ('我', '们', false, true),
            ('我', 'a', false, true),
            ('a', '我', false, true),
            ('我', '。', false, false),
            ('「', '我', false, false),
            ('我', '「', false, true),
            ('。', '我', false, true),
            ('キ', 'ャ', false, false),
            ('か', '\u{3099}', false, false),
            ('ば', 'ー', false, false),
            ('한', '국', false, false),
            ('국', '어', true, true),
            ('t', '!', true, false),
            ('(', 'x', true, false),
            ('\u{200d}', '🚀', false, false),
            ('葛', '\u{e0100}', false, false),
        ] {
            assert_eq!(may_break(before, after, is_blank), expected, "{before:?} {after:?} {is_blank}");
        }
    }

    #[test]
    fn sentences_and_their_parts_end() {
        for (text, expected) in [
            ("well.", Rest::Sentence),
            ("好。」", Rest::Sentence),
            ("\"Why?\")", Rest::Sentence),
            ("but,", Rest::Clause),
            ("但是，", Rest::Clause),
            ("word", Rest::Word),
            ("\"", Rest::Word),
            ("", Rest::Word),
        ] {
            assert_eq!(rest_after(text), expected, "{text}");
        }
    }
}
