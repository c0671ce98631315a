//! Where somebody speaks.
//!
//! The `earshot` crate gives every 16 ms a score; here the scores become regions. Callers may rely on regions being in
//! order, not touching each other, and inside the audio.

use std::ops::Range;

use crate::error::Result;
use crate::transcribe::audio::{Pcm, SAMPLE_RATE};

/// Samples per score.
pub(crate) const FRAME: u64 = 256;

/// A score from which speech begins, and one below which it ends.
const BEGIN: f32 = 0.5;
const END: f32 = 0.35;
/// Shorter speech is a click. (Frames of 16 ms.)
const SHORTEST: usize = 6;
/// Shorter silence is a breath.
const HANGOVER: usize = 20;
/// What is kept on each side, as word ends are soft.
const PADDING: u64 = SAMPLE_RATE / 4;

/// The score of every frame. `stop` is asked about once a second of audio; the scores are then incomplete.
pub(crate) fn scores(pcm: &mut Pcm, stop: &dyn Fn() -> bool) -> Result<Vec<f32>> {
    const CHUNK: u64 = FRAME * 64;
    let mut detector = earshot::Detector::default_boxed();
    let mut scores = Vec::with_capacity(usize::try_from(pcm.samples() / FRAME).unwrap_or(0));
    let mut at = 0;
    while at < pcm.samples() && !stop() {
        let samples = pcm.read(at..at + CHUNK)?;
        // The last frame is filled up with silence by leaving it out: it is shorter than any sound of speech.
        scores.extend(samples.chunks_exact(FRAME as usize).map(|frame| detector.predict_i16(frame)));
        at += CHUNK;
    }
    Ok(scores)
}

/// The regions of speech in samples.
pub(crate) fn regions(scores: &[f32], samples: u64) -> Vec<Range<u64>> {
    let mut regions: Vec<Range<u64>> = Vec::new();
    let mut push = |frames: Range<usize>| {
        if frames.len() < SHORTEST {
            return;
        }
        let start = (frames.start as u64 * FRAME).saturating_sub(PADDING);
        let end = (frames.end as u64 * FRAME + PADDING).min(samples);
        match regions.last_mut() {
            Some(last) if start <= last.end => last.end = end,
            _ => regions.push(start..end),
        }
    };
    let (mut start, mut last) = (None, 0);
    for (frame, score) in scores.iter().enumerate() {
        match start {
            None if *score >= BEGIN => (start, last) = (Some(frame), frame),
            Some(_) if *score >= END => last = frame,
            Some(begin) if frame - last > HANGOVER => {
                push(begin..last + 1);
                start = None;
            }
            _ => {}
        }
    }
    if let Some(begin) = start {
        push(begin..last + 1);
    }
    regions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(parts: &[(usize, f32)]) -> Vec<f32> {
        parts.iter().flat_map(|(count, score)| std::iter::repeat_n(*score, *count)).collect()
    }

    #[test]
    fn speech_is_padded_and_breaths_are_bridged() {
        let scores = score(&[(100, 0.0), (50, 0.9), (15, 0.1), (50, 0.4), (100, 0.0), (3, 0.9), (50, 0.0), (30, 1.0)]);
        let samples = scores.len() as u64 * FRAME + 100;
        let regions = regions(&scores, samples);
        assert_eq!(regions, [100 * FRAME - PADDING..215 * FRAME + PADDING, 368 * FRAME - PADDING..samples]);
    }

    #[test]
    fn silence_has_no_regions() {
        assert!(regions(&score(&[(500, 0.3), (5, 0.8), (500, 0.0)]), 1_005 * FRAME).is_empty());
        assert!(regions(&[], 100).is_empty());
    }
}
