//! Text as what is looked for in it: words, and pairs of characters where no spaces stand between words. Pure.
//!
//! A database's own word splitter takes a Chinese sentence for one word. Pairs let any part of it be found, at a fraction
//! of the room that every three letters of every text would take.

/// A run of text that is looked for: its tokens stand side by side, and the last one may go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Phrase {
    /// Letters and digits only.
    pub tokens: Vec<String>,
    /// Whether the last token is only the beginning of one.
    pub open: bool,
}

/// What is kept of a text for the search.
pub(super) fn grams(text: &str) -> String {
    let mut tokens = Vec::new();
    for run in runs(text) {
        match run {
            Run::Word(word) => tokens.push(word),
            Run::Dense(chars) => {
                tokens.extend(chars.windows(2).map(String::from_iter));
                // Every character begins a token, so one of them can be looked for by itself.
                tokens.extend(chars.last().map(char::to_string));
            }
        }
    }
    tokens.join(" ")
}

/// What is to be looked for when a person wrote this; none when there are only marks. Nothing of it has a meaning of its
/// own.
pub(super) fn phrase(part: &str) -> Option<Phrase> {
    let mut runs = runs(part).peekable();
    let mut phrase = Phrase { tokens: Vec::new(), open: false };
    while let Some(run) = runs.next() {
        let is_last = runs.peek().is_none();
        match run {
            Run::Word(word) => {
                phrase.tokens.push(word);
                phrase.open = true;
            }
            Run::Dense(chars) => {
                phrase.tokens.extend(chars.windows(2).map(String::from_iter));
                // The text may go on after the last character that is looked for.
                if !is_last || chars.len() == 1 {
                    phrase.tokens.extend(chars.last().map(char::to_string));
                }
                phrase.open = chars.len() == 1;
            }
        }
    }
    (!phrase.tokens.is_empty()).then_some(phrase)
}

enum Run {
    Word(String),
    Dense(Vec<char>),
}

/// The words of a text in lower case, and its runs of characters that have no spaces between words.
fn runs(text: &str) -> impl Iterator<Item = Run> {
    let mut rest = text.chars().flat_map(fold).peekable();
    std::iter::from_fn(move || {
        while rest.next_if(|c| !c.is_alphanumeric()).is_some() {}
        let dense = is_dense(*rest.peek()?);
        let run: Vec<char> =
            std::iter::from_fn(|| rest.next_if(|c| c.is_alphanumeric() && is_dense(*c) == dense)).collect();
        Some(if dense { Run::Dense(run) } else { Run::Word(run.into_iter().collect()) })
    })
}

/// In lower case, and full-width letters as plain ones.
fn fold(c: char) -> impl Iterator<Item = char> {
    let plain = match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        _ => c,
    };
    plain.to_lowercase()
}

/// Whether a character belongs to a script that puts no spaces between words, or joins them to others: Chinese, Japanese,
/// Korean, Thai, Lao, Burmese, Khmer.
fn is_dense(c: char) -> bool {
    matches!(c, '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{1100}'..='\u{11FF}'
        | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30FF}' | '\u{3100}'..='\u{31FF}' | '\u{3400}'..='\u{9FFF}'
        | '\u{AC00}'..='\u{D7AF}' | '\u{F900}'..='\u{FAFF}' | '\u{FF66}'..='\u{FF9F}' | '\u{20000}'..='\u{3FFFF}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn phrases(q: &str) -> Vec<Phrase> {
        q.split_whitespace().filter_map(phrase).collect()
    }

    fn open(tokens: &[&str]) -> Phrase {
        Phrase { tokens: tokens.iter().map(|token| (*token).to_owned()).collect(), open: true }
    }

    fn whole(tokens: &[&str]) -> Phrase {
        Phrase { open: false, ..open(tokens) }
    }

    #[test]
    fn words_and_pairs() {
        assert_eq!(grams("Hello, GPU-World!"), "hello gpu world");
        assert_eq!(grams("头发干净。用GPU跑"), "头发 发干 干净 净 用 gpu 跑");
        assert_eq!(grams("ＡＢ１２ — ***"), "ab12");
        assert_eq!(grams(""), "");
    }

    #[test]
    fn what_is_looked_for_may_go_on() {
        assert_eq!(phrases("Hel  wor"), [open(&["hel"]), open(&["wor"])]);
        assert_eq!(phrases("a.example/x"), [open(&["a", "example", "x"])]);
        assert_eq!(phrases("头"), [open(&["头"])]);
        assert_eq!(phrases("头发"), [whole(&["头发"])]);
        assert_eq!(phrases("头发干"), [whole(&["头发", "发干"])]);
        assert_eq!(phrases("使用GPU跑步"), [whole(&["使用", "用", "gpu", "跑步"])]);
        assert_eq!(phrases("\"NEAR(a b)\" *"), [open(&["near", "a"]), open(&["b"])]);
        assert_eq!(phrases("* \" - ()"), []);
    }

    /// Whether the phrase stands in the tokens of a text.
    fn stands_in(phrase: &Phrase, text: &str) -> bool {
        let grams = grams(text);
        let tokens: Vec<&str> = grams.split(' ').collect();
        let (last, first) = phrase.tokens.split_last().unwrap();
        tokens.windows(phrase.tokens.len()).any(|window| {
            let (end, begin) = window.split_last().unwrap();
            begin == first && if phrase.open { end.starts_with(last.as_str()) } else { end == last }
        })
    }

    proptest! {
        #[test]
        fn tokens_are_letters_and_digits(text in "\\PC{0,60}|[\"*(){}:^+ -]{0,20}") {
            for phrase in phrases(&text) {
                prop_assert!(phrase.tokens.iter().all(|token| !token.is_empty() && token.chars().all(char::is_alphanumeric)));
            }
        }

        #[test]
        fn every_part_of_a_dense_text_is_found(text in "[一-丟]{1,12}", from in 0usize..12, count in 1usize..12) {
            let chars: Vec<char> = text.chars().collect();
            let from = from % chars.len();
            let part: String = chars[from..chars.len().min(from + count)].iter().collect();
            prop_assert!(stands_in(&phrases(&part)[0], &text), "{part} in {text}");
        }

        #[test]
        fn a_text_is_found_by_its_beginning(text in "[a-c一二三, .]{0,12}[a-c一二三]{1,6}", count in 1usize..18) {
            let part: String = text.chars().take(count).filter(|c| !c.is_whitespace()).collect();
            let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            for phrase in phrases(&part) {
                prop_assert!(stands_in(&phrase, &bare), "{part} in {bare}");
            }
        }
    }
}
