//! `callback`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Kind;

pub(super) struct Callback;

impl Kind for Callback {
    const WORD: &'static str = "callback";
    const SECRETS: &'static [&'static str] = &["secret"];
    const OURS: &'static [&'static str] = &["url", "secret"];
    type With = With;
    type Output = Output;
}

/// Sends a signed message to someone. It is delivered like the callbacks of tasks: tried again until it arrives.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// Where to.
    pub url: String,
    /// What signs it: `${secrets.NAME}` and nothing else, bound to the link's host; `callbacks.secret` of the
    /// configuration when there is none.
    #[serde(default)]
    pub secret: Option<String>,
    /// The message's `type`, up to 64 of a-z, 0-9, `.`, `_` and `-`; `workflow.callback` when there is none.
    #[serde(default)]
    pub event: Option<String>,
    /// What is told.
    #[serde(default)]
    pub data: Value,
}

/// What is known when the message is in the outbox.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The message's id: the `webhook-id` that the receiver sees.
    pub delivery_id: String,
}
