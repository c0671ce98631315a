//! How loud a sound is over time, in bounded room however long it lasts. Pure.

/// The most levels that are kept.
const MOST: usize = 8_192;

/// Samples of the first level: a millisecond. Every time the room is full, a level stands for twice as many.
const FIRST: u32 = 16;

/// The loudest sample of every stretch, all stretches of one length.
#[derive(Debug)]
pub(super) struct Levels {
    /// Samples in a stretch.
    stretch: u32,
    /// Samples of the stretch that has begun.
    begun: u32,
    loudest: u16,
    /// The first byte of a sample whose second one has not come.
    half: Option<u8>,
    levels: Vec<u16>,
}

impl Levels {
    pub(super) fn new() -> Self {
        Self { stretch: FIRST, begun: 0, loudest: 0, half: None, levels: Vec::new() }
    }

    /// Takes 16-bit samples, the lower byte first, cut anywhere.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        let mut bytes = self.half.take().into_iter().chain(bytes.iter().copied());
        while let Some(low) = bytes.next() {
            match bytes.next() {
                Some(high) => self.sample(i16::from_le_bytes([low, high])),
                None => {
                    self.half = Some(low);
                    return;
                }
            }
        }
    }

    fn sample(&mut self, sample: i16) {
        self.loudest = self.loudest.max(sample.unsigned_abs());
        self.begun += 1;
        if self.begun == self.stretch {
            self.levels.push(std::mem::take(&mut self.loudest));
            self.begun = 0;
            if self.levels.len() == MOST {
                self.levels = self.levels.chunks(2).map(|pair| pair.iter().copied().max().unwrap_or(0)).collect();
                self.stretch = self.stretch.saturating_mul(2);
            }
        }
    }

    /// The levels, 0 to 32,768, the first one first.
    pub(super) fn finish(mut self) -> Vec<u16> {
        if self.begun > 0 {
            self.levels.push(self.loudest);
        }
        self.levels
    }
}

/// At most `points` of these levels, 0 to 1: the loudest of each part.
pub fn points(levels: &[u16], points: usize) -> Vec<f64> {
    let count = points.clamp(1, levels.len().max(1));
    let part = |at: usize| &levels[at * levels.len() / count..(at + 1) * levels.len() / count];
    let loudest = |at: usize| part(at).iter().copied().max().map(|level| round(f64::from(level) / 32_768.0));
    (0..count).filter_map(loudest).collect()
}

/// As many digits as an eye can use.
fn round(level: f64) -> f64 {
    (level * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(samples: &[i16], cut: usize) -> Vec<u16> {
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let mut levels = Levels::new();
        bytes.chunks(cut).for_each(|piece| levels.write(piece));
        levels.finish()
    }

    #[test]
    fn each_stretch_has_its_loudest_sample() {
        let mut samples = vec![0; 40];
        (samples[3], samples[20], samples[39]) = (-32_768, 100, 5);
        assert_eq!(of(&samples, 7), [32_768, 100, 5]);
        assert_eq!(of(&[], 1), [0u16; 0]);
        assert_eq!(points(&[32_768, 100, 5, 16_384], 2), [1.0, 0.5]);
        assert_eq!((points(&[8_192], 4_000), points(&[], 5)), (vec![0.25], Vec::<f64>::new()));
    }

    #[test]
    fn hours_take_no_more_room() {
        let levels = of(&vec![7; 16_000 * 60], 65_536);
        assert!(levels.len() < MOST && levels.len() > MOST / 2 - 1 && levels.iter().all(|level| *level == 7));
    }

    proptest! {
        #[test]
        fn nothing_loud_is_lost(levels in proptest::collection::vec(0u16..=32_768, 1..300), count in 1usize..400) {
            let shown = points(&levels, count);
            prop_assert_eq!(shown.len(), count.min(levels.len()));
            let loudest = levels.iter().copied().max().map(|level| round(f64::from(level) / 32_768.0));
            prop_assert_eq!(shown.into_iter().reduce(f64::max), loudest);
        }
    }
}
