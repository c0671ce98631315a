//! From a request to a source.

use std::collections::BTreeMap;

use poem_openapi::Object;
use serde_json::Value;

use crate::{
    api::{sample::sample, words::Word},
    domain::{Priority, Source, SourceState, Wishes},
    error::{Code, Error, Result},
    follow::{Backfill, Start},
};

/// The longest title that is taken.
const MAX_TITLE: usize = 300;

/// A list to follow. / 要跟踪的列表。
#[derive(Debug, Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct NewSource {
    /// A link to an account, a playlist or a feed, or a share text with one in it.
    link: String,
    /// What to call it; its own name when nothing is said.
    #[oai(nullable)]
    title: Option<String>,
    /// The workflow that new posts go through; `transcribe` when there is none.
    #[oai(nullable)]
    workflow: Option<String>,
    /// The workflow's parameters besides `link`.
    #[oai(nullable)]
    params: Option<BTreeMap<String, Value>>,
    /// Transcription options, as for one task.
    #[oai(nullable)]
    options: Option<BTreeMap<String, Value>>,
    /// How urgent the tasks are; `normal` when nothing is said.
    #[oai(nullable)]
    priority: Option<Word<Priority>>,
    /// Where each task's end is told.
    #[oai(nullable)]
    callback_url: Option<String>,
    /// How many pages one poll may read; 1 when nothing is said.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "20")))]
    pages: Option<u32>,
    /// What becomes of the posts that are there already: `"none"` marks the first page's as seen, `"page"` (the default)
    /// makes tasks of them, at most 100, and a number makes tasks of so many of the newest, at most 500.
    #[oai(nullable)]
    backfill: Option<Value>,
}

/// What to change of a source; what is left out stays. / 要修改的字段；省略的保持不变。
#[derive(Debug, Object)]
#[oai(example, skip_serializing_if_is_none)]
pub(super) struct SourceChange {
    /// `paused`: schedules pass it over; `active`: they do not.
    #[oai(nullable)]
    state: Option<Word<SourceState>>,
    /// What to call it.
    #[oai(nullable)]
    title: Option<String>,
    /// The workflow that new posts go through.
    #[oai(nullable)]
    workflow: Option<String>,
    /// The workflow's parameters besides `link`, all of them.
    #[oai(nullable)]
    params: Option<BTreeMap<String, Value>>,
    /// Transcription options, all of them.
    #[oai(nullable)]
    options: Option<BTreeMap<String, Value>>,
    /// How urgent the tasks are.
    #[oai(nullable)]
    priority: Option<Word<Priority>>,
    /// Where each task's end is told; an empty text for nowhere.
    #[oai(nullable)]
    callback_url: Option<String>,
    /// How many pages one poll may read.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "20")))]
    pages: Option<u32>,
}

impl NewSource {
    /// What to follow and how.
    pub(super) fn start(self) -> Result<Start> {
        Ok(Start {
            link: self.link,
            title: title(self.title)?,
            wishes: Wishes {
                workflow: workflow(self.workflow).unwrap_or_else(|| "transcribe".to_owned()),
                params: self.params.unwrap_or_default().into_iter().collect(),
                options: self.options.unwrap_or_default().into_iter().collect(),
                priority: self.priority.map_or(Priority::Normal, |priority| priority.0),
                callback_url: self.callback_url.filter(|url| !url.trim().is_empty()),
            },
            pages: self.pages.unwrap_or(1),
            backfill: backfill(self.backfill.as_ref())?,
        })
    }
}

impl SourceChange {
    /// What the change makes of a source.
    pub(super) fn applier(self) -> Result<impl Fn(&mut Source)> {
        let (title, workflow) = (title(self.title)?, workflow(self.workflow));
        Ok(move |source: &mut Source| {
            let wishes = &mut source.wishes;
            if let Some(state) = &self.state {
                source.state = state.0;
            }
            if let Some(title) = &title {
                source.title.clone_from(title);
            }
            if let Some(pages) = self.pages {
                source.pages = pages;
            }
            if let Some(workflow) = &workflow {
                wishes.workflow.clone_from(workflow);
            }
            if let Some(params) = &self.params {
                wishes.params = params.clone().into_iter().collect();
            }
            if let Some(options) = &self.options {
                wishes.options = options.clone().into_iter().collect();
            }
            if let Some(priority) = &self.priority {
                wishes.priority = priority.0;
            }
            if let Some(url) = &self.callback_url {
                wishes.callback_url = Some(url.clone()).filter(|url| !url.trim().is_empty());
            }
        })
    }
}

fn workflow(name: Option<String>) -> Option<String> {
    name.filter(|name| !name.is_empty())
}

fn title(title: Option<String>) -> Result<Option<String>> {
    let title = title.map(|title| title.trim().to_owned()).filter(|title| !title.is_empty());
    if title.as_ref().is_some_and(|title| title.chars().count() > MAX_TITLE) {
        let detail = format!("Field \"title\": is longer than {MAX_TITLE} characters");
        return Err(Error::new(Code::InvalidValue, detail).with_field("title"));
    }
    Ok(title)
}

fn backfill(value: Option<&Value>) -> Result<Backfill> {
    let most = Backfill::MAX;
    let wrong = || {
        let detail = format!("Field \"backfill\": must be \"none\", \"page\" or a number from 0 to {most}");
        Err(Error::new(Code::InvalidValue, detail).with_field("backfill"))
    };
    match value {
        None | Some(Value::Null) => Ok(Backfill::Page),
        Some(Value::String(word)) if word == "none" => Ok(Backfill::None),
        Some(Value::String(word)) if word == "page" => Ok(Backfill::Page),
        Some(number) => match number.as_u64().and_then(|number| usize::try_from(number).ok()) {
            Some(0) => Ok(Backfill::None),
            Some(count) if count <= most => Ok(Backfill::Newest(count)),
            _ => wrong(),
        },
    }
}

sample!(NewSource, {
    "link": "https://example.com/podcast.xml",
    "title": "The podcast",
    "workflow": "transcribe",
    "options": { "language": "en" },
    "backfill": 3
});

sample!(SourceChange, { "state": "paused", "title": "The podcast, for now" });
