//! One run over one window: attempts, passes, callbacks.
//!
//! whisper.cpp hears a window in passes: what it could not finish in the first it hears in the next. The segments of a
//! pass are held until the pass is over, which is at the same moment for all of them, and judged: when its text repeats
//! itself, the window is done again from the beginning of that pass, at the next temperature; from its end the window
//! goes on at the first temperature. So segments go out as early as whisper.cpp has them, and none that is given up
//! ever does.

use std::{
    ffi::{CString, c_int, c_void},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
};

use whisper_rs::whisper_rs_sys as sys;

use super::{
    context::{Context, State},
    judge,
    ladder::Ladder,
    language::{self, Search},
    params::{params, prompt_room},
    prompt::prompt,
    segments::Results,
};
use crate::{
    domain::{Options, Segment},
    error::{Code, Error, Result},
    transcribe::{
        audio::SAMPLE_RATE,
        engine::{Heard, Probabilities},
    },
};

/// whisper.cpp leaves less than so many hundredths of a second at a window's end alone.
const LEAST: i64 = 10;

/// What to do with a window.
pub(crate) struct Settings<'a> {
    /// The language's code; without one it is found among those that the options allow.
    pub language: Option<&'a str>,
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

/// What there is to say about a run besides its segments.
#[derive(Debug, Default)]
pub(crate) struct Ran {
    /// The code of the language that was heard.
    pub language: String,
    /// How likely each language of the model is, when the language had to be found.
    pub probabilities: Probabilities,
    /// Texts that repeat themselves even at the last temperature, with their starts in seconds. They were kept.
    pub repeated: Vec<(f64, String)>,
    /// Texts that were taken for silence and dropped, with their starts in seconds; only those that say something.
    pub silent: Vec<(f64, String)>,
    /// Whether there was no room for all of the hotwords.
    pub is_short_of_hotwords: bool,
}

/// What the engine gives a run.
pub(super) struct Means<'a> {
    /// CPU threads.
    pub(super) threads: i32,
    /// Positions of the encoder; 0 for all.
    pub(super) audio_context: i32,
    /// The language of the window before.
    pub(super) last_language: &'a str,
}

/// Hundredths of a second, and the step of the caller's ladder, from which a run begins.
#[derive(Clone, Copy)]
struct Start {
    time: i64,
    step: usize,
}

/// What the callbacks need; it lives on the stack of [`once`].
struct Callbacks<'a> {
    context: &'a Context,
    state: *mut sys::whisper_state,
    language: &'a str,
    search: Option<&'a Search>,
    options: &'a Options,
    watch: &'a Watch<'a>,
    ladder: &'a Ladder,
    threads: i32,
    start: Start,
    /// Of the window, in hundredths of a second.
    length: i64,
    /// Percent of the window.
    progress: AtomicU32,
    /// Attempts at the pass in work: whisper.cpp does not tell the temperature it ended with.
    attempts: AtomicUsize,
    held: Mutex<Held>,
}

/// What waits for the end of a pass, or of the run. Times are in hundredths of a second.
#[derive(Default)]
struct Held {
    /// The text before the next pass, as far as it is good context.
    before: String,
    /// Where the pass in work began.
    pass: i64,
    /// Where the last segment ended.
    end: i64,
    segments: Vec<Segment>,
    repeated: Vec<(f64, String)>,
    silent: Vec<(f64, String)>,
    /// From where to begin again.
    again: Option<Start>,
}

pub(super) fn run(
    state: &mut State,
    means: &Means<'_>,
    samples: &[f32],
    settings: &Settings<'_>,
    watch: &Watch<'_>,
) -> Result<Ran> {
    let options = settings.options;
    let context = state.context.clone();
    let search = match settings.language {
        Some(_) => None,
        None => Some(Search::new(options, context.languages())?),
    };
    let guess = || search.as_ref().map_or(means.last_language, |search| search.guess(means.last_language));
    let mut language = settings.language.unwrap_or_else(guess).to_owned();
    language::check(context.languages(), &language, options.task)?;
    let text_context = context.text_context();
    let mut ran = Ran::default();
    let mut start = Start { time: 0, step: 0 };
    let mut before = settings.previous.to_owned();
    // The state keeps the spectrum, so that the samples are only needed once.
    let mut samples = samples;
    let length = i64::try_from(samples.len() as u64 * 100 / SAMPLE_RATE).unwrap_or(i64::MAX);
    // Each turn begins later than the one before, or at the same time on a later step of the ladder; time ends with the
    // window, and so do the steps with the ladder. Only the first one may be done again in another language.
    loop {
        let code = CString::new(language.as_str())
            .map_err(|error| Error::new(Code::InvalidValue, "There is no such language").with_source(error))?;
        // whisper.cpp forgets the passes of the turn before.
        let prompt = prompt(&context, options, &before, prompt_room(options, text_context));
        ran.is_short_of_hotwords = prompt.is_short_of_hotwords;
        let wanted = options.temperature.0.get(start.step..).unwrap_or_default();
        let ladder = Ladder::new(wanted);
        let mut params = params(options, &ladder, &code, &prompt.tokens, text_context);
        params.n_threads = means.threads;
        params.audio_ctx = means.audio_context;
        params.offset_ms = c_int::try_from(start.time * 10).unwrap_or(0);
        let callbacks = Callbacks {
            context: &context,
            state: state.pointer(),
            language: &language,
            search: search.as_ref(),
            options,
            watch,
            ladder: &ladder,
            threads: means.threads,
            start,
            length: length.max(1),
            progress: AtomicU32::new(0),
            attempts: AtomicUsize::new(0),
            held: Mutex::new(Held { before, ..Held::default() }),
        };
        once(state, params, samples, &callbacks)?;
        let held = callbacks.held.into_inner().unwrap_or_else(PoisonError::into_inner);
        ran.repeated.extend(held.repeated);
        ran.silent.extend(held.silent);
        before = held.before;
        samples = &[];
        match (search.as_ref().filter(|search| search.refutes(&language)), held.again) {
            (Some(search), _) => language = search.spoken().ok_or_else(language::undetected)?.to_owned(),
            (None, Some(again)) => start = again,
            (None, None) => break,
        }
    }
    Ok(Ran { language, probabilities: search.map(Search::end).unwrap_or_default(), ..ran })
}

/// Runs the model to the window's end, to the end of a pass that is to be done again, or to where it is clear that the
/// language is another one.
fn once(
    state: &mut State,
    mut params: sys::whisper_full_params,
    samples: &[f32],
    callbacks: &Callbacks<'_>,
) -> Result<()> {
    let data = std::ptr::from_ref(callbacks).cast_mut().cast::<c_void>();
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
    // SAFETY: `callbacks` and what the parameters point to outlive the call, and each callback casts the user data back
    // to the type that it has.
    let code = unsafe { state.full(params, samples) };
    match code {
        _ if (callbacks.watch.stop)() => Err(Error::new(Code::Cancelled, "The transcription was cancelled")),
        0 => Ok(()),
        _ if callbacks.is_refuted() => Ok(()),
        code => Err(Error::new(Code::EngineFailed, format!("whisper.cpp failed with code {code}"))),
    }
}

impl Callbacks<'_> {
    fn alive(&self) {
        (self.watch.heard)(Heard::Alive(f64::from(self.progress.load(Ordering::Relaxed)) / 100.0));
    }

    /// Whether the language is known to be another one.
    fn is_refuted(&self) -> bool {
        self.search.is_some_and(|search| search.refutes(self.language))
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The attempt in work, or the last one, counted from 0.
    fn attempt(&self) -> usize {
        self.attempts.load(Ordering::Relaxed).saturating_sub(1)
    }

    /// Judges the pass that is over, and lets its segments out or asks for another try.
    fn settle(&self, results: &Results<'_>) {
        let mut held = self.held();
        let mut segments = std::mem::take(&mut held.segments);
        if segments.is_empty() {
            return;
        }
        let no_speech = results.no_speech(self.threads);
        if no_speech > self.options.no_speech_threshold
            && judge::log_probability(&segments) < self.options.logprob_threshold
        {
            let text = judge::text(&segments);
            if judge::says_something(&text) {
                held.silent.extend(segments.first().map(|first| (first.start, text)));
            }
            return;
        }
        for segment in &mut segments {
            segment.no_speech_prob = no_speech;
        }
        let is_repeated = judge::repetition(&segments) > self.options.compression_ratio_threshold;
        if is_repeated {
            let attempt = self.attempt();
            if attempt + 1 < self.ladder.len() {
                held.again = Some(Start { time: held.pass, step: self.start.step + attempt + 1 });
                return;
            }
            held.repeated.extend(segments.first().map(|first| (first.start, first.text.clone())));
        }
        if self.options.is_conditioned() {
            held.before = judge::context(&held.before, &segments, is_repeated);
        }
        for segment in segments {
            (self.watch.heard)(Heard::Segment(segment));
        }
    }
}

/// # Safety
/// `data` must be what [`once`] passes.
unsafe fn callbacks<'a>(data: *mut c_void) -> &'a Callbacks<'a> {
    // SAFETY: by contract; the value lives until whisper.cpp returns, and it is only read.
    unsafe { &*data.cast_const().cast() }
}

/// Called after every encoder and decoder pass (whisper.cpp does not ask within one), first after the encoder's first.
unsafe extern "C" fn abort(data: *mut c_void) -> bool {
    // SAFETY: the data is ours.
    let callbacks = unsafe { callbacks(data) };
    callbacks.alive();
    if let Some(search) = callbacks.search {
        // SAFETY: whisper.cpp works on this state and waits for this function; it has decoded nothing yet that it needs.
        search.look(|| unsafe { callbacks.context.spoken(callbacks.state, callbacks.threads) });
    }
    (callbacks.watch.stop)() || callbacks.is_refuted()
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
    !(callbacks.watch.stop)() && callbacks.held().again.is_none()
}

/// Called before every pass and after the last one; nothing is being decoded then.
unsafe extern "C" fn progress(
    _: *mut sys::whisper_context,
    state: *mut sys::whisper_state,
    percent: c_int,
    data: *mut c_void,
) {
    // SAFETY: the data is ours.
    let callbacks = unsafe { callbacks(data) };
    // The percentage is of what was left when this run began.
    let (begun, length) = (callbacks.start.time, callbacks.length);
    let done = |percent: c_int| begun + (length - begun).max(0) * i64::from(percent.clamp(0, 100)) / 100;
    callbacks.progress.store(u32::try_from(done(percent) * 100 / length).unwrap_or(0).min(100), Ordering::Relaxed);
    // SAFETY: whisper.cpp passes the state that it works on, and waits for this function.
    callbacks.settle(&unsafe { Results::new(callbacks.context, state) });
    // whisper.cpp does not tell where the next pass begins more exactly; mostly it is where the last segment ended.
    let mut held = callbacks.held();
    held.pass = held.end.clamp(done(percent), done(percent + 1));
    // A pass that was done again is over: the next one has the whole ladder.
    let is_over = begun < held.pass && held.pass + LEAST < length;
    if callbacks.start.step > 0 && is_over && held.again.is_none() {
        held.again = Some(Start { time: held.pass, step: 0 });
    }
    drop(held);
    callbacks.alive();
}

/// Called with the logits after whisper.cpp has divided them by its temperature, from several threads, and first in
/// each attempt with no tokens, from one.
unsafe extern "C" fn logits_filter(
    _: *mut sys::whisper_context,
    _: *mut sys::whisper_state,
    _: *const sys::whisper_token_data,
    tokens: c_int,
    logits: *mut f32,
    data: *mut c_void,
) {
    // SAFETY: the data is ours.
    let callbacks = unsafe { callbacks(data) };
    if tokens == 0 {
        callbacks.attempts.fetch_add(1, Ordering::Relaxed);
    }
    if let Some(scale) = callbacks.ladder.scale(callbacks.attempt()) {
        // SAFETY: there is a logit for every token, and nobody else uses these now.
        let logits = unsafe { std::slice::from_raw_parts_mut(logits, callbacks.context.vocabulary()) };
        logits.iter_mut().for_each(|logit| *logit *= scale);
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
    let temperature = callbacks.ladder.wanted(callbacks.attempt());
    let count = results.len();
    let mut held = callbacks.held();
    for index in (count - new).max(0)..count {
        held.end = results.end(index);
        held.segments.extend(results.segment(index, callbacks.options, temperature));
    }
}
