//! The nouns of trawl as pure data and rules: no I/O, no clock, no database.

pub mod access;
pub mod endpoint;
pub mod facade;
pub mod identity;
pub mod ids;
pub mod json;
pub mod media;
pub mod options;
pub mod schedule;
pub mod source;
pub mod span;
pub mod status;
pub mod task;
pub mod token;
pub mod transcript;

pub use access::{Caller, Scope, Scopes};
pub use endpoint::{Endpoint, EndpointHealth, Heard};
pub use facade::{Facade, Services};
pub use identity::{Health, Identity};
pub use ids::{MediaId, ScheduleId, SourceId, TaskId, TokenId, TranscriptId};
pub use media::Media;
pub use options::{Options, Zh};
pub use schedule::{Fire, Schedule};
pub use source::{Source, SourceItem, Wishes};
pub use span::Span;
pub use status::{
    Catchup, CheckState, DeliveryState, EndpointState, EventFireState, FireState, IdentityState, Lane, NodeState,
    Overlap, Priority, Role, ScheduleState, SourceState, StepKind, StepState, TaskStatus, WaitsFor,
};
pub use task::{Step, Task};
pub use token::{Quota, Token, Usage};
pub use transcript::{Segment, Transcript, Word};
