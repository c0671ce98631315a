//! Options as whisper.cpp's parameters.

use std::{ffi::CStr, ptr};

use whisper_rs::whisper_rs_sys as sys;

use super::{MAX_BEAM, ladder::Ladder};
use crate::domain::{Options, options::Goal};

/// whisper.cpp's own guard against loops, in a sequence's last tokens, and the ratio that it corresponds to.
const ENTROPY: f32 = 2.4;
const USUAL_RATIO: f32 = 2.4;

/// The tokens that fit into a prompt of a model whose text may have `text_context` of them. A pass leaves some room for
/// the passes before it in the same window when it is to hear them.
pub(super) fn prompt_room(options: &Options, text_context: usize) -> usize {
    let room = (text_context / 2).saturating_sub(1);
    if options.is_conditioned() { room.saturating_sub(text_context / 8) } else { room }
}

/// The parameters, without callbacks. `prompt` and `language` must live as long as they are used.
pub(super) fn params(
    options: &Options,
    ladder: &Ladder,
    language: &CStr,
    prompt: &[i32],
    text_context: usize,
) -> sys::whisper_full_params {
    let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let beam = options.beam_size.clamp(1, MAX_BEAM);
    let strategy = if beam == 1 || ladder.start > 0.0 {
        sys::whisper_sampling_strategy_WHISPER_SAMPLING_GREEDY
    } else {
        sys::whisper_sampling_strategy_WHISPER_SAMPLING_BEAM_SEARCH
    };
    // SAFETY: the function only fills in a struct.
    let mut params = unsafe { sys::whisper_full_default_params(strategy) };
    params.language = language.as_ptr();
    params.translate = options.task == Goal::Translate;
    params.print_progress = false;
    params.print_timestamps = false;
    params.token_timestamps = options.word_timestamps;
    params.suppress_blank = true;
    params.suppress_nst = options.suppress_non_speech;

    params.temperature = ladder.start;
    params.temperature_inc = ladder.step;
    params.greedy.best_of = options.best_of.clamp(1, MAX_BEAM).into();
    params.beam_search.beam_size = beam.into();
    params.logprob_thold = options.logprob_threshold;
    // Never silence for whisper.cpp, whose probability of it is not to be trusted: the run decides.
    params.no_speech_thold = 2.0;
    // Loops are also left out where the best of several samples is chosen, long before the text's ratio is known. What
    // the caller thinks of repetitions holds there as well: at the usual ratio this is whisper.cpp's own number.
    params.entropy_thold = ENTROPY * USUAL_RATIO / options.compression_ratio_threshold.max(1.0);

    // A prompt that is carried is heard by every pass over the window. What passes add to it gets the rest of the room:
    // none, unless text before is wanted (`no_context` alone would only forget the window before).
    params.no_context = true;
    params.carry_initial_prompt = true;
    params.prompt_tokens = if prompt.is_empty() { ptr::null() } else { prompt.as_ptr() };
    params.prompt_n_tokens = number(prompt.len());
    params.n_max_text_ctx = if options.is_conditioned() {
        number(text_context / 2)
    } else if prompt.is_empty() {
        0
    } else {
        number(prompt.len() + 1)
    };
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(options: &Options, prompt: &[i32]) -> sys::whisper_full_params {
        params(options, &Ladder::new(&options.temperature.0), c"en", prompt, 448)
    }

    #[test]
    fn every_option_has_its_parameter() {
        let usual = of(&Options::default(), &[]);
        assert_eq!((usual.entropy_thold, usual.logprob_thold, usual.no_speech_thold), (2.4, -1.0, 2.0));
        assert_eq!((usual.n_max_text_ctx, usual.suppress_nst, usual.greedy.best_of), (0, false, 5));
        let options = Options { suppress_non_speech: true, best_of: 2, beam_size: 10, ..Options::default() };
        let asked = of(&options, &[1, 2]);
        assert!(asked.suppress_nst && asked.carry_initial_prompt);
        assert_eq!((asked.greedy.best_of, asked.beam_search.beam_size, asked.n_max_text_ctx), (2, 8, 3));
        let lenient = Options { compression_ratio_threshold: 100.0, ..Options::default() };
        assert!(of(&lenient, &[]).entropy_thold < 0.06);
    }

    #[test]
    fn passes_hear_each_other_only_when_asked() {
        let options = Options { condition_on_previous_text: Some(true), ..Options::default() };
        let room = prompt_room(&options, 448);
        assert_eq!((of(&options, &vec![1; room]).n_max_text_ctx, room), (224, 167));
        assert_eq!(prompt_room(&Options::default(), 448), 223);
    }
}
