//! Where somebody speaks.
//!
//! The `earshot` crate gives every 16 ms a score; here the scores become regions. Callers may rely on: regions are in
//! order, do not touch each other and lie inside the part that was asked about; the same audio has the same scores
//! however many threads listen; twelve hours of audio take less than 3 MB.

use std::{
    ops::Range,
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{
    domain::Options,
    error::{Code, Error, Result},
    transcribe::audio::{Pcm, SAMPLE_RATE},
};

/// Samples per score.
pub(crate) const FRAME: u64 = 256;

/// Frames per read: about a second.
const READ: usize = 64;
/// Frames per block; blocks are listened to by several threads. Four minutes.
const BLOCK: usize = 15_000;
/// What a detector hears before a block, so that it has settled when the block begins. About a second.
const SETTLE: usize = READ;
/// More threads than this wait for the disk.
const MOST_THREADS: usize = 8;

/// How likely somebody speaks in each frame of an audio, in 256ths; 0 where nobody listened.
pub(super) struct Scores(Vec<u8>);

impl Scores {
    /// No scores: nobody listened.
    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    /// Listens to the parts of an audio with so many samples. `stop` is asked about once a second of audio.
    pub(super) fn listen(
        pcm: &Path,
        samples: u64,
        parts: &[Range<u64>],
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Self> {
        let frame = |sample: u64| usize::try_from(sample / FRAME).unwrap_or(usize::MAX);
        // The last frame is filled up with silence by leaving it out: it is shorter than any sound of speech.
        let mut scores = vec![0; frame(samples)];
        let mut blocks = Vec::new();
        let (mut rest, mut at) = (scores.as_mut_slice(), 0);
        for part in parts {
            // Two parts may share the frame in which one ends and the next begins.
            let (start, end) = (frame(part.start).max(at), frame(part.end));
            while at < end {
                let next = if at < start { start } else { end.min(at + BLOCK) };
                let (block, after) = rest.split_at_mut(next - at);
                if at >= start {
                    blocks.push(Mutex::new((at, block)));
                }
                (rest, at) = (after, next);
            }
        }
        let next = AtomicUsize::new(0);
        let work = || -> Result<()> {
            let mut pcm = Pcm::open(pcm, samples)?;
            while let Some(block) = blocks.get(next.fetch_add(1, Ordering::Relaxed)) {
                let (start, scores) = &mut *block.lock().unwrap_or_else(PoisonError::into_inner);
                block_scores(&mut pcm, *start, scores, stop)?;
            }
            Ok(())
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS).min(blocks.len());
        std::thread::scope(|scope| {
            let helpers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let broke = |_| Err(Error::new(Code::Internal, "The search for speech broke off"));
            helpers.into_iter().fold(work(), |sum, helper| sum.and(helper.join().unwrap_or_else(broke)))
        })?;
        Ok(Self(scores))
    }

    /// The start of the frame with the lowest score that lies in a range of samples, the last of several; the range's
    /// end when there is none.
    pub(super) fn quietest(&self, range: Range<u64>) -> u64 {
        (range.start.div_ceil(FRAME)..range.end / FRAME)
            .min_by(|a, b| self.at(*a).cmp(&self.at(*b)).then(b.cmp(a)))
            .map_or(range.end, |frame| frame * FRAME)
    }

    /// The regions of speech within a part, in samples.
    pub(super) fn speech(&self, numbers: &Numbers, part: &Range<u64>) -> Vec<Range<u64>> {
        let mut regions = Vec::new();
        let mut push = |frames: Range<u64>| {
            if frames.end - frames.start >= numbers.shortest {
                regions.push((frames.start * FRAME).max(part.start)..(frames.end * FRAME).min(part.end));
            }
        };
        let (mut start, mut last) = (None, 0);
        for frame in part.start / FRAME..part.end / FRAME {
            let score = self.at(frame);
            match start {
                None if score >= numbers.begin => (start, last) = (Some(frame), frame),
                Some(_) if score >= numbers.end => last = frame,
                Some(begin) if frame - last > numbers.breath => {
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

    fn at(&self, frame: u64) -> u8 {
        usize::try_from(frame).ok().and_then(|frame| self.0.get(frame)).copied().unwrap_or(0)
    }

    #[cfg(test)]
    pub(super) fn of(parts: &[(usize, f32)]) -> Self {
        Self(parts.iter().flat_map(|(count, score)| std::iter::repeat_n(byte(*score), *count)).collect())
    }
}

fn byte(score: f32) -> u8 {
    (score * 256.0) as u8 // This conversion keeps to 0..=255.
}

fn block_scores(pcm: &mut Pcm, start: usize, scores: &mut [u8], stop: &dyn Fn() -> bool) -> Result<()> {
    let mut detector = earshot::Detector::default_boxed();
    let end = start + scores.len();
    let mut at = start.saturating_sub(SETTLE);
    while at < end && !stop() {
        let next = (at + READ).min(end);
        let samples = pcm.read(at as u64 * FRAME..next as u64 * FRAME)?;
        if samples.iter().all(|sample| *sample == 0) {
            // Digital silence need not be listened to; it may be hours long.
            detector.reset();
        } else {
            for (frame, samples) in (at..next).zip(samples.chunks_exact(FRAME as usize)) {
                let score = detector.predict_i16(samples);
                if let Some(place) = frame.checked_sub(start).and_then(|place| scores.get_mut(place)) {
                    *place = byte(score);
                }
            }
        }
        at = next;
    }
    Ok(())
}

/// What counts as speech.
pub(super) struct Numbers {
    /// A score from which speech begins, and one below which it ends.
    begin: u8,
    end: u8,
    /// Frames; less is a click.
    shortest: u64,
    /// Frames; a silence which is not longer is a breath.
    breath: u64,
    /// Samples that are kept on each side, as word ends are soft.
    pad: u64,
}

impl From<&Options> for Numbers {
    fn from(options: &Options) -> Self {
        /// How much lower the score may fall within speech.
        const SLACK: f32 = 0.15;
        let bound = |threshold: f32| (threshold * 256.0).ceil().clamp(1.0, 255.0) as u8;
        let samples = |ms: u32| u64::from(ms) * SAMPLE_RATE / 1_000;
        Self {
            begin: bound(options.vad_threshold),
            end: bound((options.vad_threshold - SLACK).max(0.01)),
            shortest: samples(options.vad_min_speech_ms).div_ceil(FRAME).max(1),
            breath: samples(options.vad_min_silence_ms).div_ceil(FRAME),
            pad: samples(options.vad_pad_ms),
        }
    }
}

impl Numbers {
    /// Regions with what is kept on each side, inside their part.
    pub(super) fn padded(&self, regions: &[Range<u64>], part: &Range<u64>) -> Vec<Range<u64>> {
        let mut padded: Vec<Range<u64>> = Vec::new();
        for region in regions {
            let start = region.start.saturating_sub(self.pad).max(part.start);
            let end = (region.end + self.pad).min(part.end);
            match padded.last_mut() {
                Some(last) if start <= last.end => last.end = end,
                _ => padded.push(start..end),
            }
        }
        padded
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PAD: u64 = SAMPLE_RATE / 4;

    fn usual() -> Numbers {
        Numbers::from(&Options::default())
    }

    #[test]
    fn speech_is_padded_and_breaths_are_bridged() {
        let scores =
            Scores::of(&[(100, 0.0), (50, 0.9), (15, 0.1), (50, 0.4), (100, 0.0), (3, 0.9), (50, 0.0), (30, 1.0)]);
        let part = 0..398 * FRAME + 100;
        let speech = scores.speech(&usual(), &part);
        assert_eq!(speech, [100 * FRAME..215 * FRAME, 368 * FRAME..398 * FRAME]);
        let padded = usual().padded(&speech, &part);
        assert_eq!(padded, [100 * FRAME - PAD..215 * FRAME + PAD, 368 * FRAME - PAD..part.end]);
    }

    #[test]
    fn silence_has_no_regions() {
        let scores = Scores::of(&[(500, 0.3), (5, 0.8), (500, 0.0)]);
        assert!(scores.speech(&usual(), &(0..1_005 * FRAME)).is_empty());
        assert!(Scores::none().speech(&usual(), &(0..100)).is_empty());
    }

    #[test]
    fn each_number_counts() {
        let scores = Scores::of(&[(50, 0.0), (6, 0.6), (10, 0.2), (20, 0.9), (50, 0.0)]);
        let part = 0..136 * FRAME;
        let regions = |change: &dyn Fn(&mut Options)| {
            let mut options = Options::default();
            change(&mut options);
            let speech = scores.speech(&Numbers::from(&options), &part);
            speech.iter().map(|region| region.start / FRAME..region.end / FRAME).collect::<Vec<_>>()
        };
        let (whole, first, second) = (50..86, 50..56, 66..86);
        assert_eq!(regions(&|_| {}), std::slice::from_ref(&whole));
        assert_eq!(regions(&|options| options.vad_threshold = 0.7), std::slice::from_ref(&second));
        assert_eq!(regions(&|options| options.vad_threshold = 0.3), [whole]);
        assert_eq!(regions(&|options| options.vad_min_silence_ms = 100), [first, second.clone()]);
        let both = |options: &mut Options| (options.vad_min_silence_ms, options.vad_min_speech_ms) = (0, 200);
        assert_eq!(regions(&both), [second]);
    }

    #[test]
    fn a_part_keeps_to_itself() {
        let scores = Scores::of(&[(400, 0.9)]);
        let part = 1_000..90_000;
        let speech = scores.speech(&usual(), &part);
        assert_eq!(speech, std::slice::from_ref(&(part.start..90_000 / FRAME * FRAME)));
        assert_eq!(usual().padded(&speech, &part), [part]);
    }

    #[test]
    fn parts_are_listened_to_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pcm");
        // Something that sounds like a voice to the detector: a buzz of 150 Hz whose strength goes up and down.
        let samples = 20 * SAMPLE_RATE;
        let wave = |at: u64| {
            let time = at as f64 / SAMPLE_RATE as f64;
            let buzz: f64 = (1..20).map(|n| (f64::from(n) * time * 942.0).sin() / f64::from(n)).sum();
            (buzz * 4_000.0 * (1.0 + (time * 25.0).sin())) as i16
        };
        std::fs::write(&path, (0..samples).flat_map(|at| wave(at).to_le_bytes()).collect::<Vec<_>>()).unwrap();
        let parts = [SAMPLE_RATE..3 * SAMPLE_RATE, 3 * SAMPLE_RATE..5 * SAMPLE_RATE + 77, 19 * SAMPLE_RATE..samples];
        let scores = Scores::listen(&path, samples, &parts, &|| false).unwrap();
        assert_eq!(scores.0.len() as u64, samples / FRAME);
        assert!(scores.0.iter().any(|score| *score > 0));
        for (frame, score) in (0..).zip(&scores.0) {
            let heard = parts.iter().any(|part| (part.start / FRAME..part.end / FRAME).contains(&frame));
            assert!(heard || *score == 0, "{frame}");
        }
        let none = Scores::listen(&path, samples, &parts, &|| true).unwrap();
        assert!(none.0.iter().all(|score| *score == 0));
        assert!(Scores::listen(&path, samples + 1, &parts, &|| false).is_err());
    }

    proptest! {
        #[test]
        fn regions_are_apart_and_inside(
            runs in prop::collection::vec((1usize..60, 0.0f32..1.0), 0..40),
            start in 0u64..100_000, length in 1u64..400_000,
            threshold in 0.05f32..0.95, speech in 0u32..2_000, silence in 0u32..2_000, pad in 0u32..2_000,
        ) {
            let scores = Scores::of(&runs);
            let options = Options {
                vad_threshold: threshold, vad_min_speech_ms: speech, vad_min_silence_ms: silence, vad_pad_ms: pad,
                ..Options::default()
            };
            let (numbers, part) = (Numbers::from(&options), start..start + length);
            let speech = scores.speech(&numbers, &part);
            let padded = numbers.padded(&speech, &part);
            for regions in [&speech, &padded] {
                prop_assert!(regions.iter().all(|r| part.start <= r.start && r.start < r.end && r.end <= part.end));
                prop_assert!(regions.windows(2).all(|pair| pair[0].end < pair[1].start));
            }
            for region in &speech {
                prop_assert!(padded.iter().any(|r| r.start <= region.start && region.end <= r.end));
            }
        }
    }
}
