//! Who may do what: asked once for every operation, before its handler.
//!
//! Handlers may rely on this: whoever gets here has the scope that the operation needs, and a task that the path names is
//! the caller's own unless that is an admin.

mod counted;
mod gate;
mod scopes;

pub(super) use self::{
    gate::{Gate, Guarded, address, secure},
    scopes::{Need, need},
};

/// The cookie of a browser's session.
pub(super) const COOKIE: &str = "trawl_session";
