//! What the `transcribe` steps of a task want from the step that fetches the media.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::Job;
use crate::{
    domain::{
        Options, StepKind,
        options::{Goal, PlatformSubtitles},
    },
    error::Result,
    queue::scope,
    transcribe,
    workflow::template,
};

/// The options that matter before there is audio.
const NAMES: [&str; 5] = ["use_platform_subtitles", "background_music", "language", "languages", "task"];

/// What is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    /// Whether subtitles are wanted.
    pub subtitles: bool,
    /// Whether the music behind a post is to be heard, too.
    pub background_music: bool,
    /// The languages that words may be in, as codes; empty: the one that is spoken.
    pub languages: Vec<&'static str>,
}

impl Wishes {
    /// Those of all steps that wait for this one, by what the workflow and the task say.
    pub fn of(job: &Job<'_>) -> Result<Self> {
        let scope = scope::build(job.task, job.steps, &HashMap::new());
        let own = &job.work.row.step.key;
        let mut all = Self::default();
        for row in job.steps.iter().filter(|row| row.step.kind == StepKind::Transcribe && row.needs.contains(own)) {
            // What refers to something that is not known yet cannot be wished for now.
            let known = |(name, value): (&String, &Value)| Some((name.clone(), template::fill(value, &scope).ok()?));
            let mut given: Map<String, Value> = row.with.iter().filter_map(known).collect();
            given.extend(job.task.options.clone());
            given.retain(|name, _| NAMES.contains(&name.as_str()));
            all.add(&Options::from_json(&given)?)?;
        }
        Ok(all)
    }

    fn add(&mut self, options: &Options) -> Result<()> {
        self.subtitles |= options.use_platform_subtitles != PlatformSubtitles::Never;
        self.background_music |= options.background_music;
        let allowed = transcribe::language::allowed(options)?;
        match options.task {
            Goal::Translate => self.languages.push("en"),
            Goal::Transcribe => self.languages.extend(allowed.given.into_iter().chain(allowed.among)),
        }
        Ok(())
    }
}
