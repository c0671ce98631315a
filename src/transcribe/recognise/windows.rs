//! A part of the audio cut into windows for the model, which hears 30 seconds at a time. Pure.
//!
//! Callers may rely on: windows are in order, do not overlap, are at most [`LONGEST`] long, are contiguous slices of the
//! audio (so a time in a window is an exact offset), and together hold every region of speech. A part that fits into
//! one window is one window, from its first sample to the last: cut edges cost words.

use std::ops::Range;

use super::vad::Scores;
use crate::transcribe::audio::SAMPLE_RATE;

/// The longest window in samples.
pub(super) const LONGEST: u64 = 30 * SAMPLE_RATE;
/// A silence from which on two windows are better than one with a hole that invites inventions.
const LONG_SILENCE: u64 = 5 * SAMPLE_RATE;
/// Where in a window the best place for a cut is looked for.
const EARLIEST_CUT: u64 = 20 * SAMPLE_RATE;
/// What a cut leaves at least: of less the model understands nothing. Short enough that a part which is hardly longer
/// than a window still has some seconds in which to look for the place.
const REST: u64 = 5 * SAMPLE_RATE;

/// The windows over the `regions` of a part. `scores` say where to cut speech without a pause.
pub(super) fn windows(part: &Range<u64>, regions: &[Range<u64>], scores: &Scores) -> Vec<Range<u64>> {
    if part.end - part.start <= LONGEST {
        return regions.first().map(|_| part.clone()).into_iter().collect();
    }
    let mut pieces: Vec<Range<u64>> = Vec::new();
    for region in regions {
        let mut rest = region.clone();
        while rest.end - rest.start > LONGEST {
            let latest = (rest.start + LONGEST).min(rest.end - REST);
            let cut = scores.quietest(rest.start + EARLIEST_CUT..latest);
            pieces.push(rest.start..cut);
            rest.start = cut;
        }
        pieces.push(rest);
    }

    let mut windows = Vec::new();
    let mut first = 0;
    while first < pieces.len() {
        let start = pieces[first].start;
        let mut next = first + 1;
        while next < pieces.len()
            && pieces[next].end - start <= LONGEST
            && pieces[next].start - pieces[next - 1].end < LONG_SILENCE
        {
            next += 1;
        }
        // When the window is full, the longest pause near its end is a better cut than the last one.
        if next < pieces.len() && pieces[next].start - pieces[next - 1].end < LONG_SILENCE {
            let pause = |at: &usize| pieces[*at].start - pieces[*at - 1].end;
            let late = (first + 1..=next).filter(|at| pieces[*at - 1].end - start >= EARLIEST_CUT);
            next = late.max_by_key(pause).unwrap_or(next);
        }
        windows.push(start..pieces[next - 1].end);
        first = next;
    }
    windows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::transcribe::recognise::vad::FRAME;

    fn one(range: Range<u64>) -> Vec<Range<u64>> {
        std::iter::once(range).collect()
    }

    fn cut(part: Range<u64>, regions: &[Range<u64>]) -> Vec<Range<u64>> {
        windows(&part, regions, &Scores::none())
    }

    const S: u64 = SAMPLE_RATE;

    #[test]
    fn a_short_part_is_one_window() {
        assert_eq!(cut(0..30 * S, &one(4 * S..9 * S)), one(0..30 * S));
        assert_eq!(cut(70 * S..90 * S, &one(74 * S..79 * S)), one(70 * S..90 * S));
        assert!(cut(0..30 * S, &[]).is_empty());
        assert!(cut(0..300 * S, &[]).is_empty());
    }

    #[test]
    fn long_audio_is_cut_at_the_longest_late_pause() {
        let regions = [S..9 * S, 10 * S..22 * S, 24 * S..26 * S, 27 * S..36 * S, 37 * S..39 * S];
        assert_eq!(cut(0..60 * S, &regions), [S..22 * S, 24 * S..39 * S]);
    }

    #[test]
    fn long_silences_are_skipped() {
        assert_eq!(cut(0..120 * S, &[S..3 * S, 90 * S..92 * S]), [S..3 * S, 90 * S..92 * S]);
    }

    #[test]
    fn speech_without_a_pause_is_cut_where_it_is_quietest() {
        let scores = Scores::of(&[(1_500, 0.9), (1, 0.6), (2_499, 0.9)]);
        let windows = windows(&(0..50 * S), &one(0..50 * S), &scores);
        assert_eq!(windows, [0..1_500 * FRAME, 1_500 * FRAME..50 * S]);
    }

    #[test]
    fn no_crumb_is_left() {
        let part = 0..30 * S + 100;
        let windows = cut(part.clone(), &one(part.clone()));
        assert_eq!((windows.len(), windows[0].end, windows[1].end), (2, windows[1].start, part.end));
        let rest = windows[1].end - windows[1].start;
        assert!((REST..=REST + 2 * FRAME).contains(&rest), "{rest}");
    }

    proptest! {
        #[test]
        fn every_region_is_in_a_window(lengths in prop::collection::vec((1u64..900_000, 1u64..200_000), 1..30)) {
            let mut regions = Vec::new();
            let mut at = 0;
            for (speech, pause) in lengths {
                regions.push(at + pause..at + pause + speech);
                at += pause + speech;
            }
            let windows = cut(0..at, &regions);
            for pair in windows.windows(2) {
                prop_assert!(pair[0].end <= pair[1].start);
            }
            prop_assert!(windows.iter().all(|w| w.start < w.end && w.end - w.start <= LONGEST && w.end <= at));
            for window in windows.iter().filter(|w| w.end - w.start < S) {
                prop_assert!(regions.contains(window) || *window == (0..at), "{window:?} is a crumb");
            }
            let heard = |sample: u64| windows.iter().any(|w| w.contains(&sample));
            for region in &regions {
                prop_assert!(heard(region.start) && heard(region.end - 1) && heard((region.start + region.end) / 2));
            }
        }
    }
}
