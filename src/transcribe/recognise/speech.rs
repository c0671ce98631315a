//! What is known about who speaks where, for questions about pieces of the audio. Pure.

use std::ops::Range;

use crate::{domain::Segment, transcribe::audio::SAMPLE_RATE};

/// So much voice under a text may be its neighbours': text times are not exact. In samples.
const HARDLY: u64 = SAMPLE_RATE / 5;

/// The regions of speech of an audio, in order and apart.
pub(in crate::transcribe) struct Speech {
    regions: Vec<Range<u64>>,
    samples: u64,
}

impl Speech {
    /// Regions of an audio with so many samples.
    pub(super) fn new(regions: Vec<Range<u64>>, samples: u64) -> Self {
        Self { regions, samples }
    }

    /// How many samples of a range are speech.
    pub(super) fn voiced(&self, range: &Range<u64>) -> u64 {
        let first = self.regions.partition_point(|region| region.end <= range.start);
        let under = self.regions[first..].iter().take_while(|region| region.start < range.end);
        under.map(|region| region.end.min(range.end) - region.start.max(range.start)).sum()
    }

    /// Whether a text lies in a silence of at least so many seconds, with hardly any voice under it.
    pub(super) fn is_silent(&self, text: &Segment, least: f64) -> bool {
        let sample = |seconds: f64| (seconds * SAMPLE_RATE as f64).round().max(0.0) as u64;
        let range = sample(text.start)..sample(text.end).min(self.samples);
        let length = range.end.saturating_sub(range.start);
        let silence = self.silence((range.start + length / 2).min(self.samples));
        let voiced = self.voiced(&range);
        (silence.end - silence.start) as f64 >= least * SAMPLE_RATE as f64 && voiced <= HARDLY && voiced * 10 <= length
    }

    /// The silence around a sample; empty in speech.
    fn silence(&self, at: u64) -> Range<u64> {
        let next = self.regions.partition_point(|region| region.end <= at);
        let before = next.checked_sub(1).map_or(0, |before| self.regions[before].end);
        match self.regions.get(next) {
            Some(region) if region.start <= at => at..at,
            Some(region) => before..region.start,
            None => before..self.samples,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const S: u64 = SAMPLE_RATE;

    fn text(start: f64, end: f64) -> Segment {
        Segment { start, end, ..Segment::default() }
    }

    #[test]
    fn texts_in_long_silences_are_found() {
        let speech = Speech::new(vec![S..3 * S, 13 * S..15 * S], 20 * S);
        assert!(speech.is_silent(&text(5.0, 7.0), 10.0));
        assert!(!speech.is_silent(&text(5.0, 7.0), 10.1), "the silence is shorter");
        assert!(speech.is_silent(&text(2.9, 6.0), 2.0), "its start touches speech");
        assert!(!speech.is_silent(&text(2.5, 6.0), 2.0), "half a second of speech is a word");
        assert!(!speech.is_silent(&text(1.0, 3.0), 0.1) && !speech.is_silent(&text(0.0, 20.0), 0.1));
        assert!(speech.is_silent(&text(17.0, 19.0), 5.0), "after the last word");
        assert!(speech.is_silent(&text(16.0, 16.0), 5.0) && !speech.is_silent(&text(2.0, 2.0), 0.1));
        assert!(Speech::new(Vec::new(), 20 * S).is_silent(&text(1.0, 40.0), 20.0), "nobody speaks");
    }

    proptest! {
        #[test]
        fn voiced_is_the_overlap(cuts in prop::collection::btree_set(0u64..500, 0..20), a in 0u64..500, b in 0u64..500) {
            let cuts: Vec<u64> = cuts.into_iter().collect();
            let regions: Vec<_> = cuts.chunks_exact(2).map(|pair| pair[0]..pair[1]).collect();
            let range = a.min(b)..a.max(b);
            let counted = range.clone().filter(|at| regions.iter().any(|region| region.contains(at))).count() as u64;
            let speech = Speech::new(regions.clone(), 500);
            prop_assert_eq!(speech.voiced(&range), counted);
            for at in range {
                let silence = speech.silence(at);
                let in_speech = regions.iter().any(|region| region.contains(&at));
                prop_assert_eq!(silence.is_empty(), in_speech);
                prop_assert!(in_speech || silence.contains(&at));
                prop_assert_eq!(speech.voiced(&silence), 0);
            }
        }
    }
}
