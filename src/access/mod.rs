//! Who may call.

mod hs256;
pub mod jwt;
pub mod key;
