//! Who may call.

use serde::Deserialize;

use super::Config;
use crate::domain::Span;

/// Who may call.
#[derive(Clone, Deserialize)]
pub struct AuthConfig {
    /// Who needs an access token.
    pub mode: AuthMode,
    /// 32 bytes in base64 that sign sessions and what `POST /auth/token` gives; empty to have them made.
    pub key: String,
    /// How long a JWT of `POST /auth/token` counts.
    pub jwt_life: Span,
    /// How long a browser's session lasts.
    pub session_life: Span,
    /// Refused tokens from one address in a minute; 0 for any number.
    pub failed_logins_per_minute: u32,
    /// Submissions with one token in a minute; 0 for any number.
    pub submits_per_minute: u32,
}

/// Who needs an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// Nobody while the daemon listens on loopback, everyone on any other address.
    Auto,
    /// Everyone.
    On,
    /// Nobody; listens anywhere, but answers only requests that were sent to a name of this machine (127.0.0.1,
    /// localhost): for containers whose port is published on loopback.
    Local,
    /// Nobody, on every address: something in front of trawl checks who calls.
    Off,
}

impl AuthMode {
    /// The word of the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::On => "on",
            Self::Local => "local",
            Self::Off => "off",
        }
    }
}

impl Config {
    /// Whether no access token is needed.
    pub fn is_open(&self) -> bool {
        match self.auth.mode {
            AuthMode::Auto => self.server.bind.ip().is_loopback(),
            AuthMode::On => false,
            AuthMode::Local | AuthMode::Off => true,
        }
    }

    /// Whether only requests that were sent to a name of this machine are answered: whoever is open to this machine must
    /// not be open to a page that has its own name lead here.
    pub fn is_local_only(&self) -> bool {
        self.is_open() && self.auth.mode != AuthMode::Off
    }
}

impl std::fmt::Debug for AuthConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AuthConfig({})", self.mode.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_needs_a_token_depends_on_mode_and_address() {
        let mut config = Config::defaults();
        for (mode, bind, is_open, is_local_only) in [
            (AuthMode::Auto, "127.0.0.1:1", true, true),
            (AuthMode::Auto, "[::1]:1", true, true),
            (AuthMode::Auto, "0.0.0.0:1", false, false),
            (AuthMode::Auto, "192.168.0.7:1", false, false),
            (AuthMode::On, "127.0.0.1:1", false, false),
            (AuthMode::Local, "0.0.0.0:1", true, true),
            (AuthMode::Off, "0.0.0.0:1", true, false),
            (AuthMode::Off, "127.0.0.1:1", true, false),
        ] {
            config.auth.mode = mode;
            config.server.bind = bind.parse().unwrap();
            assert_eq!((config.is_open(), config.is_local_only()), (is_open, is_local_only), "{mode:?} {bind}");
        }
    }
}
