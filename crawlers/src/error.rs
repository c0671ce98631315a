//! Why a link could not be resolved.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Attempt, transport::TransportError};

/// What kind of failure it was; decides whether another try can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// What was pasted holds no link that can be used.
    InvalidLink,
    /// The transport failed before there was an answer to judge.
    Transport,
    /// Deleted, or never existed.
    NotFound,
    /// A private post or account.
    Private,
    /// Only a logged-in visitor may see it.
    LoginRequired,
    /// Not available where this machine is.
    RegionBlocked,
    /// A definite refusal without a clearer reason.
    Unavailable,
    /// An empty or withheld answer, a firewall: may pass.
    Blocked,
    /// A server in trouble: may pass.
    SiteError,
    /// A verification page stands in the way.
    Captcha,
    /// The platform did not accept our signature.
    SignatureRejected,
    /// Too many requests.
    RateLimited,
    /// The key of a paid service is wrong or out of funds.
    Credentials,
    /// The answer was about another post.
    IdMismatch,
    /// A short link that leads nowhere any more.
    ShortLinkDead,
    /// A redirect to a place that is off limits.
    RedirectNotAllowed,
    /// Nothing that can be heard was found.
    NoMediaFound,
    /// The media file is there and has zero bytes.
    EmptyMedia,
    /// A live stream: it has no end to wait for.
    LiveNotSupported,
    /// A listing that hands out the same page for ever.
    PagingLoop,
}

impl ErrorClass {
    /// Every class, for tables and tests.
    pub const ALL: [Self; 20] = [
        Self::InvalidLink,
        Self::Transport,
        Self::NotFound,
        Self::Private,
        Self::LoginRequired,
        Self::RegionBlocked,
        Self::Unavailable,
        Self::Blocked,
        Self::SiteError,
        Self::Captcha,
        Self::SignatureRejected,
        Self::RateLimited,
        Self::Credentials,
        Self::IdMismatch,
        Self::ShortLinkDead,
        Self::RedirectNotAllowed,
        Self::NoMediaFound,
        Self::EmptyMedia,
        Self::LiveNotSupported,
        Self::PagingLoop,
    ];

    /// The word used in APIs, logs and fixtures.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidLink => "invalid_link",
            Self::Transport => "transport",
            Self::NotFound => "not_found",
            Self::Private => "private",
            Self::LoginRequired => "login_required",
            Self::RegionBlocked => "region_blocked",
            Self::Unavailable => "unavailable",
            Self::Blocked => "blocked",
            Self::SiteError => "site_error",
            Self::Captcha => "captcha",
            Self::SignatureRejected => "signature_rejected",
            Self::RateLimited => "rate_limited",
            Self::Credentials => "credentials",
            Self::IdMismatch => "id_mismatch",
            Self::ShortLinkDead => "short_link_dead",
            Self::RedirectNotAllowed => "redirect_not_allowed",
            Self::NoMediaFound => "no_media_found",
            Self::EmptyMedia => "empty_media",
            Self::LiveNotSupported => "live_not_supported",
            Self::PagingLoop => "paging_loop",
        }
    }

    /// Whether the same link may work later. For [`ErrorClass::Transport`] only the transport's own error can tell:
    /// ask [`CrawlError::retryable`].
    pub fn retryable(self) -> bool {
        match self {
            Self::Blocked
            | Self::SiteError
            | Self::Captcha
            | Self::SignatureRejected
            | Self::RateLimited
            | Self::IdMismatch => true,
            Self::InvalidLink
            | Self::Transport
            | Self::NotFound
            | Self::Private
            | Self::LoginRequired
            | Self::RegionBlocked
            | Self::Unavailable
            | Self::Credentials
            | Self::ShortLinkDead
            | Self::RedirectNotAllowed
            | Self::NoMediaFound
            | Self::EmptyMedia
            | Self::LiveNotSupported
            | Self::PagingLoop => false,
        }
    }
}

impl std::fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A link that could not be resolved.
///
/// The message is a sentence for the person who pasted the link. It never holds bytes which were fetched: a page that
/// only the daemon can reach must not be readable through its error messages.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct CrawlError {
    /// What kind of failure it was.
    pub class: ErrorClass,
    /// What happened and what may help.
    pub message: String,
    /// How long the site asked us to wait.
    pub retry_after: Option<Duration>,
    /// The transport's own error, when that is the reason.
    #[source]
    pub transport: Option<Box<TransportError>>,
    /// What was tried.
    pub attempts: Vec<Attempt>,
    /// Of a list: our own rules kept a request back, so this says nothing about how the site takes the visitor.
    pub withheld: bool,
}

impl CrawlError {
    /// An error of `class` with a sentence that helps.
    pub fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
            retry_after: None,
            transport: None,
            attempts: Vec::new(),
            withheld: false,
        }
    }

    /// The same error with the wait that the site asked for.
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    /// The same error with the story of what was tried.
    pub fn with_attempts(mut self, attempts: Vec<Attempt>) -> Self {
        self.attempts = attempts;
        self
    }

    /// Whether another try later may succeed.
    pub fn retryable(&self) -> bool {
        self.transport.as_ref().map_or_else(|| self.class.retryable(), |error| error.retryable)
    }
}

impl From<TransportError> for CrawlError {
    fn from(error: TransportError) -> Self {
        Self {
            class: ErrorClass::Transport,
            message: error.message.clone(),
            retry_after: error.retry_after,
            transport: Some(Box::new(error)),
            attempts: Vec::new(),
            withheld: false,
        }
    }
}
