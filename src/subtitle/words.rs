//! Which word a character of a text belongs to.

use super::{
    cue::{Line, lines},
    time::millis,
};
use crate::domain::Word;

/// For each character that is no blank, the index of its word.
pub(super) struct Owners(Vec<usize>);

impl Owners {
    /// None when the words do not have as many characters as the text: then nobody knows.
    pub(super) fn of(text: &str, words: &[Word]) -> Option<Self> {
        let length = |word: &Word| lines(&word.word).iter().map(|line| count(&line.text)).sum::<usize>();
        let owners: Vec<usize> =
            words.iter().enumerate().flat_map(|(index, word)| std::iter::repeat_n(index, length(word))).collect();
        (!owners.is_empty() && owners.len() == count(text)).then_some(Self(owners))
    }

    /// The word of a character.
    pub(super) fn word(&self, index: usize) -> usize {
        self.0[index]
    }

    /// Whether a word begins with this character.
    pub(super) fn starts(&self, index: usize) -> bool {
        index == 0 || self.0[index] != self.0[index - 1]
    }
}

/// Notes in each line where words begin, if the words spell the lines.
pub(super) fn mark(lines: &mut [Line], words: &[Word]) {
    let text: String = lines.iter().map(|line| line.text.as_str()).collect();
    let Some(owners) = Owners::of(&text, words) else { return };
    let mut index = 0;
    for line in lines {
        for (place, character) in line.text.char_indices() {
            if character.is_whitespace() {
                continue;
            }
            if owners.starts(index) {
                line.words.push((place, millis(words[owners.word(index)].start)));
            }
            index += 1;
        }
    }
}

fn count(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}
