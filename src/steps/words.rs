//! Where a transcript's words come from: recognition, the platform's subtitles, or nowhere because nothing is said.

use crawlers::SubtitleSource;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Job, extract::Extracted, resolve};
use crate::{
    domain::{MediaId, Options, Segment, Transcript, options::PlatformSubtitles},
    error::{Code, Error, Result},
    subtitle::read::Line,
    transcribe,
};

/// The engine's name in transcripts that are made of a platform's subtitles.
const PLATFORM: &str = "platform";

/// What `download` has got; its output.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Fetched {
    pub media_id: MediaId,
    /// The kept file; none when there is none or nothing can be heard in it.
    pub file: Option<String>,
    #[serde(default)]
    pub size: Option<i64>,
    #[serde(default)]
    pub sha256: Option<String>,
    #[serde(default)]
    pub content_type: Option<String>,
    /// How long the media is, as far as anybody says.
    #[serde(default)]
    pub duration_ms: Option<u64>,
    /// Why there is nothing to hear, in a sentence.
    #[serde(default)]
    pub silent: Option<String>,
    /// Whether no sound in the file is a result.
    #[serde(default)]
    pub may_be_silent: bool,
    /// The platform's own words, when they are wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtitles: Option<Captions>,
    /// What a reader should know.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// How the media was found when it had to be looked up again.
    #[serde(default)]
    pub attempts: Vec<crawlers::Attempt>,
}

/// The media that a `transcribe` step is given: the output of `download`; or of `resolve`, `media:<id>`, `upload:<id>`,
/// for what is here.
pub(super) async fn fetched(job: &Job<'_>) -> Result<Fetched> {
    let given: Value = job.field("media")?;
    let link = match (&given, given.get("media_id")) {
        (Value::String(link), _) => link.trim().to_owned(),
        // What `download` has made says which file it has; `resolve` speaks of none.
        (Value::Object(fields), Some(id)) if !fields.contains_key("file") => format!("media:{id}"),
        _ => return job.field("media"),
    };
    let unfit = || {
        let detail = "`transcribe` takes the output of `download`, `media:<id>` or `upload:<id>`";
        Error::new(Code::InvalidWorkflow, detail).with_field("media")
    };
    let media = resolve::named(job, &link).await?.ok_or_else(unfit)?;
    if media.file.is_none() {
        return Err(Error::new(Code::SourceNotFound, format!("The file of media {} is not here", media.id))
            .with_hint("Put a `download` step between `resolve` and `transcribe`."));
    }
    Ok(Fetched::of(&media))
}

/// Subtitles that were fetched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Captions {
    /// A code, or empty when nobody knows.
    pub language: String,
    pub source: SubtitleSource,
    pub lines: Vec<Line>,
}

/// Where the words come from.
#[derive(Debug, PartialEq)]
pub(super) enum Source<'a> {
    Recognition,
    /// The subtitles, and why not from what was said, where they stand in for that.
    Platform(&'a Captions, Option<&'a str>),
    /// Nowhere, and why.
    Silence(&'a str),
}

/// Where the words come from, by what is wanted and what there is. `silent` is why nothing can be heard.
pub(super) fn source<'a>(options: &Options, fetched: &'a Fetched, silent: Option<&'a str>) -> Source<'a> {
    let silent = silent.or(fetched.silent.as_deref());
    match (options.use_platform_subtitles, &fetched.subtitles, silent) {
        (PlatformSubtitles::Prefer, Some(captions), why) => Source::Platform(captions, why),
        (PlatformSubtitles::Fallback, Some(captions), Some(why)) => Source::Platform(captions, Some(why)),
        (_, _, Some(why)) => Source::Silence(why),
        (_, _, None) => Source::Recognition,
    }
}

/// The subtitles that may stand in when the media cannot be heard.
pub(super) fn stand_in<'a>(options: &Options, fetched: &'a Fetched) -> Option<&'a Captions> {
    fetched.subtitles.as_ref().filter(|_| options.use_platform_subtitles != PlatformSubtitles::Never)
}

/// A transcript of a platform's subtitles. `why` is why nothing was recognised where that was wanted.
pub(super) fn of_platform(captions: &Captions, why: Option<&str>, audio: &Extracted) -> Transcript {
    let seconds = |ms: u64| ms as f64 / 1000.0;
    let lines = captions.lines.iter().enumerate();
    let segments: Vec<Segment> = lines
        .map(|(id, line)| Segment {
            id,
            start: seconds(line.start),
            end: seconds(line.end),
            text: line.text.clone(),
            ..Segment::default()
        })
        .collect();
    let text = transcribe::join(segments.iter().map(|segment| segment.text.as_str()));
    let language = match captions.language.as_str() {
        "" => transcribe::language::by_script(&text).unwrap_or_default(),
        known => known,
    };
    let (model, writer) = match captions.source {
        SubtitleSource::Human => ("human", "which somebody has written"),
        SubtitleSource::Asr => ("asr", "which a machine has written"),
        SubtitleSource::MachineTranslation | SubtitleSource::Unknown => ("", "and nobody says who has written them"),
    };
    let own = format!("The words are the platform's own subtitles, {writer}; nothing was recognised");
    Transcript {
        text,
        language: language.to_owned(),
        duration: seconds(captions.lines.iter().map(|line| line.end).fold(audio.duration_ms, u64::max)),
        duration_after_vad: seconds(captions.lines.iter().map(|line| line.end - line.start).sum()),
        model: model.to_owned(),
        engine: PLATFORM.to_owned(),
        segments,
        warnings: why.map(str::to_owned).into_iter().chain([own]).collect(),
        ..Transcript::default()
    }
}

/// A transcript without words.
pub(super) fn of_silence(why: &str, audio: &Extracted) -> Transcript {
    let duration = audio.duration_ms as f64 / 1000.0;
    Transcript { duration, warnings: vec![why.to_owned()], ..Transcript::default() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_come_from_where_they_are_wanted() {
        let captions = Captions {
            language: String::new(),
            source: SubtitleSource::Asr,
            lines: vec![Line { start: 500, end: 1_500, text: "你好。".to_owned() }],
        };
        for (wish, has_captions, silent, expected) in [
            ("never", true, None, Source::Recognition),
            ("never", true, Some("muted"), Source::Silence("muted")),
            ("fallback", true, None, Source::Recognition),
            ("fallback", false, Some("muted"), Source::Silence("muted")),
            ("fallback", true, Some("muted"), Source::Platform(&captions, Some("muted"))),
            ("prefer", true, None, Source::Platform(&captions, None)),
            ("prefer", false, None, Source::Recognition),
        ] {
            let options = json!({ "use_platform_subtitles": wish });
            let options = Options::from_json(options.as_object().unwrap()).unwrap();
            let mut fetched: Fetched = serde_json::from_value(json!({ "media_id": 1, "file": "x" })).unwrap();
            fetched.subtitles = has_captions.then(|| captions.clone());
            assert_eq!(source(&options, &fetched, silent), expected, "{wish} {silent:?}");
            let stands_in = has_captions && wish != "never";
            assert_eq!(stand_in(&options, &fetched).is_some(), stands_in, "{wish}");
        }
        let audio = Extracted { duration_ms: 1_000, ..Extracted::default() };
        let transcript = of_platform(&captions, Some("muted"), &audio);
        assert_eq!((transcript.language.as_str(), transcript.duration), ("zh", 1.5));
        assert_eq!((transcript.engine.as_str(), transcript.model.as_str()), ("platform", "asr"));
        assert_eq!(transcript.warnings.len(), 2);
    }
}
