//! The one error type and the one table of error codes.
//!
//! Every failure that a person can meet carries a [`Code`]: the same word in the API, the command line, the log and the
//! database. The table decides its HTTP status, its class (what a workflow's `retry.on` names), and a hint that helps.
//! Callers may rely on this: `detail` is safe to show (no secret, no fetched page in it), and the source chain is only
//! ever logged.

mod guarded;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::guarded::{guarded, is_panic, panicked};

/// Shorthand for results with our [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure it is, in the words of the workflow language (`retry.on`, `retry.not`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// It took longer than it may.
    Timeout,
    /// Not now; the same thing may work later.
    Unavailable,
    /// The other side asks for patience.
    RateLimited,
    /// It is not there.
    NotFound,
    /// It is there, but not for us.
    Forbidden,
    /// What was asked for makes no sense as asked.
    InvalidInput,
    /// More than a limit allows.
    TooLarge,
    /// Well formed, but not something trawl can do.
    Unsupported,
    /// A workflow expression failed.
    Expression,
    /// A worker process died on it.
    Crash,
    /// Our own fault, or the machine's.
    Internal,
}

impl Class {
    /// Whether trying again without a change can help.
    pub fn is_retryable(self) -> bool {
        match self {
            Self::Timeout | Self::Unavailable | Self::RateLimited | Self::Crash | Self::Internal => true,
            Self::NotFound
            | Self::Forbidden
            | Self::InvalidInput
            | Self::TooLarge
            | Self::Unsupported
            | Self::Expression => false,
        }
    }
}

macro_rules! codes {
    ($($name:ident $word:literal $class:ident $status:literal $hint:literal;)*) => {
        /// A stable word for one kind of failure; see the table in `docs/errors.md`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $hint] $name,)*
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The word used in the API, the log and the database.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The class that retry rules speak of.
            pub fn class(self) -> Class {
                match self { $(Self::$name => Class::$class,)* }
            }

            /// The HTTP status of an answer with this code.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// What a person can do about it.
            pub fn hint(self) -> &'static str {
                match self { $(Self::$name => $hint,)* }
            }

            /// The code for a stored word; unknown words (from a newer version) read as `internal`.
            pub fn from_word(word: &str) -> Self {
                match word { $($word => Self::$name,)* _ => Self::Internal }
            }
        }
    };
}

codes! {
    // Requests
    InvalidRequest "invalid_request" InvalidInput 400 "Compare the request with the documentation page at /docs.";
    UnknownField "unknown_field" InvalidInput 422 "Remove the field or correct its name.";
    InvalidValue "invalid_value" InvalidInput 422 "See the option's range in the documentation page at /docs.";
    InvalidLink "invalid_link" InvalidInput 422 "Paste an http or https link, or a share text which contains one.";
    NotFound "not_found" NotFound 404 "Check the id: it may have been deleted.";
    MethodNotAllowed "method_not_allowed" InvalidInput 405 "See /docs for the methods of this path.";
    Conflict "conflict" InvalidInput 409 "Look at the task's status first.";
    DiarizationUnavailable "diarization_unavailable" Unsupported 400 "This daemon cannot tell speakers apart: ask for another format, such as verbose_json.";
    NotReady "not_ready" InvalidInput 409 "Wait until the task is completed, for example with ?wait=60.";
    TooLarge "too_large" TooLarge 413 "Raise `uploads.max_bytes` or `net.max_media_bytes`, or send a smaller file.";
    UnsupportedFormat "unsupported_format" Unsupported 415 "See the list of formats in /docs.";
    RangeNotSatisfiable "range_not_satisfiable" InvalidInput 416 "Ask for a range inside the file.";
    Expired "expired" NotFound 410 "Begin anew: what was sent has been given up.";
    Busy "busy" Unavailable 423 "Try again in a moment.";
    ProtocolVersion "protocol_version" Unsupported 412 "Send the header Tus-Resumable: 1.0.0.";
    ChecksumMismatch "checksum_mismatch" InvalidInput 460 "Send the same piece again: it was damaged on its way.";
    CrossOrigin "cross_origin" Forbidden 403 "Call the API from its own address, or from outside a browser.";
    Unauthorized "unauthorized" Forbidden 401 "Send an access token as `Authorization: Bearer trw_…`; the operator makes one with `trawl token create`.";
    Forbidden "forbidden" Forbidden 403 "Ask the operator for a token with this scope.";
    TooManyRequests "too_many_requests" RateLimited 429 "Wait as long as `Retry-After` says.";
    QuotaExceeded "quota_exceeded" RateLimited 429 "Wait as long as `Retry-After` says, or ask the operator for a larger quota.";
    InsufficientStorage "insufficient_storage" Unavailable 507 "Free some disk space; the work goes on by itself.";
    // Links and downloads
    HostNotFound "host_not_found" Unavailable 422 "Check the spelling of the host and whether its name resolves here.";
    AddressRefused "address_refused" Forbidden 403 "Private and local addresses are refused; the operator may list the host in `net.allow_hosts`.";
    PortRefused "port_refused" Forbidden 403 "The operator may add the port to `net.ports` or list `host:port` in `net.allow_hosts`.";
    TooManyRedirects "too_many_redirects" InvalidInput 422 "Paste the address to which the link finally leads.";
    RedirectRefused "redirect_refused" Forbidden 403 "The page leads somewhere trawl does not go; paste the final address.";
    ConnectFailed "connect_failed" Unavailable 502 "The server cannot be reached; trawl tries again by itself.";
    SourceTimeout "source_timeout" Timeout 504 "The server is too slow; trawl tries again by itself.";
    SourceNotFound "source_not_found" NotFound 404 "The page or file is gone: check the link in a browser.";
    SourceForbidden "source_forbidden" Forbidden 403 "The site wants a login; download the file yourself and upload it.";
    SourceBlocked "source_blocked" Unavailable 502 "The site keeps robots out or answers with nothing; trawl tries again by itself, or upload the file.";
    SourceError "source_error" Unavailable 502 "The site has a problem; trawl tries again by itself.";
    RateLimited "rate_limited" RateLimited 429 "Too many requests to that site; trawl tries again later by itself.";
    NoMediaFound "no_media_found" NotFound 422 "The page holds no audio or video that trawl can see: paste the media's own address, or upload the file.";
    LiveNotSupported "live_not_supported" Unsupported 422 "Come back when the broadcast is over and has a recording.";
    PostPrivate "post_private" Forbidden 403 "Only its owner can see this post.";
    RegionBlocked "region_blocked" Forbidden 403 "The site refuses visitors from this machine's country.";
    Encrypted "encrypted" Unsupported 422 "Protected streams cannot be read.";
    // Media
    NotMedia "not_media" Unsupported 422 "The file holds neither audio nor video that ffmpeg can read.";
    EmptyMedia "empty_media" InvalidInput 422 "The file has zero bytes: check the source.";
    Truncated "truncated" Unavailable 422 "The file ends too early: download or export it again.";
    NoAudio "no_audio" Unsupported 422 "The file has no sound, so there is nothing to transcribe.";
    TooLong "too_long" TooLarge 422 "Raise `media.max_duration`, or cut the file.";
    FfmpegMissing "ffmpeg_missing" Internal 503 "Install ffmpeg, or set `media.ffmpeg` and `media.ffprobe`.";
    SandboxUnavailable "sandbox_unavailable" Unsupported 503 "This kernel has no landlock: set `media.sandbox` to \"auto\".";
    MediaTimeout "media_timeout" Timeout 422 "ffmpeg took too long over this file.";
    // Models and engines
    UnknownModel "unknown_model" InvalidInput 422 "See `trawl models list`.";
    ModelMissing "model_missing" Unavailable 503 "Run `trawl models pull NAME`, or put the file into the models folder; the task goes on by itself.";
    ModelInvalid "model_invalid" InvalidInput 422 "Remove the file and pull the model again.";
    ModelPull "model_pull" Unavailable 502 "Check the network or set `models.base_urls`; the part that is here is kept and resumed.";
    EngineCrashed "engine_crashed" Crash 500 "The recognition process died; trawl tries again by itself.";
    EngineFailed "engine_failed" Internal 500 "See the daemon's log.";
    RemoteEngine "remote_engine" Unavailable 502 "The transcription server has a problem; trawl tries again by itself. Its state is shown with the engines.";
    // Workflows and the queue
    UnknownWorkflow "unknown_workflow" NotFound 404 "See the files in the workflows folder.";
    InvalidWorkflow "invalid_workflow" InvalidInput 422 "Correct the definition at the places named.";
    Expression "expression" Expression 422 "Correct the reference in the workflow.";
    SecretRefused "secret_refused" Forbidden 403 "Bind the secret to the host: `trawl secrets set NAME --host HOST`.";
    ExecFailed "exec_failed" Internal 502 "See the program's own messages in the daemon's log.";
    StepTimeout "step_timeout" Timeout 504 "Give the step a longer `timeout`.";
    Deadline "deadline" Timeout 504 "Give the step or the workflow a longer `deadline`.";
    Crashed "crash" Crash 500 "The worker died three times on this step; see the daemon's log.";
    Cancelled "cancelled" Unsupported 409 "Retry the task if this was a mistake.";
    // Language models
    LlmUnavailable "llm_unavailable" Unavailable 502 "The language model's server has a problem; trawl tries again by itself.";
    LlmTimeout "llm_timeout" Timeout 504 "The language model is too slow: raise `llm.timeout`, or lower the step's `max_tokens`.";
    LlmDenied "llm_denied" Forbidden 502 "Check the key of the language model's server, or change what the model is asked.";
    LlmAnswer "llm_answer" Unavailable 502 "The language model's answer cannot be used: try again, or ask another model.";
    // Deliveries
    CallbackRefused "callback_refused" Unavailable 502 "The receiver must answer with a 2xx status.";
    // The daemon
    Config "config" InvalidInput 500 "Correct the configuration; config/default.toml lists every key.";
    DatabaseLocked "database_locked" Unavailable 503 "Another trawl runs on this database: stop it, or give this one its own `paths.data`.";
    Database "database" Internal 503 "Look at the daemon's log and the free disk space.";
    Storage "storage" Unavailable 503 "trawl tries again by itself; `trawl doctor` tells whether `storage.url` can be read and written.";
    Io "io" Internal 500 "Look at the daemon's log, the free disk space and the folder's permissions.";
    ShuttingDown "shutting_down" Unavailable 503 "The daemon is stopping; try again in a moment.";
    Internal "internal" Internal 500 "This is a bug in trawl: please report it with the log.";
}

/// A failure with its code and a sentence that can be shown to anyone.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub struct Error {
    /// Which failure.
    pub code: Code,
    /// One sentence about this case.
    pub detail: String,
    /// What to do about it; the code's own hint when there is nothing better to say.
    pub hint: String,
    /// How long the other side asked us to wait.
    pub retry_after: Option<Duration>,
    /// Where in the request it is, as a JSON Pointer or a field's name.
    pub field: Option<String>,
    /// Whether trying again cannot help this time, whatever the code's class says.
    pub for_good: bool,
    /// What was tried before it came to this, as JSON objects; shown with the error.
    pub attempts: Vec<serde_json::Value>,
    /// Everything that is wrong with a workflow's definition, as JSON objects; shown with the error.
    pub problems: Vec<serde_json::Value>,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What was stored, as an error again.
impl From<&Report> for Error {
    fn from(report: &Report) -> Self {
        Self::new(Code::from_word(&report.code), report.detail.clone())
            .with_hint(report.hint.clone())
            .with_attempts(report.attempts.clone())
    }
}

impl Error {
    /// An error with the code's own hint.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let hint = code.hint().to_owned();
        Self {
            code,
            detail: detail.into(),
            hint,
            retry_after: None,
            field: None,
            for_good: false,
            attempts: Vec::new(),
            problems: Vec::new(),
            source: None,
        }
    }

    /// Replaces the hint.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Tells what was tried.
    pub fn with_attempts(mut self, attempts: Vec<serde_json::Value>) -> Self {
        self.attempts = attempts;
        self
    }

    /// Lists everything that is wrong with a definition.
    pub fn with_problems(mut self, problems: Vec<serde_json::Value>) -> Self {
        self.problems = problems;
        self
    }

    /// Names the field that is wrong.
    pub fn with_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Remembers how long the other side asked us to wait.
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    /// Says that trying again cannot help this time.
    pub fn for_good(mut self) -> Self {
        self.for_good = true;
        self
    }

    /// Keeps the cause for the log.
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether trying again without a change can help.
    pub fn is_retryable(&self) -> bool {
        !self.for_good && self.code.class().is_retryable()
    }

    /// The error with every text in it rewritten, those of its causes included.
    pub fn rewritten(
        self,
        text: &dyn Fn(String) -> String,
        json: &dyn Fn(serde_json::Value) -> serde_json::Value,
    ) -> Self {
        let mut causes = Vec::new();
        let mut cause = std::error::Error::source(&self);
        while let Some(error) = cause {
            causes.push(text(error.to_string()));
            cause = error.source();
        }
        causes.dedup();
        let source = (!causes.is_empty()).then(|| causes.join(": ").into());
        Self {
            detail: text(self.detail),
            hint: text(self.hint),
            attempts: self.attempts.into_iter().map(json).collect(),
            problems: self.problems.into_iter().map(json).collect(),
            source,
            ..self
        }
    }

    /// The part of the error that is stored and shown.
    pub fn report(&self) -> Report {
        Report {
            code: self.code.as_str().to_owned(),
            detail: self.detail.clone(),
            hint: self.hint.clone(),
            attempts: self.attempts.clone(),
        }
    }

    /// The whole chain of causes in one line, for the log. What a cause only repeats is said once.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let more = error.to_string();
            if !text.ends_with(&more) {
                text.push_str(": ");
                text.push_str(&more);
            }
            cause = error.source();
        }
        text
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        let code = if is_no_room(error.kind()) { Code::InsufficientStorage } else { Code::Io };
        Self::new(code, "A file could not be read or written").with_source(error)
    }
}

/// Whether the disk takes nothing more now, and may again later: it is full, a quota is used up, or it can only be read.
pub fn is_no_room(kind: std::io::ErrorKind) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(kind, StorageFull | QuotaExceeded | ReadOnlyFilesystem)
}

/// What is stored with a failed step or task and shown wherever it is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The code's word.
    pub code: String,
    /// One sentence.
    pub detail: String,
    /// What to do about it.
    pub hint: String,
    /// What was tried before it came to this: for links, each way to the post with how it ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<serde_json::Value>,
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn words_are_unique_and_read_back() {
        let words: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(Code::from_word(code.as_str()), *code);
            assert!(code.hint().ends_with('.'), "{} needs a sentence as its hint", code.as_str());
        }
    }
}
