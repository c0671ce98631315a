//! The API of whisper-api: `/auth/token`, `/transcribe`, `/usage`. Keys are swapped for short-lived tokens (JWT).
//!
//! Callers may rely on this: an upload is answered before it is recognised; `transcription` is the text in the
//! `output_format` that was asked for; errors are sentences as plain text.

mod jobs;
mod login;
mod usage;
mod views;

use crate::api::native::Context;

/// Every route of this system.
pub(in crate::api) type Routes = (login::Login, jobs::Jobs, usage::JobUsage);

/// Every route of this system.
pub(super) fn routes(context: &Context) -> Routes {
    (login::Login(context.clone()), jobs::Jobs(context.clone()), usage::JobUsage(context.clone()))
}
