//! `resolve`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Kind;

pub(super) struct Resolve;

impl Kind for Resolve {
    const WORD: &'static str = "resolve";
    type With = With;
    type Output = Output;
}

/// Finds the media that a link stands for; with `expand`, the posts of an account, a playlist or a feed.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// A link, a share text, `upload:<id>` or `media:<id>`; with `expand` a link to a list.
    pub link: String,
    /// Whether the link is a list whose posts are wanted.
    #[serde(default)]
    pub expand: bool,
    /// Of a list: only posts that this workflow was not shown before. They count as seen once the step has succeeded.
    #[serde(default)]
    pub new_only: bool,
    /// Of a list: how many posts at most, 1 to 1000; 50 when there is none. With `new_only` the others come next time.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// The media. Fields that nobody knows are null.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Its id here: `media:<id>` is a link to it.
    pub media_id: Value,
    /// Where it comes from.
    pub platform: String,
    /// Its id there.
    pub id: String,
    /// What it is.
    pub kind: String,
    /// Its title.
    pub title: Option<String>,
    /// What its author says about it.
    pub description: Option<String>,
    /// Who made it.
    pub author: Option<String>,
    /// Their id there.
    pub author_id: Option<String>,
    /// When.
    pub published_at: Option<String>,
    /// A picture of it.
    pub cover_url: Option<String>,
    /// Its page.
    pub page_url: Option<String>,
    /// The link that was looked up.
    pub link: Option<String>,
    /// When it was looked up.
    pub resolved_at: Option<String>,
    /// How long it is, in milliseconds.
    pub duration_ms: Option<u64>,
    /// What can be downloaded, the best first.
    pub candidates: Vec<Value>,
    /// Why there is nothing to hear, in a sentence.
    pub silent: Option<String>,
    /// Whether its file is already here.
    pub here: bool,
    /// The identity through whose proxy it was looked up.
    pub identity: Option<String>,
    /// What a reader should know.
    pub warnings: Vec<String>,
    /// With `expand`: the posts in the list's order, the newest first on most platforms.
    pub items: Vec<Post>,
    /// With `expand`: whether there are more posts than `limit`.
    pub more: bool,
    /// With `expand` and `new_only`: how many posts were seen before, on the pages that were read.
    pub seen: u64,
    /// With `expand`: how many posts are named but gone.
    pub unavailable: u64,
}

/// A post of a list.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Post {
    /// Its id on its platform.
    pub id: String,
    /// Its platform.
    pub platform: String,
    /// The link to it.
    pub url: String,
    /// Its title.
    pub title: String,
    /// When it was published, where known.
    pub published_at: Option<String>,
    /// How long it is, in milliseconds, where known.
    pub duration_ms: Option<u64>,
    /// Whether it stands at the top whatever its age.
    pub pinned: bool,
}
