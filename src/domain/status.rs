//! The words for where tasks and steps stand.

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word that is stored and shown.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(UnknownWord { word: word.to_owned(), known: &[$($word,)*] }),
                }
            }
        }
    };
}

/// A word that is none of the known ones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{word}\" is none of: {}", known.join(", "))]
pub struct UnknownWord {
    /// What was given.
    pub word: String,
    /// What is known.
    pub known: &'static [&'static str],
}

words!(
    /// Where a task stands.
    TaskStatus {
        /// No step of it has started yet.
        Queued = "queued",
        /// Something of it has started, and it has not ended.
        Processing = "processing",
        /// Ended well.
        Completed = "completed",
        /// Ended with an error.
        Failed = "failed",
        /// Ended because someone said so.
        Cancelled = "cancelled",
    }
);

impl TaskStatus {
    /// Whether nothing more happens to the task by itself.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

words!(
    /// Where a delivery stands.
    DeliveryState {
        /// It waits for its time.
        Pending = "pending",
        /// It is on its way.
        Sending = "sending",
        /// It arrived.
        Delivered = "delivered",
        /// Nothing more is tried by itself.
        Dead = "dead",
        /// Its endpoint is switched off: it waits until that is on again.
        Held = "held",
    }
);

words!(
    /// Whether a receiver of callbacks is sent anything.
    EndpointState {
        /// It is.
        On = "on",
        /// It is not: it answered 410.
        Gone = "gone",
        /// It is not: there were nothing but failures for days.
        Failed = "failed",
        /// It is not: someone said so.
        Off = "off",
    }
);

words!(
    /// Whether an identity may be used.
    IdentityState {
        /// It may.
        Ready = "ready",
        /// The platform was wary of it: not before its time.
        Resting = "resting",
        /// The platform does not take it for logged in any more: not before it has another cookie.
        Refused = "refused",
    }
);

impl IdentityState {
    /// Whether it may be used.
    pub fn is_ready(self) -> bool {
        self == Self::Ready
    }
}

words!(
    /// Where a step stands; the `steps` table is the queue.
    StepState {
        /// Waits for other steps.
        Blocked = "blocked",
        /// May be claimed, now or from `eligible_at` on.
        Ready = "ready",
        /// Leased to a worker.
        Running = "running",
        /// Its work is done elsewhere: by the items of its list, or by a task of its own.
        Waiting = "waiting",
        /// Done; its output is stored.
        Succeeded = "succeeded",
        /// Ended with an error, no tries left.
        Failed = "failed",
        /// Not needed.
        Skipped = "skipped",
        /// Ended because the task was cancelled or failed elsewhere.
        Cancelled = "cancelled",
    }
);

impl StepState {
    /// Whether the step has ended.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Skipped | Self::Cancelled)
    }
}

words!(
    /// What a step that does nothing at the moment waits for.
    WaitsFor {
        /// Its turn: room in its lane, such as a slot of an engine.
        Turn = "turn",
        /// The time of its next try.
        Retry = "retry",
        /// The time that its workflow sets.
        Delay = "delay",
        /// Something that is not here, such as a model; it is looked for again and again.
        Outside = "outside",
        /// The items of its list.
        Items = "items",
        /// The task that does its work.
        Task = "task",
    }
);

words!(
    /// Which kind of resource a step keeps busy.
    Lane {
        /// Waits on the network: resolve, download.
        Net = "net",
        /// ffmpeg.
        Cpu = "cpu",
        /// Inference.
        Gpu = "gpu",
        /// Callbacks.
        Deliver = "deliver",
        /// Decisions that take no time: conditions, lists, tasks of tasks, subtitles.
        Flow = "flow",
        /// Language models.
        Llm = "llm",
    }
);

words!(
    /// What a step does.
    StepKind {
        /// Link → media.
        Resolve = "resolve",
        /// Media → file.
        Download = "download",
        /// File → 16 kHz samples; the first half of a definition's `transcribe`.
        Extract = "extract",
        /// Samples → transcript.
        Transcribe = "transcribe",
        /// Writes a delivery.
        Callback = "callback",
        /// Segments → subtitle text.
        Subtitle = "subtitle",
        /// Text → text, by a language model.
        Llm = "llm",
        /// Asks a server.
        Http = "http",
        /// Chooses a value.
        Condition = "condition",
        /// Runs another workflow as a task of its own.
        Workflow = "workflow",
        /// Runs a program that the operator has declared; written `exec:NAME` in a definition.
        Exec = "exec",
    }
);

impl StepKind {
    /// The lane in which steps of this kind wait.
    pub fn lane(self) -> Lane {
        match self {
            Self::Resolve | Self::Download | Self::Http => Lane::Net,
            Self::Extract | Self::Exec => Lane::Cpu,
            Self::Transcribe => Lane::Gpu,
            Self::Callback => Lane::Deliver,
            Self::Subtitle | Self::Condition | Self::Workflow => Lane::Flow,
            Self::Llm => Lane::Llm,
        }
    }
}

words!(
    /// How urgent a task is. A level is worth five minutes of waiting (design §4), so nothing starves.
    #[derive(Default)]
    Priority {
        /// Before the others.
        High = "high",
        /// The default.
        #[default]
        Normal = "normal",
        /// When there is time.
        Low = "low",
    }
);

impl Priority {
    /// The level in the queue's sort key: 0 is first.
    pub fn level(self) -> i64 {
        match self {
            Self::High => 0,
            Self::Normal => 1,
            Self::Low => 2,
        }
    }
}

words!(
    /// Whether a source is looked at by itself.
    SourceState {
        /// It is.
        Active = "active",
        /// Only when somebody asks for it.
        Paused = "paused",
    }
);

words!(
    /// Whether a schedule fires by itself.
    ScheduleState {
        /// It does.
        Active = "active",
        /// Only when somebody asks for it.
        Paused = "paused",
    }
);

words!(
    /// What happens when the fire before has not ended.
    Overlap {
        /// The new one is passed over.
        Skip = "skip",
        /// The new one waits for the end of the one before; only one waits.
        Queue = "queue",
        /// Both run.
        Allow = "allow",
    }
);

words!(
    /// What happens to times that passed while nothing could fire.
    Catchup {
        /// Nothing.
        None = "none",
        /// The last of them is made up for.
        Latest = "latest",
        /// All of them are, up to a hundred.
        All = "all",
    }
);

words!(
    /// Where a fire stands.
    FireState {
        /// It waits for the end of the one before.
        Waiting = "waiting",
        /// Its task or its poll has not ended.
        Started = "started",
        /// That ended well.
        Succeeded = "succeeded",
        /// That failed, or could not be started.
        Failed = "failed",
        /// Its task was cancelled or deleted.
        Cancelled = "cancelled",
        /// Passed over because of the one before, or of a source that is paused.
        Skipped = "skipped",
        /// Its time passed while nothing could fire.
        Missed = "missed",
    }
);

words!(
    /// Where an event stands that a trigger has taken.
    EventFireState {
        /// Its task is to be made.
        Pending = "pending",
        /// Its task was made.
        Started = "started",
        /// There is none: something is wrong with the trigger or its workflow.
        Refused = "refused",
    }
);

words!(
    /// What a check of the machine has come to.
    CheckState {
        /// All is well.
        Ok = "ok",
        /// Something is missing that trawl can do without.
        Warning = "warning",
        /// Something is missing that trawl needs.
        Failed = "failed",
        /// There was nothing to check.
        Skipped = "skipped",
    }
);

words!(
    /// What a node does of all that there is to do.
    Role {
        /// Everything.
        All = "all",
        /// Answers requests and takes in tasks.
        Api = "api",
        /// Does the work.
        Worker = "worker",
    }
);

words!(
    /// How a node is.
    NodeState {
        /// It was heard of within a lease.
        Ready = "ready",
        /// It takes no more work: it is stopping.
        Draining = "draining",
        /// It was not heard of for a lease: others take over what it worked on.
        Lost = "lost",
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for state in StepState::ALL {
            assert_eq!(state.as_str().parse(), Ok(*state));
        }
        let error = "urgent".parse::<Priority>().unwrap_err();
        assert_eq!(error.to_string(), "\"urgent\" is none of: high, normal, low");
    }
}
