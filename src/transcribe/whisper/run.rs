//! One run over one window: parameters, callbacks, results.

use std::{
    ffi::{CString, c_int, c_void},
    sync::atomic::{AtomicU32, AtomicUsize, Ordering},
};

use whisper_rs::whisper_rs_sys as sys;

use super::{
    MAX_BEAM,
    context::{Context, Results, State},
};
use crate::{
    domain::{Options, Segment, options::Goal},
    error::{Code, Error, Result},
    transcribe::{
        engine::Heard,
        text,
        words::{self, Token},
    },
};

/// The whisper.cpp default: how much hotter each further attempt is.
const TEMPERATURE_STEP: f32 = 0.2;

/// What to do with a window.
pub(crate) struct Settings<'a> {
    /// The language's code.
    pub language: &'a str,
    /// The text before the window; empty for none.
    pub previous: &'a str,
    /// What was asked for.
    pub options: &'a Options,
}

/// Who looks on while a window is recognised. Both functions are called from the thread of the run.
pub(crate) struct Watch<'a> {
    /// Whether to stop now.
    pub stop: &'a (dyn Fn() -> bool + Sync),
    /// Takes signs of life and segments.
    pub heard: &'a (dyn Fn(Heard) + Sync),
}

/// What the callbacks need; it lives on the stack of [`run`].
struct Callbacks<'a> {
    context: &'a Context,
    settings: &'a Settings<'a>,
    watch: &'a Watch<'a>,
    /// Percent of the window.
    progress: AtomicU32,
    /// Attempts at the 30 seconds in work: whisper.cpp does not tell the temperature it ended with.
    attempts: AtomicUsize,
}

pub(super) fn run(
    mut state: State,
    threads: i32,
    samples: &[f32],
    settings: &Settings<'_>,
    watch: &Watch<'_>,
) -> Result<()> {
    let options = settings.options;
    let text = |text: &str| CString::new(text.replace('\0', " "));
    let invalid = |_| Error::new(Code::InvalidValue, "The text has a zero byte");
    let language = text(settings.language).map_err(invalid)?;
    let prompt = options.initial_prompt.as_deref().map(text).transpose().map_err(invalid)?;
    let context = state.context.clone();
    let callbacks =
        Callbacks { context: &context, settings, watch, progress: AtomicU32::new(0), attempts: AtomicUsize::new(0) };
    let data = (&raw const callbacks).cast_mut().cast::<c_void>();

    let beam = options.beam_size.clamp(1, MAX_BEAM);
    let strategy = if beam == 1 {
        sys::whisper_sampling_strategy_WHISPER_SAMPLING_GREEDY
    } else {
        sys::whisper_sampling_strategy_WHISPER_SAMPLING_BEAM_SEARCH
    };
    // SAFETY: the function only fills in a struct.
    let mut params = unsafe { sys::whisper_full_default_params(strategy) };
    params.n_threads = threads;
    params.language = language.as_ptr();
    params.translate = options.task == Goal::Translate;
    params.initial_prompt = prompt.as_ref().map_or(std::ptr::null(), |prompt| prompt.as_ptr());
    params.no_context = true;
    params.suppress_blank = true;
    params.print_progress = false;
    params.print_timestamps = false;
    params.token_timestamps = options.word_timestamps;
    params.temperature = options.temperature.0[0];
    params.temperature_inc = if options.temperature.0.len() > 1 { TEMPERATURE_STEP } else { 0.0 };
    params.greedy.best_of = 5;
    params.beam_search.beam_size = beam.into();
    params.new_segment_callback = Some(new_segment);
    params.new_segment_callback_user_data = data;
    params.progress_callback = Some(progress);
    params.progress_callback_user_data = data;
    params.encoder_begin_callback = Some(encoder_begin);
    params.encoder_begin_callback_user_data = data;
    params.abort_callback = Some(abort);
    params.abort_callback_user_data = data;
    params.logits_filter_callback = Some(logits_filter);
    params.logits_filter_callback_user_data = data;

    // SAFETY: the strings and `callbacks` live until the end of this function, and each callback casts the user data
    // back to the type that it has.
    let code = unsafe { state.full(params, samples) };
    match code {
        _ if (watch.stop)() => Err(Error::new(Code::Cancelled, "The transcription was cancelled")),
        0 => Ok(()),
        code => Err(Error::new(Code::EngineFailed, format!("whisper.cpp failed with code {code}"))),
    }
}

/// # Safety
/// `data` must be what [`run`] passes.
unsafe fn callbacks<'a>(data: *mut c_void) -> &'a Callbacks<'a> {
    // SAFETY: by contract; `run` keeps the value alive until whisper.cpp returns, and it is only read.
    unsafe { &*data.cast_const().cast() }
}

impl Callbacks<'_> {
    fn alive(&self) {
        (self.watch.heard)(Heard::Alive(f64::from(self.progress.load(Ordering::Relaxed)) / 100.0));
    }
}

/// Called after every encoder and decoder pass (whisper.cpp does not ask within one).
unsafe extern "C" fn abort(data: *mut c_void) -> bool {
    // SAFETY: the data is ours.
    let callbacks = unsafe { callbacks(data) };
    callbacks.alive();
    (callbacks.watch.stop)()
}

unsafe extern "C" fn encoder_begin(
    _: *mut sys::whisper_context,
    _: *mut sys::whisper_state,
    data: *mut c_void,
) -> bool {
    // SAFETY: the data is ours.
    let callbacks = unsafe { callbacks(data) };
    callbacks.attempts.store(0, Ordering::Relaxed);
    callbacks.alive();
    !(callbacks.watch.stop)()
}

unsafe extern "C" fn progress(
    _: *mut sys::whisper_context,
    _: *mut sys::whisper_state,
    percent: c_int,
    data: *mut c_void,
) {
    // SAFETY: the data is ours.
    let callbacks = unsafe { callbacks(data) };
    callbacks.progress.store(percent.clamp(0, 100).unsigned_abs(), Ordering::Relaxed);
    callbacks.alive();
}

/// Changes nothing: it counts the attempts, each of which begins with one call without tokens.
unsafe extern "C" fn logits_filter(
    _: *mut sys::whisper_context,
    _: *mut sys::whisper_state,
    _: *const sys::whisper_token_data,
    tokens: c_int,
    _: *mut f32,
    data: *mut c_void,
) {
    if tokens == 0 {
        // SAFETY: the data is ours.
        unsafe { callbacks(data) }.attempts.fetch_add(1, Ordering::Relaxed);
    }
}

unsafe extern "C" fn new_segment(
    _: *mut sys::whisper_context,
    state: *mut sys::whisper_state,
    new: c_int,
    data: *mut c_void,
) {
    // SAFETY: the data is ours.
    let callbacks = unsafe { callbacks(data) };
    // SAFETY: whisper.cpp passes the state that it works on, and waits for this function.
    let results = unsafe { Results::new(callbacks.context, state) };
    let count = results.len();
    for index in (count - new).max(0)..count {
        if let Some(segment) = read(callbacks, &results, index) {
            (callbacks.watch.heard)(Heard::Segment(segment));
        }
    }
}

fn read(callbacks: &Callbacks<'_>, results: &Results<'_>, index: i32) -> Option<Segment> {
    let tokens = results.tokens(index);
    let bytes: Vec<u8> = tokens.iter().flat_map(|token| callbacks.context.token_bytes(token.id)).copied().collect();
    let text = text::clean(&bytes);
    if text.is_empty() {
        return None;
    }
    let (start, end, no_speech_prob) = results.segment(index);
    let seconds = |hundredths: i64| hundredths.max(0) as f64 / 100.0;
    let (start, end) = (seconds(start), seconds(end.max(start)));
    let options = callbacks.settings.options;
    let words = if options.word_timestamps {
        let token = |token: &sys::whisper_token_data| Token {
            bytes: callbacks.context.token_bytes(token.id),
            start: seconds(token.t0),
            end: seconds(token.t1),
            probability: token.p,
        };
        words::merge(&tokens.iter().map(token).collect::<Vec<_>>(), start, end)
    } else {
        Vec::new()
    };
    let further = callbacks.attempts.load(Ordering::Relaxed).saturating_sub(1);
    Some(Segment {
        id: 0,
        start,
        end,
        avg_logprob: tokens.iter().map(|token| token.plog).sum::<f32>() / tokens.len().max(1) as f32,
        no_speech_prob,
        compression_ratio: text::compression_ratio(&text),
        temperature: options.temperature.0.get(further).copied().unwrap_or(1.0),
        tokens: tokens.iter().map(|token| token.id).collect(),
        words,
        text,
    })
}
