//! The API of whisper-api: `/auth/token`, `/transcribe`, `/usage`. Keys are swapped for short-lived tokens (JWT).
//!
//! Callers may rely on this: an upload is answered before it is recognised; `transcription` is the text in the
//! `output_format` that was asked for; errors are sentences as plain text.

mod jobs;
mod login;
mod usage;
mod views;

pub(in crate::api) use self::{jobs::Jobs, login::Login, usage::JobUsage};
