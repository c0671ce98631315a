//! Owners of whisper.cpp's two objects: the weights and one run's memory.
//!
//! whisper-rs' own wrappers leak their callbacks and strings, hand the abort callback a wrong type and hide
//! `best_of`, so the raw calls are wrapped here, as thinly as possible. Callers may rely on these types being safe:
//! a context is only read after loading, and a state is only ever used through `&mut`.

use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    os::unix::ffi::OsStrExt,
    path::Path,
    ptr::NonNull,
    sync::Arc,
};

use whisper_rs::whisper_rs_sys as sys;

use crate::error::{Code, Error, Result};

/// The weights of one model. They are shared by all of its states.
pub(super) struct Context(NonNull<sys::whisper_context>);

// SAFETY: whisper.cpp writes to a context only while it loads and when it is freed; everything else goes to the state.
unsafe impl Send for Context {}
// SAFETY: as above; concurrent runs with one state each are the documented use.
unsafe impl Sync for Context {}

impl Context {
    /// Loads a model file. The file must have passed [`crate::transcribe::models::check_file`]: whisper.cpp aborts the
    /// process over some wrong ones.
    pub(super) fn load(path: &Path, use_gpu: bool, gpu_device: i32) -> Result<Self> {
        let failed = |detail: &str| Error::new(Code::EngineFailed, detail);
        let name = CString::new(path.as_os_str().as_bytes()).map_err(|_| failed("The model's path has a zero byte"))?;
        // SAFETY: the function only fills in a struct.
        let mut params = unsafe { sys::whisper_context_default_params() };
        params.use_gpu = use_gpu;
        params.gpu_device = gpu_device;
        // On a CPU ggml's flash attention is several times slower than its matrix products (measured; the encoder).
        params.flash_attn = use_gpu;
        // SAFETY: `name` is a C string which outlives the call, `params` comes from whisper.cpp itself.
        let context = unsafe { sys::whisper_init_from_file_with_params_no_state(name.as_ptr(), params) };
        NonNull::new(context)
            .map(Self)
            .ok_or_else(|| failed("whisper.cpp could not load the model; there may not be enough memory for it"))
    }

    /// How many languages the model knows; 0 when it is for English only.
    pub(super) fn languages(&self) -> usize {
        // SAFETY: the context is valid as long as `self`, and this only reads.
        let vocabulary = unsafe { sys::whisper_model_n_vocab(self.0.as_ptr()) };
        usize::try_from(vocabulary - 51_766).map_or(0, |count| if vocabulary < 51_865 { 0 } else { count })
    }

    /// The bytes of a token's text; pieces of one character may be spread over several tokens.
    pub(super) fn token_bytes(&self, token: i32) -> &[u8] {
        // SAFETY: the token came from this model, so the lookup succeeds; the string lives as long as the context.
        unsafe {
            let text: *const c_char = sys::whisper_token_to_str(self.0.as_ptr(), token);
            if text.is_null() { &[] } else { CStr::from_ptr(text).to_bytes() }
        }
    }

    /// The first token id which is no text.
    pub(super) fn end_of_text(&self) -> i32 {
        // SAFETY: the context is valid as long as `self`, and this only reads.
        unsafe { sys::whisper_token_eot(self.0.as_ptr()) }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the pointer came from whisper_init and is freed once; states hold an `Arc` of this.
        unsafe { sys::whisper_free(self.0.as_ptr()) }
    }
}

/// The memory of one run at a time.
pub(super) struct State {
    pub(super) context: Arc<Context>,
    state: NonNull<sys::whisper_state>,
}

// SAFETY: a state has no ties to the thread that made it.
unsafe impl Send for State {}

/// One token of a result, as whisper.cpp has it.
pub(super) type TokenData = sys::whisper_token_data;

impl State {
    /// Takes the memory for a run.
    pub(super) fn new(context: Arc<Context>) -> Result<Self> {
        // SAFETY: the context is valid.
        let state = unsafe { sys::whisper_init_state(context.0.as_ptr()) };
        match NonNull::new(state) {
            Some(state) => Ok(Self { context, state }),
            None => Err(Error::new(Code::EngineFailed, "There is not enough memory for one more transcription")),
        }
    }

    /// Runs the model over at most some minutes of samples; the number is whisper.cpp's own, 0 is success.
    ///
    /// # Safety
    /// Every pointer in `params` must be valid for the call and fit its callback.
    pub(super) unsafe fn full(&mut self, params: sys::whisper_full_params, samples: &[f32]) -> c_int {
        let count = c_int::try_from(samples.len()).unwrap_or(c_int::MAX);
        // SAFETY: context and state are valid and belong together, the samples outlive the call, `params` by contract.
        let code = unsafe {
            let (context, state) = (self.context.0.as_ptr(), self.state.as_ptr());
            sys::whisper_full_with_state(context, state, params, samples.as_ptr(), count)
        };
        if code == -7 {
            // whisper.cpp has freed the state on this way out: nothing of it may be touched again, not even to free it.
            // The process ends, and the pool starts another.
            std::process::abort();
        }
        code
    }

    /// The probability of each language, by whisper.cpp's language number, over the first 30 seconds of the samples.
    pub(super) fn detect(&mut self, samples: &[f32], threads: i32) -> Option<Vec<f32>> {
        let count = c_int::try_from(samples.len()).unwrap_or(c_int::MAX);
        let (context, state) = (self.context.0.as_ptr(), self.state.as_ptr());
        let languages = usize::try_from(whisper_rs::get_lang_max_id() + 1).unwrap_or(0);
        let mut probabilities = vec![0.0f32; languages];
        // SAFETY: context, state and samples as in `full`; the array has room for every language number.
        let code = unsafe {
            if sys::whisper_pcm_to_mel_with_state(context, state, samples.as_ptr(), count, threads) != 0 {
                return None;
            }
            sys::whisper_lang_auto_detect_with_state(context, state, 0, threads, probabilities.as_mut_ptr())
        };
        (code >= 0).then_some(probabilities)
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // SAFETY: the pointer came from whisper_init_state and is freed once (`full` aborts where whisper.cpp freed it).
        unsafe { sys::whisper_free_state(self.state.as_ptr()) }
    }
}

/// The segments which a state holds.
pub(super) struct Results<'a> {
    pub(super) context: &'a Context,
    state: *mut sys::whisper_state,
}

impl<'a> Results<'a> {
    /// # Safety
    /// `state` must be valid, and not be changed, as long as this value lives.
    pub(super) unsafe fn new(context: &'a Context, state: *mut sys::whisper_state) -> Self {
        Self { context, state }
    }

    /// How many segments there are.
    pub(super) fn len(&self) -> i32 {
        // SAFETY: the state is valid.
        unsafe { sys::whisper_full_n_segments_from_state(self.state) }
    }

    /// Start and end of a segment in hundredths of a second, and its no-speech probability.
    pub(super) fn segment(&self, index: i32) -> (i64, i64, f32) {
        debug_assert!((0..self.len()).contains(&index));
        // SAFETY: the state is valid; callers count up to `len`.
        unsafe {
            (
                sys::whisper_full_get_segment_t0_from_state(self.state, index),
                sys::whisper_full_get_segment_t1_from_state(self.state, index),
                sys::whisper_full_get_segment_no_speech_prob_from_state(self.state, index),
            )
        }
    }

    /// The text tokens of a segment, without special ones.
    pub(super) fn tokens(&self, index: i32) -> Vec<TokenData> {
        debug_assert!((0..self.len()).contains(&index));
        let end_of_text = self.context.end_of_text();
        // SAFETY: the state is valid; both numbers are within their counts.
        let tokens = unsafe {
            (0..sys::whisper_full_n_tokens_from_state(self.state, index))
                .map(|token| sys::whisper_full_get_token_data_from_state(self.state, index, token))
                .collect::<Vec<_>>()
        };
        tokens.into_iter().filter(|token| token.id < end_of_text).collect()
    }
}

/// Sends whisper.cpp's and ggml's messages to stderr, without its chatter about every buffer.
pub(crate) fn log_to_stderr() {
    unsafe extern "C" fn print(level: sys::ggml_log_level, text: *const c_char, _: *mut c_void) {
        if text.is_null() || (level != sys::ggml_log_level_GGML_LOG_LEVEL_WARN && level != LEVEL_ERROR) {
            return;
        }
        // SAFETY: whisper.cpp passes a C string which is valid during the call.
        let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
        eprintln!("whisper.cpp: {}", text.trim_end());
    }
    const LEVEL_ERROR: sys::ggml_log_level = sys::ggml_log_level_GGML_LOG_LEVEL_ERROR;
    // SAFETY: the function has the type asked for, needs no user data and never unwinds (stderr is open).
    unsafe {
        sys::whisper_log_set(Some(print), std::ptr::null_mut());
        sys::ggml_log_set(Some(print), std::ptr::null_mut());
    }
}
