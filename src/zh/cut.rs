//! A converted text, cut along the words that the text had before.

/// The words with the characters of `text` in place of their own, one for one; their blanks stay. None when the text has
/// another number of characters than the words.
pub(super) fn along<'a>(text: &str, words: impl Iterator<Item = &'a str> + Clone) -> Option<Vec<String>> {
    let count = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
    if words.clone().map(count).sum::<usize>() != count(text) {
        return None;
    }
    let mut new = text.chars().filter(|c| !c.is_whitespace());
    let mut next = |old: char| if old.is_whitespace() { old } else { new.next().unwrap_or(old) };
    Some(words.map(|word| word.chars().map(&mut next).collect()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_go_one_for_one_and_blanks_stay() {
        for (text, words, expected) in [
            ("頭髮,OK。", &["头发", ",", " OK。"][..], Some(&["頭髮", ",", " OK。"][..])),
            (" 我 在 ", &["我在"], Some(&["我在"])),
            ("頭髮", &["头"], None),
            ("頭", &["头", "发"], None),
            ("", &[], Some(&[])),
        ] {
            let cut = along(text, words.iter().copied());
            assert_eq!(
                cut.as_deref(),
                expected.map(|words| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>()).as_deref()
            );
        }
    }
}
