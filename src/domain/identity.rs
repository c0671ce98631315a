//! Who the daemon is towards a platform, and how that fares.

use chrono::{DateTime, Utc};

use super::IdentityState;

/// A visitor that a platform knows by its cookie. The cookie itself is elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its id, a UUID.
    pub id: String,
    /// The platform's name.
    pub platform: String,
    /// What people call it; unique within the platform.
    pub name: String,
    /// The user agent of the browser that the cookie comes from; empty: the platform's usual one.
    pub user_agent: String,
    /// How the platform takes it.
    pub health: Health,
    /// When it was last used.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// How a platform takes an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Whether it may be used, as it was when this was written; see [`Health::state_at`].
    pub state: IdentityState,
    /// Until when it rests.
    pub cool_until: Option<DateTime<Utc>>,
    /// Failures in a row.
    pub failures: u32,
    /// What kind the last failure was; none after a success.
    pub last_error: Option<String>,
}

impl Health {
    /// Whether it may be used now: a rest that is over is no rest.
    pub fn state_at(&self, now: DateTime<Utc>) -> IdentityState {
        match self.state {
            IdentityState::Resting if self.cool_until.is_none_or(|until| until <= now) => IdentityState::Ready,
            state => state,
        }
    }
}

impl Default for Health {
    fn default() -> Self {
        Self { state: IdentityState::Ready, cool_until: None, failures: 0, last_error: None }
    }
}
