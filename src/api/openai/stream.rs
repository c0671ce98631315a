//! The words as they are recognised: the task's own events in the contract's shape.
//!
//! Callers may rely on this: the deltas, joined, are the text of the event that ends the stream; there is at least one.

use std::{collections::VecDeque, time::Duration};

use futures_util::{StreamExt, stream};
use poem_openapi::types::ToJSON;
use serde_json::{Value, json};

use super::{answer::Body, ask::Wanted, error, logprobs::logprobs, views::Text};
use crate::{
    api::{
        native::{Context, events::Feed},
        shape::Told,
    },
    domain::{Options, Segment, TaskId, Transcript, Word, Zh},
    error::{Code, Error, Result},
    store::Event,
    transcribe::{self, language::language},
    zh,
};

/// How long the answer's head waits for the first words: what fails before has a status of its own.
const FIRST: Duration = Duration::from_secs(5);

/// The events of a task that was made with `options`.
pub(super) async fn events(context: &Context, task: TaskId, wanted: Wanted, options: &Options) -> Result<Body> {
    let live = Live {
        feed: Some(Feed::new(context, Some(task), 0)),
        context: context.clone(),
        task,
        words: Words::new(wanted, options),
        ready: VecDeque::new(),
    };
    let mut live = stream::unfold(live, |mut live| async move { live.next().await.map(|event| (event, live)) }).boxed();
    let first = match tokio::time::timeout(FIRST, live.next()).await {
        Ok(Some(Err(error))) => return Err(error),
        Ok(first) => first,
        Err(_) => None,
    };
    let told = |event: Result<Value>| event.unwrap_or_else(|error| error::body(&Told::from(&error))).to_string();
    Ok(Body::Events(stream::iter(first).chain(live).map(told).boxed()))
}

/// A task that is listened to.
struct Live {
    /// None when everything was heard.
    feed: Option<Feed>,
    context: Context,
    task: TaskId,
    words: Words,
    ready: VecDeque<Value>,
}

impl Live {
    async fn next(&mut self) -> Option<Result<Value>> {
        loop {
            let Some(feed) = &mut self.feed else { return self.ready.pop_front().map(Ok) };
            match feed.next().await {
                Some(event) => {
                    if let Some(delta) = self.words.hear(&event) {
                        return Some(Ok(delta));
                    }
                }
                None => {
                    self.feed = None;
                    let end = self.context.outcome(self.task).await;
                    match end.and_then(|ended| self.words.end(&ended.transcript)) {
                        Ok(events) => self.ready.extend(events),
                        Err(error) => return Some(Err(error)),
                    }
                }
            }
        }
    }
}

/// What was heard, and what of it was told.
struct Words {
    wanted: Wanted,
    /// The script that Chinese is told in, and the language that decides whether it is.
    script: Zh,
    language: &'static str,
    /// What this try of the step has heard.
    heard: String,
    last: String,
    /// Its words that were not told yet.
    words: Vec<Word>,
    told: String,
}

impl Words {
    fn new(wanted: Wanted, options: &Options) -> Self {
        let language = options.language.as_deref().and_then(|given| language(given).ok()).unwrap_or_default();
        let [heard, last, told] = Default::default();
        Self { wanted, script: options.zh, language, heard, last, words: Vec::new(), told }
    }

    /// The delta that comes of an event, if one does.
    fn hear(&mut self, event: &Event) -> Option<Value> {
        match event.kind.as_str() {
            // The step begins, perhaps anew: then everything is heard once more.
            "step" if event.data["state"] == "running" => self.forget(),
            "segment" => return self.segment(serde_json::from_value(event.data["segment"].clone()).ok()?),
            _ => {}
        }
        None
    }

    fn forget(&mut self) {
        self.heard.clear();
        self.last.clear();
        self.words.clear();
    }

    fn segment(&mut self, segment: Segment) -> Option<Value> {
        // Which script it is to be is not known before its language is: then the whole text is told at the end.
        if self.script != Zh::None && self.language.is_empty() {
            return None;
        }
        let segment = self.written(segment);
        let joined = transcribe::join([self.last.as_str(), segment.text.as_str()]);
        self.heard.push_str(&joined[self.last.len()..]);
        if !segment.text.is_empty() {
            self.last = segment.text;
        }
        self.words.extend(segment.words);
        let more = self.heard.strip_prefix(&self.told)?;
        let words = std::mem::take(&mut self.words);
        (!more.is_empty()).then(|| more.to_owned()).map(|more| self.delta(&more, &words))
    }

    /// A segment in the script that was asked for.
    fn written(&self, segment: Segment) -> Segment {
        let mut one =
            Transcript { language: self.language.to_owned(), segments: vec![segment], ..Transcript::default() };
        zh::convert(&mut one, self.script);
        one.segments.pop().unwrap_or_default()
    }

    /// The events that end the stream.
    fn end(&mut self, transcript: &Transcript) -> Result<Vec<Value>> {
        let whole = match transcript.segments.as_slice() {
            [] => transcript.text.clone(),
            segments => transcribe::join(segments.iter().map(|segment| segment.text.as_str())),
        };
        let Some(more) = whole.strip_prefix(&self.told) else {
            let detail = "Recognition had to begin anew, and has heard something else than what was told before";
            let hint = "Read the whole text with /api/tasks/{id}/transcript; the id stands in the header X-Task-Id.";
            return Err(Error::new(Code::Conflict, detail).with_hint(hint));
        };
        let mut events = Vec::new();
        if !more.is_empty() || self.told.is_empty() {
            let words = std::mem::take(&mut self.words);
            events.push(self.delta(more, &words));
        }
        let mut done = json!({ "type": "transcript.text.done" });
        if let (Some(done), Some(Value::Object(members))) =
            (done.as_object_mut(), Text::of_stream(transcript, &self.wanted, whole).to_json())
        {
            done.extend(members);
        }
        events.push(done);
        Ok(events)
    }

    fn delta(&mut self, more: &str, words: &[Word]) -> Value {
        self.told.push_str(more);
        let mut delta = json!({ "type": "transcript.text.delta", "delta": more });
        if self.wanted.logprobs {
            let words: Vec<&Word> = words.iter().collect();
            delta["logprobs"] = logprobs(more, &words).to_json().unwrap_or_default();
        }
        delta
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use proptest::prelude::*;

    use super::*;
    use crate::api::openai::{
        ask::Format,
        views::tests::{transcript, wanted},
    };

    fn words(options: Value) -> Words {
        let wanted = Wanted { stream: true, ..wanted(Format::Json) };
        Words::new(wanted, &Options::from_json(options.as_object().unwrap()).unwrap())
    }

    fn event(kind: &str, data: Value) -> Event {
        Event { id: 1, task_id: TaskId(1), kind: kind.to_owned(), data, created_at: Utc::now() }
    }

    fn said(text: &str) -> Event {
        let segment = Segment { text: text.to_owned(), ..Segment::default() };
        event("segment", json!({ "step": "text", "segment": segment }))
    }

    fn begun() -> Event {
        event("step", json!({ "step": "text", "state": "running" }))
    }

    fn made(texts: &[&str], language: &str) -> Transcript {
        let segments = texts.iter().map(|text| Segment { text: (*text).to_owned(), ..Segment::default() }).collect();
        Transcript {
            text: transcribe::join(texts.iter().copied()),
            language: language.to_owned(),
            segments,
            ..Transcript::default()
        }
    }

    fn deltas(events: &[Value]) -> String {
        let delta = |event: &Value| event["delta"].as_str().map(str::to_owned);
        events.iter().filter_map(delta).collect()
    }

    /// Everything that is told of events and the transcript at their end.
    fn told(words: &mut Words, events: &[Event], end: &Transcript) -> Result<Vec<Value>> {
        let mut told: Vec<Value> = events.iter().filter_map(|event| words.hear(event)).collect();
        told.extend(words.end(end)?);
        Ok(told)
    }

    #[test]
    fn segments_become_deltas() {
        let all = told(
            &mut words(json!({})),
            &[begun(), said("One two."), event("progress", json!({})), said("Three.")],
            &made(&["One two.", "Three."], "en"),
        )
        .unwrap();
        let kinds: Vec<&str> = all.iter().map(|event| event["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["transcript.text.delta", "transcript.text.delta", "transcript.text.done"]);
        assert_eq!((&all[0]["delta"], &all[1]["delta"]), (&json!("One two."), &json!(" Three.")));
        assert_eq!((&all[2]["text"], &all[2]["languages"][0]["code"]), (&json!("One two. Three."), &json!("en")));
        assert_eq!(all[2]["usage"]["type"], "duration");
    }

    #[test]
    fn what_is_heard_again_is_told_once() {
        let events = [begun(), said("One."), said("Two."), begun(), said("One."), said("Two."), said("Three.")];
        let all = told(&mut words(json!({})), &events, &made(&["One.", "Two.", "Three."], "en")).unwrap();
        assert_eq!((deltas(&all).as_str(), all.len()), ("One. Two. Three.", 4));
        let other = told(&mut words(json!({})), &[begun(), said("One.")], &made(&["Won."], "en")).unwrap_err();
        assert_eq!(other.code, Code::Conflict);
    }

    #[test]
    fn silence_is_one_empty_delta() {
        let all = told(&mut words(json!({})), &[begun()], &Transcript::default()).unwrap();
        assert_eq!(all[0], json!({"type": "transcript.text.delta", "delta": ""}));
        assert_eq!((&all[1]["text"], &all[1]["languages"]), (&json!(""), &json!([])));
    }

    #[test]
    fn chinese_is_told_in_its_script() {
        let mut end = made(&["这个软件。", "很好。"], "zh");
        zh::convert(&mut end, Zh::Hant);
        for (options, count) in [(json!({"zh": "hant", "language": "zh"}), 3), (json!({"zh": "hant"}), 2)] {
            let all = told(&mut words(options), &[said("这个软件。"), said("很好。")], &end).unwrap();
            assert_eq!((deltas(&all).as_str(), all.len()), ("這個軟件。很好。", count));
            assert_eq!(all[count - 1]["text"], "這個軟件。很好。");
        }
    }

    #[test]
    fn log_probabilities_go_with_their_words() {
        let mut words = words(json!({}));
        words.wanted.logprobs = true;
        let whole = transcript();
        let events: Vec<Event> =
            whole.segments.iter().map(|segment| event("segment", json!({ "segment": segment }))).collect();
        let all = told(&mut words, &events, &whole).unwrap();
        assert_eq!(
            (all[0]["logprobs"].as_array().unwrap().len(), all[2]["logprobs"].as_array().unwrap().len()),
            (2, 3)
        );
        assert_eq!(all[1]["logprobs"][0]["token"], " Three.");
    }

    proptest! {
        #[test]
        fn the_deltas_are_the_text(texts in prop::collection::vec("[a是\\. ]{0,4}", 0..8), cut in 0usize..9) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let first = texts.iter().take(cut).map(|text| said(text));
            let events: Vec<Event> = std::iter::once(begun()).chain(first).chain([begun()])
                .chain(texts.iter().map(|text| said(text))).collect();
            let all = told(&mut words(json!({})), &events, &made(&texts, "zh")).unwrap();
            let done = all.last().unwrap();
            prop_assert_eq!(deltas(&all), done["text"].as_str().unwrap());
            prop_assert_eq!(done["text"].as_str().unwrap(), transcribe::join(texts.iter().copied()));
            prop_assert_eq!(&all[0]["type"], "transcript.text.delta");
        }
    }
}
