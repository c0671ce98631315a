//! The few calls of whisper.cpp that are timed. Everything here runs on one thread.

use std::{
    ffi::{CString, c_char, c_void},
    ptr::NonNull,
};

use whisper_rs::whisper_rs_sys as sys;

use crate::Result;

/// A model on the CPU, without flash attention, as trawl loads it.
pub(crate) struct Context(NonNull<sys::whisper_context>);

impl Context {
    pub(crate) fn load(path: &str) -> Result<Self> {
        let name = CString::new(path)?;
        // SAFETY: the string outlives the call, the parameters come from whisper.cpp.
        let context = unsafe {
            let mut params = sys::whisper_context_default_params();
            params.use_gpu = false;
            params.flash_attn = false;
            sys::whisper_init_from_file_with_params_no_state(name.as_ptr(), params)
        };
        Ok(Self(NonNull::new(context).ok_or_else(|| format!("{path} cannot be loaded"))?))
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: freed once; states borrow the context, so none is left.
        unsafe { sys::whisper_free(self.0.as_ptr()) }
    }
}

/// What is not whisper.cpp's default for beam search.
pub(crate) struct Params<'a> {
    pub(crate) threads: i32,
    pub(crate) language: &'a str,
    pub(crate) temperature_inc: f32,
}

/// The memory of one run.
pub(crate) struct State<'a> {
    context: &'a Context,
    state: NonNull<sys::whisper_state>,
}

impl<'a> State<'a> {
    pub(crate) fn new(context: &'a Context) -> Result<Self> {
        // SAFETY: the context is valid.
        let state = unsafe { sys::whisper_init_state(context.0.as_ptr()) };
        Ok(Self { context, state: NonNull::new(state).ok_or("no memory for a state")? })
    }

    /// Makes the spectrogram of the samples.
    pub(crate) fn hear(&mut self, samples: &[f32], threads: i32) -> Result<()> {
        let count = i32::try_from(samples.len())?;
        let (context, state) = (self.context.0.as_ptr(), self.state.as_ptr());
        // SAFETY: both pointers are valid and belong together, the samples outlive the call.
        let code = unsafe { sys::whisper_pcm_to_mel_with_state(context, state, samples.as_ptr(), count, threads) };
        succeeded(code, "the spectrogram")
    }

    /// Runs the encoder over the first 30 seconds.
    pub(crate) fn encode(&mut self, threads: i32) -> Result<()> {
        // SAFETY: both pointers are valid and belong together.
        let code = unsafe { sys::whisper_encode_with_state(self.context.0.as_ptr(), self.state.as_ptr(), 0, threads) };
        succeeded(code, "the encoder")
    }

    /// The prompt and then so many text tokens, each the likeliest; it never ends early.
    pub(crate) fn decode(&mut self, threads: i32, tokens: usize) -> Result<()> {
        let (context, state) = (self.context.0.as_ptr(), self.state.as_ptr());
        // SAFETY: both pointers are valid and belong together; `next` outlives each call; whisper.cpp holds a row
        // of logits for each token of the call, with one for each entry of the vocabulary, and fills in the last row.
        unsafe {
            let vocabulary = usize::try_from(sys::whisper_model_n_vocab(context))?;
            let end = usize::try_from(sys::whisper_token_eot(context))?;
            let english = sys::whisper_token_lang(context, 0);
            let (sot, transcribe) = (sys::whisper_token_sot(context), sys::whisper_token_transcribe(context));
            let mut next = vec![sot, english, transcribe, sys::whisper_token_not(context)];
            let mut past = 0;
            for _ in 0..tokens {
                let count = i32::try_from(next.len())?;
                let code = sys::whisper_decode_with_state(context, state, next.as_ptr(), count, past, threads);
                succeeded(code, "the decoder")?;
                past += count;
                let last = sys::whisper_get_logits_from_state(state).add((next.len() - 1) * vocabulary);
                let logits = std::slice::from_raw_parts(last, end);
                let best = logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(id, _)| id);
                next = vec![i32::try_from(best)?];
            }
        }
        Ok(())
    }

    /// The whole road with beam search; gives the number of segments.
    pub(crate) fn full(&mut self, params: &Params<'_>, samples: &[f32]) -> Result<i32> {
        let language = CString::new(params.language)?;
        let count = i32::try_from(samples.len())?;
        // SAFETY: context and state are valid and belong together; string and samples outlive the call.
        unsafe {
            let mut full =
                sys::whisper_full_default_params(sys::whisper_sampling_strategy_WHISPER_SAMPLING_BEAM_SEARCH);
            full.n_threads = params.threads;
            full.language = language.as_ptr();
            full.temperature_inc = params.temperature_inc;
            full.no_context = true;
            full.print_progress = false;
            full.print_timestamps = false;
            let (context, state) = (self.context.0.as_ptr(), self.state.as_ptr());
            let code = sys::whisper_full_with_state(context, state, full, samples.as_ptr(), count);
            succeeded(code, "the run")?;
            Ok(sys::whisper_full_n_segments_from_state(state))
        }
    }
}

impl Drop for State<'_> {
    fn drop(&mut self) {
        // SAFETY: freed once.
        unsafe { sys::whisper_free_state(self.state.as_ptr()) }
    }
}

fn succeeded(code: i32, what: &str) -> Result<()> {
    if code == 0 { Ok(()) } else { Err(format!("{what} failed with code {code}").into()) }
}

/// Keeps whisper.cpp's messages out of the way.
pub(crate) fn quiet() {
    unsafe extern "C" fn nothing(_: sys::ggml_log_level, _: *const c_char, _: *mut c_void) {}
    // SAFETY: the function has the type asked for and needs no user data.
    unsafe {
        sys::whisper_log_set(Some(nothing), std::ptr::null_mut());
        sys::ggml_log_set(Some(nothing), std::ptr::null_mut());
    }
}
