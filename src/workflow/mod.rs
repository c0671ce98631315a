//! Workflows: the JSON language, its checks, and what follows when a step ends. Pure: no I/O, and no clock but the one that
//! ends a simulation.
//!
//! Callers may rely on this: a [`Definition`] that came out of [`Definition::parse`] has no unknown reference and no
//! cycle, and [`plan`](plan::plan) turns it into the rows of the queue.

pub mod advance;
pub mod cron;
pub mod definition;
pub mod depth;
pub mod expr;
pub mod kinds;
pub mod plan;
pub mod retry;
pub mod rule;
pub mod schema;
pub mod simulate;
pub mod template;
pub mod translate;
pub mod validate;

pub use definition::Definition;
pub use plan::{Planned, plan, plan_handlers};
pub use retry::Retry;
pub use rule::Rule;
