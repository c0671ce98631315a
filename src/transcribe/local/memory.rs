//! How much memory engines may take, and how much one will.

use crate::transcribe::models::ModelInfo;

/// Bytes of main memory that engines on the CPU may take together: what is configured, else three quarters of what the
/// machine, or the container, has. Where that cannot be known there is no limit.
pub(super) fn cpu_budget(configured: u64) -> u64 {
    match configured {
        0 => main_memory().map_or(u64::MAX, |total| total / 4 * 3),
        bytes => bytes,
    }
}

/// Bytes of main memory of the machine, or of the container when that has less.
pub(super) fn main_memory() -> Option<u64> {
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| field(&text, "MemTotal:"));
    let container = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let container = container.and_then(|text| text.trim().parse().ok());
    machine.into_iter().chain(container).min()
}

/// The memory of a GPU that engines may use together; the rest is for the driver.
pub(super) fn gpu_budget(total: u64) -> u64 {
    total / 10 * 9
}

/// What an engine will take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Need {
    /// Bytes, once.
    pub(super) fixed: u64,
    /// Bytes for each slot.
    pub(super) slot: u64,
}

impl Need {
    /// Bytes of an engine with so many slots.
    pub(super) fn total(self, slots: usize) -> u64 {
        self.fixed.saturating_add(self.slot.saturating_mul(slots as u64))
    }
}

/// The process, without a model.
const PROCESS: u64 = 28 << 20;
/// A CUDA context and its kernels; other drivers take less.
const DRIVER: u64 = 400 << 20;
/// The audio, its spectrum, and what threads keep, for each slot.
const AUDIO: u64 = 16 << 20;
/// Hypotheses that have room in the key-value cache: the default of 5, and 2 more that whisper.cpp adds.
const BEAMS: u64 = 7;
/// Bytes that each of whisper.cpp's 8 decoders keeps for each word of the vocabulary.
const PER_WORD: u64 = 8 * 28;

/// Estimates what an engine will take at most with a beam of 5 and the longest prompt. With A = audio context (1,500),
/// T = text context (448; P: rounded up to 256), S = state, H = heads, L = text layers, V = vocabulary, all in bytes:
///
/// * once: the file, and the process or the driver;
/// * for each slot: keys and values of 2 bytes each for text `2·2·S·L·P·7`, audio `2·2·S·L·A` and padding `2·2·S·A`;
///   the encoder's buffer `4·A·S·8` and the front's `4·2A·(3·mels + S)`; scores of every word `4·V·T` (two copies for a
///   prompt of half the context) and what decoders keep of them `28·8·V`; and on a CPU, which has no flash attention, the
///   attention's scores `4·A²·H` in the encoder and `4·T·(A + P)·H` in the decoder.
pub(super) fn need(info: &ModelInfo, cpu: bool) -> Need {
    let dims = &info.dims;
    let audio = u64::from(dims.n_audio_ctx);
    let text = u64::from(dims.n_text_ctx);
    let padded = text.next_multiple_of(256);
    let state = u64::from(dims.n_audio_state);
    let layers = u64::from(dims.n_text_layer);
    let words = u64::from(dims.n_vocab);
    let heads = |heads: u32| if cpu { 4 * u64::from(heads) } else { 0 };
    let caches = 4 * state * (layers * padded * BEAMS + layers * audio + audio);
    let buffers = 4 * audio * state * 8 + 4 * 2 * audio * (3 * u64::from(dims.n_mels) + state);
    let scores = (4 * text + PER_WORD) * words;
    let attention = audio * audio * heads(dims.n_audio_head) + text * (audio + padded) * heads(dims.n_text_head);
    let fixed = info.size + if cpu { PROCESS } else { DRIVER };
    Need { fixed, slot: caches + buffers + scores + attention + AUDIO }
}

/// Bytes of main memory that a process uses.
pub(super) fn resident(pid: u32) -> Option<u64> {
    of_process(pid, "VmRSS:")
}

/// The most that it has used so far.
pub(super) fn peak(pid: u32) -> Option<u64> {
    of_process(pid, "VmHWM:")
}

fn of_process(pid: u32, name: &str) -> Option<u64> {
    field(&std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?, name)
}

/// Bytes from a line such as `VmRSS:   123 kB`.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1_024)
}
