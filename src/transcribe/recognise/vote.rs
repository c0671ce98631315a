//! The language of an audio, voted over several of its windows. Pure.

use std::ops::Range;

use crate::transcribe::{engine::Probabilities, language::likeliest};

/// As many windows vote: each costs an encoder pass.
const VOTERS: usize = 3;

/// What the windows think.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Verdict {
    /// The likeliest of the languages that were allowed.
    pub language: String,
    /// Its probability.
    pub probability: f32,
    /// Every language with its probability, the likeliest first.
    pub probabilities: Probabilities,
}

impl Verdict {
    /// Of who was told the language.
    pub(super) fn given(language: &str) -> Self {
        Self { language: language.to_owned(), probability: 1.0, probabilities: Probabilities::new() }
    }
}

/// The windows that vote, given how much speech is in each: spread over the audio, and there those with most speech.
pub(super) fn voters(voiced: &[u64]) -> Vec<usize> {
    let most = |stretch: Range<usize>| stretch.max_by_key(|at| (voiced[*at], std::cmp::Reverse(*at)));
    let count = voiced.len().min(VOTERS);
    (0..count).filter_map(|third| most(voiced.len() * third / count..voiced.len() * (third + 1) / count)).collect()
}

/// The verdict over votes, each with its weight. `among` are the languages that are allowed, empty for every one. None
/// when none of them is known to the model.
pub(super) fn verdict(votes: &[(u64, Probabilities)], among: &[&str]) -> Option<Verdict> {
    let total: u64 = votes.iter().map(|(weight, _)| weight).sum();
    let mut probabilities = Probabilities::new();
    for (weight, vote) in votes {
        let share = if total == 0 { 1.0 / votes.len() as f32 } else { *weight as f32 / total as f32 };
        for (language, probability) in vote {
            match probabilities.iter_mut().find(|(known, _)| known == language) {
                Some((_, sum)) => *sum += share * probability,
                None => probabilities.push((language.clone(), share * probability)),
            }
        }
    }
    probabilities.sort_by(|a, b| b.1.total_cmp(&a.1));
    let (language, probability) = likeliest(&probabilities, among)?.clone();
    Some(Verdict { language, probability, probabilities })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vote(pairs: &[(&str, f32)]) -> Vec<(String, f32)> {
        pairs.iter().map(|(language, probability)| ((*language).to_owned(), *probability)).collect()
    }

    #[test]
    fn voters_are_spread_and_voiced() {
        assert_eq!(voters(&[5]), [0]);
        assert_eq!(voters(&[5, 0]), [0, 1]);
        assert_eq!(voters(&[1, 2, 3]), [0, 1, 2]);
        assert_eq!(voters(&[1, 9, 9, 2, 3, 4, 0, 0, 1, 0]), [1, 5, 8]);
        assert!(voters(&[]).is_empty());
    }

    #[test]
    fn votes_weigh_as_much_as_is_spoken() {
        let votes = [(30, vote(&[("zh", 0.75), ("en", 0.25)])), (10, vote(&[("en", 1.0)])), (0, vote(&[("de", 1.0)]))];
        let Verdict { language, probability, probabilities } = verdict(&votes, &[]).unwrap();
        assert_eq!((language.as_str(), probability), ("zh", 0.5625));
        assert_eq!(probabilities, vote(&[("zh", 0.5625), ("en", 0.4375), ("de", 0.0)]));
        assert_eq!(verdict(&votes, &["en", "de"]).unwrap().language, "en");
        assert_eq!(verdict(&votes, &["fr"]), None);
        assert_eq!(verdict(&[], &[]), None);
        let one = vote(&[("zh", 0.7), ("en", 0.3)]);
        assert_eq!(verdict(&[(0, one.clone())], &[]).unwrap().probabilities, one);
    }

    proptest! {
        #[test]
        fn probabilities_stay_probabilities(
            votes in prop::collection::vec((0u64..500_000, prop::collection::vec(0.0f32..1.0, 5)), 1..4),
        ) {
            let votes: Vec<_> = votes.into_iter().map(|(weight, raw)| {
                let sum = raw.iter().sum::<f32>() + 0.001;
                (weight, raw.iter().zip(["a", "b", "c", "d", "e"]).map(|(p, l)| (l.to_owned(), p / sum)).collect())
            }).collect();
            let verdict = verdict(&votes, &[]).unwrap();
            prop_assert_eq!(&verdict.probabilities[0], &(verdict.language, verdict.probability));
            prop_assert!(verdict.probabilities.is_sorted_by(|a, b| a.1 >= b.1));
            prop_assert!(verdict.probabilities.iter().map(|(_, p)| p).sum::<f32>() <= 1.001);
        }

        #[test]
        fn voters_are_in_order(voiced in prop::collection::vec(0u64..100, 0..50)) {
            let voters = voters(&voiced);
            prop_assert_eq!(voters.len(), voiced.len().min(VOTERS));
            prop_assert!(voters.is_sorted_by(|a, b| a < b) && voters.iter().all(|at| *at < voiced.len()));
        }
    }
}
