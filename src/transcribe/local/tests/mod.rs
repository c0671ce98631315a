//! The pool with a process that speaks the protocol and misbehaves on purpose; and its pure parts.

mod behaviour;
mod devices;
mod memory;
mod models;
mod placing;
mod stage;

use std::{sync::Arc, time::Duration};

use self::stage::{Stage, ask, run, window};
use super::*;
use crate::{domain::Span, transcribe::engine::Heard};
