//! The audio cut into pieces that a server takes. Pure, except for looking into speech that has no pause.
//!
//! Callers may rely on: pieces are in order, do not overlap, hold every window, and are at most as long as asked.

use std::ops::Range;

use crate::{
    error::Result,
    transcribe::audio::{Pcm, SAMPLE_RATE},
};

/// The longest silence inside a piece; a longer one is not worth its upload and invites inventions.
const LONG_SILENCE: u64 = 30 * SAMPLE_RATE;
/// The step in which a quiet place is looked for: 20 ms.
const STEP: u64 = SAMPLE_RATE / 50;

/// Windows that are sent together: everything from the first sample of the first to the last of the last.
pub(super) type Piece = Vec<Range<u64>>;

/// The samples of a piece.
pub(super) fn span(piece: &[Range<u64>]) -> Range<u64> {
    let start = piece.first().map_or(0, |window| window.start);
    start..piece.last().map_or(start, |window| window.end)
}

/// Packs windows, each at most `longest` samples long, into pieces which are no longer than that either. With `clips`,
/// only some parts of the audio are wanted, and nothing between windows is sent.
pub(super) fn pack(windows: &[Range<u64>], longest: u64, clips: bool) -> Vec<Piece> {
    let silence = |at: usize| windows[at].start.saturating_sub(windows[at - 1].end);
    let most = if clips { 0 } else { LONG_SILENCE };
    let mut pieces = Vec::new();
    let mut first = 0;
    while first < windows.len() {
        let start = windows[first].start;
        let mut next = first + 1;
        while next < windows.len() && windows[next].end - start <= longest && silence(next) <= most {
            next += 1;
        }
        // A full piece ends at the longest silence in its last third: windows may also meet in the middle of a word.
        if next < windows.len() && silence(next) <= most {
            let late = (first + 1..=next).filter(|at| windows[*at - 1].end - start >= longest / 3 * 2);
            next = late.max_by_key(|at| silence(*at)).unwrap_or(next);
        }
        pieces.push(windows[first..next].to_vec());
        first = next;
    }
    pieces
}

/// The same windows, those longer than `longest` samples cut where it is quietest.
pub(super) fn shorten(pcm: &mut Pcm, windows: &[Range<u64>], longest: u64) -> Result<Vec<Range<u64>>> {
    let mut short = Vec::new();
    for window in windows {
        let mut rest = window.clone();
        while rest.end - rest.start > longest {
            let late = rest.start + longest / 3 * 2;
            let cut = late + quietest(&pcm.read(late..rest.start + longest)?);
            short.push(rest.start..cut);
            rest.start = cut;
        }
        short.push(rest);
    }
    Ok(short)
}

/// Where the quietest step begins; the end, when there is no whole step.
fn quietest(samples: &[i16]) -> u64 {
    let loudness = |step: &[i16]| step.iter().map(|sample| u64::from(sample.unsigned_abs())).sum::<u64>();
    let steps = samples.chunks_exact(STEP as usize).map(loudness).enumerate();
    steps.min_by_key(|(_, loud)| *loud).map_or(samples.len() as u64, |(at, _)| at as u64 * STEP)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    const S: u64 = SAMPLE_RATE;

    #[test]
    fn a_full_piece_ends_at_a_long_late_silence() {
        let windows = [0..20 * S, 20 * S..47 * S, 49 * S..70 * S, 70 * S..90 * S, 91 * S..100 * S];
        assert_eq!(pack(&windows, 70 * S, false), [windows[..2].to_vec(), windows[2..].to_vec()]);
        assert_eq!(pack(&windows, 100 * S, false), [windows.to_vec()]);
        assert_eq!(span(&windows), 0..100 * S);
        assert!(pack(&[], S, false).is_empty() && span(&[]).is_empty());
    }

    #[test]
    fn long_silences_and_what_is_not_wanted_are_left_out() {
        let windows = [0..S, 20 * S..21 * S, 52 * S..53 * S, 53 * S..54 * S];
        assert_eq!(pack(&windows, 100 * S, false), [windows[..2].to_vec(), windows[2..].to_vec()]);
        let clips = [windows[..1].to_vec(), windows[1..2].to_vec(), windows[2..].to_vec()];
        assert_eq!(pack(&windows, 100 * S, true), clips);
    }

    #[test]
    fn speech_without_a_pause_is_cut_where_it_is_quietest() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let loud = |at: u64| if (8 * S..8 * S + STEP).contains(&at) { 3i16 } else { -900 };
        file.write_all(&(0..25 * S).flat_map(|at| loud(at).to_le_bytes()).collect::<Vec<_>>()).unwrap();
        let mut pcm = Pcm::open(file.path(), 25 * S).unwrap();
        let cut = shorten(&mut pcm, &[0..4 * S, 5 * S..25 * S], 9 * S).unwrap();
        assert_eq!(cut[..2], [0..4 * S, 5 * S..5 * S + 6 * S], "nothing is quiet there, so the first place");
        assert!(cut.iter().all(|window| window.end - window.start <= 9 * S && !window.is_empty()));
        let cut = shorten(&mut pcm, std::slice::from_ref(&(0..25 * S)), 10 * S).unwrap();
        assert!(cut[0].end.abs_diff(8 * S) < STEP, "{cut:?}");
    }

    proptest! {
        #[test]
        fn every_window_is_in_a_piece(lengths in prop::collection::vec((1u64..30, 0u64..40), 1..40), longest in 30u64..200) {
            let mut windows = Vec::new();
            let mut at = 0;
            for (length, silence) in lengths {
                windows.push(at + silence..at + silence + length);
                at += silence + length;
            }
            let pieces = pack(&windows, longest, false);
            prop_assert_eq!(pieces.concat(), windows);
            prop_assert!(pieces.iter().all(|piece| span(piece).end - span(piece).start <= longest));
        }
    }
}
