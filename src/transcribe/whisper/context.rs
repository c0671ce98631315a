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
    /// process over some wrong ones. `gpu` counts every GPU that ggml knows; none computes on the CPU.
    pub(super) fn load(path: &Path, gpu: Option<i32>) -> Result<Self> {
        let failed = |detail: &str| Error::new(Code::EngineFailed, detail);
        let name = CString::new(path.as_os_str().as_bytes()).map_err(|_| failed("The model's path has a zero byte"))?;
        // SAFETY: the function only fills in a struct.
        let mut params = unsafe { sys::whisper_context_default_params() };
        params.use_gpu = gpu.is_some();
        params.gpu_device = gpu.unwrap_or(0);
        // On a CPU ggml's flash attention is several times slower than its matrix products (measured; the encoder).
        params.flash_attn = gpu.is_some();
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

    /// The tokens of a text. For a long word without blanks whisper.cpp needs much stack: give it pieces.
    pub(super) fn tokenize(&self, text: &str) -> Vec<i32> {
        let Ok(text) = CString::new(text) else { return Vec::new() };
        // A token has at least one byte.
        let mut tokens = vec![0; text.as_bytes().len()];
        let room = c_int::try_from(tokens.len()).unwrap_or(c_int::MAX);
        // SAFETY: the text is a C string, and the array has as much room as is said; the context is only read.
        let count = unsafe { sys::whisper_tokenize(self.0.as_ptr(), text.as_ptr(), tokens.as_mut_ptr(), room) };
        tokens.truncate(usize::try_from(count).unwrap_or(0));
        tokens.retain(|token| *token < self.end_of_text());
        tokens
    }

    /// How many tokens the vocabulary has.
    pub(super) fn vocabulary(&self) -> usize {
        // SAFETY: the context is valid as long as `self`, and this only reads.
        usize::try_from(unsafe { sys::whisper_model_n_vocab(self.0.as_ptr()) }).unwrap_or(0)
    }

    /// How many tokens a text may have, the prompt included.
    pub(super) fn text_context(&self) -> usize {
        // SAFETY: the context is valid as long as `self`, and this only reads.
        usize::try_from(unsafe { sys::whisper_model_n_text_ctx(self.0.as_ptr()) }).unwrap_or(0)
    }

    /// How many positions the encoder has: 1500 for 30 seconds.
    pub(super) fn audio_context(&self) -> i32 {
        // SAFETY: the context is valid as long as `self`, and this only reads.
        unsafe { sys::whisper_model_n_audio_ctx(self.0.as_ptr()) }
    }

    /// How likely the model thinks that nobody speaks in what a state has encoded last, 0 to 1; 0 when it cannot tell.
    /// What the state has decoded is lost.
    ///
    /// # Safety
    /// The state must be valid and of this context, and nobody else may use it meanwhile.
    pub(super) unsafe fn no_speech(&self, state: *mut sys::whisper_state, threads: i32) -> f32 {
        // SAFETY: the context is valid, the state by contract.
        let (token, logits) = unsafe { (sys::whisper_token_nosp(self.0.as_ptr()), self.begin(state, threads)) };
        let at = usize::try_from(token).ok();
        logits.zip(at).and_then(|(logits, at)| softmax(logits).nth(at)).unwrap_or(0.0)
    }

    /// The probability of each language of the model in what a state has encoded last, by whisper.cpp's language number.
    /// What the state has decoded is lost.
    ///
    /// # Safety
    /// As for [`Self::no_speech`].
    pub(super) unsafe fn spoken(&self, state: *mut sys::whisper_state, threads: i32) -> Option<Vec<f32>> {
        // SAFETY: the context is valid, the state by contract.
        let (first, logits) = unsafe { (sys::whisper_token_lang(self.0.as_ptr(), 0), self.begin(state, threads)?) };
        let first = usize::try_from(first).ok()?;
        // In an older model the tokens of younger languages mean something else.
        Some(softmax(logits.get(first..first + self.languages())?).collect())
    }

    /// Decodes the first token of all; gives the logits of what may follow it, with one for each entry of the vocabulary.
    ///
    /// # Safety
    /// As for [`Self::no_speech`]; the logits are gone with the state's next pass.
    unsafe fn begin<'s>(&self, state: *mut sys::whisper_state, threads: i32) -> Option<&'s [f32]> {
        // SAFETY: context and state are valid and belong together, and a decoding of one token leaves the logits of the
        // whole vocabulary.
        unsafe {
            let first = sys::whisper_token_sot(self.0.as_ptr());
            let code = sys::whisper_decode_with_state(self.0.as_ptr(), state, &raw const first, 1, 0, threads);
            let logits = sys::whisper_get_logits_from_state(state);
            (code == 0).then(|| std::slice::from_raw_parts(logits, self.vocabulary()))
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

    /// [`Context::spoken`] of the first 30 seconds of the samples.
    pub(super) fn detect(&mut self, samples: &[f32], threads: i32) -> Option<Vec<f32>> {
        let count = c_int::try_from(samples.len()).unwrap_or(c_int::MAX);
        let (context, state) = (self.context.0.as_ptr(), self.state.as_ptr());
        // SAFETY: context, state and samples as in `full`; nobody else uses the state.
        unsafe {
            let is_encoded = sys::whisper_pcm_to_mel_with_state(context, state, samples.as_ptr(), count, threads) == 0
                && sys::whisper_encode_with_state(context, state, 0, threads) == 0;
            if is_encoded { self.context.spoken(state, threads) } else { None }
        }
    }

    /// For callbacks of [`Self::full`], which have it to themselves.
    pub(super) fn pointer(&self) -> *mut sys::whisper_state {
        self.state.as_ptr()
    }
}

/// Logits as probabilities.
fn softmax(logits: &[f32]) -> impl Iterator<Item = f32> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = logits.iter().map(|logit| (logit - most).exp()).sum();
    logits.iter().map(move |logit| (logit - most).exp() / sum)
}

impl Drop for State {
    fn drop(&mut self) {
        // SAFETY: the pointer came from whisper_init_state and is freed once (`full` aborts where whisper.cpp freed it).
        unsafe { sys::whisper_free_state(self.state.as_ptr()) }
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
