//! What of an audio is given to the model, in which pieces. Pure, apart from reading.

use std::{ops::Range, path::Path};

use super::{
    speech::Speech,
    vad::{Numbers, Scores},
    windows::{self, windows},
};
use crate::{
    domain::Options,
    error::Result,
    transcribe::audio::{SAMPLE_RATE, SHORTEST, seconds},
};

/// What to recognise.
pub(in crate::transcribe) struct Plan {
    /// Pieces of the audio in order, apart, each at most 30 seconds long.
    pub windows: Vec<Range<u64>>,
    /// Where somebody speaks; everywhere when nobody had to listen.
    pub speech: Speech,
    /// Seconds of what is judged to be speech, with what is kept on each side of it.
    pub duration: f64,
}

/// Listens for speech where that is needed, and cuts windows. Incomplete when `stop` says yes on the way.
pub(super) fn plan(pcm: &Path, samples: u64, options: &Options, stop: &(dyn Fn() -> bool + Sync)) -> Result<Plan> {
    let parts = parts(&options.clip_timestamps.0, samples);
    let is_long = parts.iter().any(|part| part.end - part.start > windows::LONGEST);
    let listens = options.vad || is_long || options.hallucination_silence_threshold.is_some();
    let scores = if listens { Scores::listen(pcm, samples, &parts, stop)? } else { Scores::none() };
    let numbers = Numbers::from(options);
    let mut plan = Plan { windows: Vec::new(), speech: Speech::new(Vec::new(), samples), duration: 0.0 };
    let mut speech = Vec::new();
    for part in parts {
        let whole = std::slice::from_ref(&part);
        let spoken = if listens { scores.speech(&numbers, &part) } else { whole.to_vec() };
        let kept = if options.vad { numbers.padded(&spoken, &part) } else { whole.to_vec() };
        plan.windows.extend(windows(&part, &kept, &scores));
        plan.duration += seconds(kept.iter().map(|region| region.end - region.start).sum());
        speech.extend(spoken);
    }
    plan.speech = Speech::new(speech, samples);
    Ok(plan)
}

/// The parts of the audio that clips name: start, end, start, end, … in seconds; the last start may have no end.
fn parts(clips: &[f64], samples: u64) -> Vec<Range<u64>> {
    let sample = |seconds: f64| ((seconds * SAMPLE_RATE as f64).round() as u64).min(samples);
    let pairs = if clips.is_empty() { &[0.0] } else { clips }.chunks(2);
    let ranges = pairs.map(|pair| sample(pair[0])..pair.get(1).map_or(samples, |end| sample(*end)));
    ranges.filter(|range| range.end - range.start >= SHORTEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = SAMPLE_RATE;

    #[test]
    fn clips_are_parts() {
        let whole = 0..5 * S;
        assert_eq!(parts(&[], 5 * S), std::slice::from_ref(&whole));
        assert_eq!(parts(&[1.0, 2.5, 4.0], 5 * S), [S..5 * S / 2, 4 * S..5 * S]);
        let rest = S..5 * S;
        assert_eq!(parts(&[1.0, 9.0, 10.0, 11.0], 5 * S), std::slice::from_ref(&rest), "clips end with the audio");
        assert!(parts(&[1.0, 1.05], 5 * S).is_empty(), "too short for the model");
        assert!(parts(&[7.0], 5 * S).is_empty() && parts(&[], 100).is_empty() && parts(&[], 0).is_empty());
    }

    #[test]
    fn a_word_in_each_ten_minutes_is_found() {
        use std::io::{Seek, SeekFrom, Write};
        const EACH: u64 = 600 * S;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long.pcm");
        let mut file = std::fs::File::create(&path).unwrap();
        file.set_len(4 * EACH * 2).unwrap();
        let buzz: Vec<u8> = voice(3 * S).flat_map(i16::to_le_bytes).collect();
        for part in 0..4 {
            file.seek(SeekFrom::Start((part * EACH + 60 * S) * 2)).unwrap();
            file.write_all(&buzz).unwrap();
        }
        let plan = plan(&path, 4 * EACH, &Options::default(), &|| false).unwrap();
        assert_eq!(plan.windows.len(), 4);
        for (part, window) in (0..).zip(&plan.windows) {
            let spoken = part * EACH + 60 * S..part * EACH + 63 * S;
            assert!(window.start < spoken.end && spoken.start < window.end, "{window:?}");
            assert!(window.end - window.start < 5 * S, "{window:?}");
        }
        assert!(plan.duration < 20.0);
    }

    /// Something that sounds like a voice to the detector: a low buzz whose strength goes up and down.
    fn voice(samples: u64) -> impl Iterator<Item = i16> {
        (0..samples).map(|at| {
            let time = seconds(at);
            let buzz: f64 = (1..20).map(|n| (f64::from(n) * time * 942.0).sin() / f64::from(n)).sum();
            (buzz * 4_000.0 * (1.0 + (time * 25.0).sin())) as i16
        })
    }
}
