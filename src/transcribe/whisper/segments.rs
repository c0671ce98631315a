//! What a state holds after a pass, read into segments.

use whisper_rs::whisper_rs_sys as sys;

use super::context::Context;
use crate::{
    domain::{Options, Segment},
    transcribe::{
        text,
        words::{self, Marks, Token},
    },
};

/// One token of a result, as whisper.cpp has it.
type TokenData = sys::whisper_token_data;

/// The segments which a state holds.
pub(super) struct Results<'a> {
    context: &'a Context,
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

    /// How likely it is that nobody speaks in the pass that is over, 0 to 1.
    ///
    /// The model says so after the first token of all. whisper.cpp looks at memory that it has not written (the logits
    /// of a token for which it computes none), so that token is decoded once more. To be called between passes only.
    pub(super) fn no_speech(&self, threads: i32) -> f32 {
        // SAFETY: the state is valid, and whisper.cpp waits.
        unsafe { self.context.no_speech(self.state, threads) }
    }

    /// Where a segment ends, in hundredths of a second.
    pub(super) fn end(&self, index: i32) -> i64 {
        self.times(index).1
    }

    /// A segment, without an id and [`Results::no_speech`]; none when it has no text. `temperature` is what it was decoded at.
    pub(super) fn segment(&self, index: i32, options: &Options, temperature: f32) -> Option<Segment> {
        let mut tokens = self.tokens(index);
        let end_of_text = self.context.end_of_text();
        tokens.retain(|token| token.id < end_of_text);
        let bytes: Vec<u8> = tokens.iter().flat_map(|token| self.context.token_bytes(token.id)).copied().collect();
        let text = text::clean(&bytes);
        if text.is_empty() {
            return None;
        }
        let (start, end) = self.times(index);
        let seconds = |hundredths: i64| hundredths.max(0) as f64 / 100.0;
        let (start, end) = (seconds(start), seconds(end.max(start)));
        let words = if options.word_timestamps {
            let token = |token: &TokenData| Token {
                bytes: self.context.token_bytes(token.id),
                start: seconds(token.t0),
                end: seconds(token.t1),
                probability: token.p,
            };
            let marks = Marks { opening: &options.prepend_punctuations, closing: &options.append_punctuations };
            words::merge(&tokens.iter().map(token).collect::<Vec<_>>(), &marks, start, end)
        } else {
            Vec::new()
        };
        Some(Segment {
            id: 0,
            start,
            end,
            avg_logprob: tokens.iter().map(|token| token.plog).sum::<f32>() / tokens.len().max(1) as f32,
            no_speech_prob: 0.0,
            compression_ratio: text::compression_ratio(&text),
            temperature,
            tokens: tokens.iter().map(|token| token.id).collect(),
            words,
            text,
        })
    }

    /// Start and end of a segment in hundredths of a second.
    fn times(&self, index: i32) -> (i64, i64) {
        debug_assert!((0..self.len()).contains(&index));
        // SAFETY: the state is valid; callers count up to `len`.
        unsafe {
            (
                sys::whisper_full_get_segment_t0_from_state(self.state, index),
                sys::whisper_full_get_segment_t1_from_state(self.state, index),
            )
        }
    }

    fn tokens(&self, index: i32) -> Vec<TokenData> {
        debug_assert!((0..self.len()).contains(&index));
        // SAFETY: the state is valid; both numbers are within their counts.
        unsafe {
            (0..sys::whisper_full_n_tokens_from_state(self.state, index))
                .map(|token| sys::whisper_full_get_token_data_from_state(self.state, index, token))
                .collect()
        }
    }
}
