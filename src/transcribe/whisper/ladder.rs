//! Any list of temperatures through whisper.cpp's own loop over them. Pure.
//!
//! whisper.cpp tries `t0, t0 + step, …` up to 1 and divides the logits by each; it does not encode again for another
//! attempt. So it is told a start and a step that make as many attempts as there are wanted temperatures, and in each
//! of them the logits are scaled from its temperature to ours.

/// What stands for a 0 which is not the first of its list: whisper.cpp then draws, but finds only one token to draw.
const COLDEST: f32 = 0.01;
/// The hottest start: the steps after it need some room below 1.
const HOTTEST_START: f32 = 0.9;

/// A list of temperatures.
pub(super) struct Ladder {
    wanted: Vec<f32>,
    /// whisper.cpp's `temperature`: the first wanted one, wherever that leaves room for the others.
    pub(super) start: f32,
    /// whisper.cpp's `temperature_inc`; 0 for a single attempt.
    pub(super) step: f32,
}

impl Ladder {
    /// Attempts at these temperatures, each 0 to 1, in this order. An empty list is one attempt at 0.
    pub(super) fn new(wanted: &[f32]) -> Self {
        let mut wanted: Vec<f32> = wanted.iter().map(|t| t.clamp(0.0, 1.0)).collect();
        if wanted.is_empty() {
            wanted.push(0.0);
        }
        let (start, step) = match wanted.as_slice() {
            [only] => (*only, 0.0),
            [first, ..] => {
                let start = first.min(HOTTEST_START);
                (start, (1.0 - start) / (wanted.len() as f32 - 0.5))
            }
            [] => (0.0, 0.0),
        };
        Self { wanted, start, step }
    }

    /// How many attempts there are.
    pub(super) fn len(&self) -> usize {
        self.wanted.len()
    }

    /// The wanted temperature of an attempt, counted from 0.
    pub(super) fn wanted(&self, attempt: usize) -> f32 {
        self.wanted[attempt.min(self.len() - 1)]
    }

    /// What the logits of an attempt are to be multiplied with; none when they are right as they are.
    pub(super) fn scale(&self, attempt: usize) -> Option<f32> {
        let wanted = self.wanted(attempt);
        // Added up as whisper.cpp does it, so that rounding is the same.
        let its = (0..attempt.min(self.len() - 1)).fold(self.start, |t, _| t + self.step);
        (its > 0.0 && its != wanted).then(|| its / wanted.max(COLDEST))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// whisper.cpp's list of temperatures.
    fn its(ladder: &Ladder) -> Vec<f32> {
        let mut list = vec![];
        let mut t = ladder.start;
        while t < 1.0 + 1e-6 && list.len() < 100 {
            list.push(t);
            if ladder.step <= 0.0 {
                break;
            }
            t += ladder.step;
        }
        list
    }

    #[test]
    fn the_usual_lists() {
        let usual = Ladder::new(&[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        assert_eq!(its(&usual).len(), 6);
        // whisper.cpp leaves the prompt out from 0.5 on; for the usual list that is where it should be.
        assert_eq!(its(&usual).iter().filter(|t| **t < 0.5).count(), 3);
        assert_eq!(usual.scale(0), None);
        let one = Ladder::new(&[0.7]);
        assert_eq!((one.start, one.step, one.scale(0)), (0.7, 0.0, None));
        assert_eq!(Ladder::new(&[]).wanted(3), 0.0);
    }

    proptest! {
        #[test]
        fn every_attempt_has_its_temperature(wanted in prop::collection::vec(0.0f32..=1.0, 1..=10)) {
            let ladder = Ladder::new(&wanted);
            let its = its(&ladder);
            prop_assert_eq!(its.len(), wanted.len());
            for (attempt, (its, wanted)) in its.iter().zip(&wanted).enumerate() {
                // Dividing by whisper's temperature and scaling is dividing by the wanted one.
                let effective = if *its > 0.0 { its / ladder.scale(attempt).unwrap_or(1.0) } else { 0.0 };
                let expected = if attempt > 0 { wanted.max(COLDEST) } else { *wanted };
                let near = (effective - expected).abs() < 1e-5;
                prop_assert!(near || (attempt == 0 && *wanted < COLDEST && effective <= COLDEST));
            }
        }
    }
}
