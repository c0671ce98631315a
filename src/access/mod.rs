//! Who may call: access tokens, what they may do, how much, and what was done with them.
//!
//! Callers may rely on this: of a token only a hash is stored, compared in constant time; a token that does not count is
//! refused in the same words whatever is wrong with it; one that is taken back counts no longer from the next request on;
//! what was counted is written in batches, and all of it by [`Access::flush`] at an orderly stop.

mod check;
mod hs256;
pub mod jwt;
pub mod key;
mod limits;
mod meter;
mod quota;
mod tokens;

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

pub use self::{
    check::Shown,
    tokens::{Wanted, create, revoke},
};
use self::{jwt::Jwt, limits::Limits, meter::Meter};
use crate::{config::Config, error::Result, store::Store};

/// How often what was counted is written: a token's last use is true to the minute.
const FLUSH_EVERY: Duration = Duration::from_secs(60);

/// The access check. Cheap to clone.
#[derive(Clone)]
pub struct Access(Arc<Inner>);

struct Inner {
    store: Arc<Store>,
    open: bool,
    jwt: Jwt,
    jwt_life: Duration,
    session_life: Duration,
    limits: Limits,
    meter: Meter,
}

impl Access {
    /// The check for the tokens in a store; `key` signs sessions and JWTs.
    pub fn new(store: Arc<Store>, config: &Config, key: &[u8; 32]) -> Self {
        let open = config.is_open();
        // Where nobody is told apart, one program could use up what is everyone's.
        let limits = if open { Limits::none() } else { Limits::new(&config.auth) };
        let (jwt_life, session_life) = (config.auth.jwt_life.0, config.auth.session_life.0);
        Self(Arc::new(Inner {
            store,
            open,
            jwt: Jwt::new(key),
            jwt_life,
            session_life,
            limits,
            meter: Meter::default(),
        }))
    }

    /// Whether whoever reaches the daemon may do everything.
    pub fn is_open(&self) -> bool {
        self.0.open
    }

    /// How long a browser's session lasts.
    pub fn session_life(&self) -> Duration {
        self.0.session_life
    }

    /// Writes what was counted, again and again until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        let mut every = tokio::time::interval(FLUSH_EVERY);
        every.tick().await;
        loop {
            tokio::select! {
                _ = every.tick() => {}
                () = stop.cancelled() => return,
            }
            self.0.limits.forget_old();
            if let Err(error) = self.flush().await {
                tracing::warn!(error = %error.chain(), "what was counted cannot be written now; it is kept");
            }
        }
    }

    /// Writes what was counted. What cannot be written is kept.
    pub async fn flush(&self) -> Result<()> {
        let counted = self.0.meter.take();
        if counted.is_empty() {
            return Ok(());
        }
        let written = async {
            let tx = self.0.store.begin().await?;
            for ((token, day), usage) in &counted.usage {
                tx.add_usage_of(*token, *day, *usage).await?;
            }
            let used: Vec<_> = counted.used.iter().map(|(id, at)| (*id, *at)).collect();
            tx.note_tokens(&used).await?;
            tx.commit().await
        };
        let written = written.await;
        if written.is_err() {
            self.0.meter.give_back(counted);
        }
        written
    }
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Access")
    }
}
