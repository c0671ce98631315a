//! How sure the model is, word by word. A transcript keeps no tokens with their probabilities; a word's is the mean of its
//! tokens', and the words with the blanks before them are the text.

use poem_openapi::Object;

use super::views::plain;
use crate::domain::Word;

/// The least probability that is told: a logarithm has no number for 0.
const LEAST: f32 = 1e-6;

/// How sure the model is of a word. / 词的对数概率。
#[derive(Debug, Object)]
#[oai(rename = "OpenAiLogprob")]
pub(super) struct Logprob {
    /// The word, with what stands before it since the last one. All of them together are the text.
    token: String,
    /// The natural logarithm of the word's probability.
    logprob: f64,
    /// The bytes of `token`.
    bytes: Vec<u8>,
}

/// One for each word that is found in the text; none when there are no words.
pub(super) fn logprobs(text: &str, words: &[&Word]) -> Vec<Logprob> {
    let mut found: Vec<(usize, usize, f32)> = Vec::new();
    let mut at = 0;
    for word in words {
        // A word that is not there (in a text that was rewritten) is told with the next one.
        if let Some(begin) = text[at..].find(&word.word) {
            let end = at + begin + word.word.len();
            found.push((at, end, word.probability));
            at = end;
        }
    }
    if let Some(last) = found.last_mut() {
        last.1 = text.len();
    }
    found.into_iter().map(|(from, to, probability)| Logprob::new(&text[from..to], probability)).collect()
}

impl Logprob {
    fn new(token: &str, probability: f32) -> Self {
        Self {
            token: token.to_owned(),
            logprob: plain(probability.clamp(LEAST, 1.0).ln()),
            bytes: token.as_bytes().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, words: &[(&str, f32)]) -> Vec<(String, f64)> {
        let words: Vec<Word> = words
            .iter()
            .map(|(word, probability)| Word { word: (*word).to_owned(), probability: *probability, ..Word::default() })
            .collect();
        logprobs(text, &words.iter().collect::<Vec<_>>()).into_iter().map(|each| (each.token, each.logprob)).collect()
    }

    #[test]
    fn the_tokens_are_the_text() {
        let found = of(" One two. 三四", &[("One", 1.0), ("two.", 0.5), ("三", 0.0), ("四", 0.25)]);
        let tokens: String = found.iter().map(|(token, _)| token.as_str()).collect();
        assert_eq!((tokens.as_str(), found[1].0.as_str()), (" One two. 三四", " two."));
        assert_eq!(found[0].1, 0.0);
        assert!((found[1].1 - 0.5f64.ln()).abs() < 1e-6 && found[2].1 < -13.0 && found[2].1.is_finite());
        assert_eq!(of("A tail!", &[("A", 1.0)])[0].0, "A tail!");
        assert_eq!(of("A b c", &[("A", 1.0), ("x", 1.0), ("c", 1.0)]).len(), 2);
        assert!(of("text", &[]).is_empty());
    }
}
