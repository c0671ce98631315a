//! whisper.cpp through its own C API, without trawl: what `benches/` compares trawl with.
//!
//! ```text
//! capi one MODEL THREADS TOKENS            one 30 s window: encoder, then so many tokens, the likeliest each time
//! capi windows PCM MODEL THREADS LANGUAGE LADDER START-END,…|whole
//!                                          whisper_full over windows of samples, or over the file at one go
//! capi init MODEL THREADS                  what a state costs in time and memory
//! ```
//!
//! Each prints one line of JSON. `LADDER` is whisper.cpp's `temperature_inc`: 0.2 is its default, 0 allows one attempt.

#![allow(clippy::print_stdout, reason = "the result is the program's output")]

mod whisper;

use std::{env, error::Error, fs, process::ExitCode, time::Instant};

use whisper::{Context, Params, State};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Samples in a second.
const RATE: usize = 16_000;

fn main() -> ExitCode {
    whisper::quiet();
    // As trawl does; with the same switch.
    if env::var_os("TRAWL_ACCEL").is_none_or(|value| value != "off") {
        // SAFETY: this is the only thread.
        if let Err(reason) = unsafe { accel::register() } {
            eprintln!("capi: {reason}");
        }
    }
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["one", model, threads, tokens] => one(model, threads, tokens),
        ["windows", pcm, model, threads, language, ladder, list] => {
            windows(pcm, model, threads, language, ladder, list)
        }
        ["init", model, threads] => init(model, threads),
        _ => Err("usage: capi one|windows|init … (see the head of main.rs)".into()),
    };
    match result {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("capi: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The encoder and a greedy decoder over 30 seconds of noise, which takes as long as speech.
fn one(model: &str, threads: &str, tokens: &str) -> Result<String> {
    let (threads, tokens): (i32, usize) = (threads.parse()?, tokens.parse()?);
    let context = Context::load(model)?;
    let mut state = State::new(&context)?;
    state.hear(&noise(30 * RATE), threads)?;
    state.encode(threads)?; // The first pass touches memory that was never used.
    let begun = Instant::now();
    state.encode(threads)?;
    let encode = milliseconds(begun);
    let begun = Instant::now();
    state.decode(threads, tokens)?;
    let decode = milliseconds(begun);
    Ok(format!(
        r#"{{"encode_ms": {encode:.1}, "token_ms": {:.3}, "window_ms": {:.1}}}"#,
        decode / tokens.max(1) as f64,
        encode + decode
    ))
}

/// `whisper_full` with whisper.cpp's defaults for beam search, as trawl calls it.
fn windows(pcm: &str, model: &str, threads: &str, language: &str, ladder: &str, list: &str) -> Result<String> {
    let params = Params { threads: threads.parse()?, language, temperature_inc: ladder.parse()? };
    let loading = Instant::now();
    let context = Context::load(model)?;
    let load = milliseconds(loading);
    let bytes = fs::read(pcm)?;
    let samples: Vec<f32> =
        bytes.chunks_exact(2).map(|two| f32::from(i16::from_le_bytes([two[0], two[1]])) / 32_768.0).collect();
    let list = if list == "whole" { std::iter::once(0..samples.len()).collect() } else { ranges(list)? };
    let begun = Instant::now();
    let mut segments = 0;
    for range in &list {
        let window = samples.get(range.clone()).ok_or("a window lies outside the file")?;
        // A new state for each, as trawl has it: whisper.cpp seeds its random numbers with the state.
        segments += State::new(&context)?.full(&params, window)?;
    }
    Ok(format!(
        r#"{{"load_ms": {load:.1}, "seconds": {:.3}, "windows": {}, "segments": {segments}}}"#,
        begun.elapsed().as_secs_f64(),
        list.len()
    ))
}

/// Time and memory of states: the second one of a process, after one attempt at a window in each.
fn init(model: &str, threads: &str) -> Result<String> {
    let params = Params { threads: threads.parse()?, language: "en", temperature_inc: 0.0 };
    let samples = noise(2 * RATE);
    let context = Context::load(model)?;
    let weights = resident()?;
    let mut first = State::new(&context)?;
    first.full(&params, &samples)?;
    let before = resident()?;
    let begun = Instant::now();
    let mut second = State::new(&context)?;
    let init = milliseconds(begun);
    second.full(&params, &samples)?;
    Ok(format!(r#"{{"init_ms": {init:.2}, "weights_mib": {weights:.1}, "state_mib": {:.1}}}"#, resident()? - before))
}

fn ranges(list: &str) -> Result<Vec<std::ops::Range<usize>>> {
    let parse = |part: &str| -> Result<_> {
        let (start, end) = part.split_once('-').ok_or("a window is START-END in samples")?;
        Ok(start.parse()?..end.parse()?)
    };
    list.split(',').map(parse).collect()
}

/// The same noise every time, between -0.1 and 0.1.
fn noise(count: usize) -> Vec<f32> {
    let mut seed = 1u32;
    let next = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f64::from(seed >> 8) / f64::from(1u32 << 24) * 0.2 - 0.1) as f32
    };
    std::iter::repeat_with(next).take(count).collect()
}

fn milliseconds(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1_000.0
}

/// MiB of memory that this process has in use.
fn resident() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("the kernel does not tell VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1_024.0)
}
