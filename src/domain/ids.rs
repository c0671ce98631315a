//! Ids as types, so that a task's id cannot be taken for a media's.

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// The id of a task: a positive integer, growing.
    TaskId
);
id!(
    /// The id of a media.
    MediaId
);
id!(
    /// The id of a source.
    SourceId
);
id!(
    /// The id of a schedule.
    ScheduleId
);
id!(
    /// The id of an access token.
    TokenId
);
id!(
    /// The id of one revision of a transcript.
    TranscriptId
);
