//! Reading a body with an eye on the clock.

use bytes::Bytes;
use reqwest::Response;
use tokio::time::{Instant, timeout_at};

use super::{
    failure::{from_reqwest, too_slow},
    hops::Answer,
    hosts::Permit,
};
use crate::{config::NetConfig, error::Result};

/// A body on its way. A window in which too little arrives ends it, and so does the call's deadline.
pub(super) struct Transfer {
    response: Response,
    host: String,
    deadline: Instant,
    window: std::time::Duration,
    /// What must arrive in each window.
    least: u64,
    window_end: Instant,
    arrived: u64,
    _permit: Permit,
}

impl Transfer {
    /// Begins to read an answer's body.
    pub(super) fn new(answer: Answer, config: &NetConfig) -> Self {
        let window = config.stall_window.0;
        let least = u128::from(config.stall_bytes_per_second) * window.as_millis() / 1000;
        Self {
            response: answer.response,
            host: answer.host,
            deadline: answer.deadline,
            window,
            least: u64::try_from(least).unwrap_or(u64::MAX),
            window_end: Instant::now() + window,
            arrived: 0,
            _permit: answer.permit,
        }
    }

    /// The next piece, or none at the end. A body that breaks off is `source_error`.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if Instant::now() >= self.window_end {
                if self.arrived < self.least {
                    return Err(too_slow(&self.host));
                }
                self.arrived = 0;
                self.window_end = Instant::now() + self.window;
            }
            match timeout_at(self.window_end.min(self.deadline), self.response.chunk()).await {
                Ok(Ok(Some(chunk))) => {
                    self.arrived += chunk.len() as u64;
                    return Ok(Some(chunk));
                }
                Ok(Ok(None)) => return Ok(None),
                Ok(Err(error)) => return Err(from_reqwest(error, &self.host)),
                Err(_) if Instant::now() >= self.deadline => return Err(too_slow(&self.host)),
                Err(_) => {}
            }
        }
    }
}
