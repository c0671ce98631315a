//! One job at a server: pieces sent, answers put together.

use std::{
    ops::Range,
    sync::atomic::AtomicU64,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{
    RELAXED, Remote,
    pieces::{Piece, pack, shorten, span},
    reply::{self, Heard, Unread},
    request,
};
use crate::{
    domain::{Segment, Transcript},
    error::{Code, Error, Result},
    net::{Form, FormReply},
    transcribe::{
        audio::{Pcm, SAMPLE_RATE, seconds},
        engine::{self, EngineEvent, Events, Job, Transcribed},
        language::by_script,
        recognise::{self, merge::Merge},
        text,
        words::Marks,
    },
};

/// The longest piece for a server that gives no times: that exact, at least, they are then.
const TIMELESS: u64 = 30 * SAMPLE_RATE;
/// Shorter pieces are not cut further.
const SHORTEST: u64 = 2 * SAMPLE_RATE;
/// After so many segments, others have their turn on the thread.
const TURN: usize = 64;
/// How often a job says that it is at work.
const TICK: Duration = Duration::from_secs(1);

/// A job on its way.
struct Asking<'a> {
    job: &'a Job,
    model: &'a str,
    /// The longest piece in samples; shorter when the server turns out to take less.
    longest: AtomicU64,
}

/// What a server made of some samples.
struct Answer {
    range: Range<u64>,
    heard: Heard,
    took: Duration,
}

impl Remote {
    pub(super) async fn run(&self, job: &Job, events: &Events<'_>, cancel: &CancellationToken) -> Result<Transcribed> {
        let given = request::asked(&job.options)?;
        let plan = recognise::plan(job, cancel).await?;
        let model = if self.settings.model.is_empty() { &job.model } else { &self.settings.model };
        let fields = request::size(&request::fields(model, &job.options, false)?);
        let longest = self.settings.longest_beside(fields);
        let longest = if self.is_timeless.load(RELAXED) { longest.min(TIMELESS) } else { longest };
        let asking = Asking { job, model, longest: AtomicU64::new(longest) };
        let pieces = pack(&plan.windows, longest, !job.options.clip_timestamps.0.is_empty());
        let total: u64 = pieces.iter().map(|piece| length(&span(piece))).sum();

        // Answers come in order, so to the merge the whole audio is one window.
        let whole = 0..job.samples;
        let silence = job.options.hallucination_silence_threshold.map(|least| (&plan.speech, least));
        let merge = Merge::new(std::slice::from_ref(&whole), silence, events);
        let mut collected = Collected { merge, languages: Vec::new(), warnings: Vec::new() };
        let mut took = Duration::ZERO;
        let mut done = 0;
        let mut answers = stream::iter(pieces).map(|piece| self.piece(&asking, piece)).buffered(self.settings.slots);
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let answers = tokio::select! {
                answers = answers.next() => answers,
                _ = tick.tick() => {
                    events(EngineEvent::Progress(done as f64 / total.max(1) as f64));
                    continue;
                }
            };
            let Some(answers) = answers else { break };
            for answer in answers? {
                took += answer.took;
                done += length(&answer.range);
                collected.take(self.name(), answer).await;
            }
        }
        let mut transcript = Transcript {
            duration: seconds(job.samples),
            duration_after_vad: plan.duration,
            model: job.model.clone(),
            engine: self.settings.engine(),
            ..Transcript::default()
        };
        let ignored = request::without_effect(&job.options);
        if !ignored.is_empty() {
            let warning = format!("The server {} knows no {}: without effect", self.name(), ignored.join(", "));
            transcript.warnings.push(warning);
        }
        collected.finish(given, &mut transcript);
        let inference_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        Ok(Transcribed { transcript, inference_ms, is_makeshift: false })
    }

    /// Sends a piece, once more in shorter ones when it is too large, or so long that its text without times is no use.
    async fn piece(&self, asking: &Asking<'_>, piece: Piece) -> Result<Vec<Answer>> {
        let whole = length(&span(&piece));
        let mut longest = asking.longest.load(RELAXED);
        if whole <= longest || whole < SHORTEST {
            longest = match self.send(asking, span(&piece)).await {
                Ok(answer) if answer.heard.is_timeless && whole > TIMELESS => {
                    self.is_timeless.store(true, RELAXED);
                    TIMELESS
                }
                Err(error) if error.code == Code::TooLarge && whole >= SHORTEST => whole.div_ceil(2),
                sent => return sent.map(|answer| vec![answer]),
            };
            asking.longest.fetch_min(longest, RELAXED);
        }
        let (pcm, samples) = (asking.job.pcm.clone(), asking.job.samples);
        let work = move || shorten(&mut Pcm::open(&pcm, samples)?, &piece, longest);
        let windows = tokio::task::spawn_blocking(work).await.map_err(broke_off)??;
        let mut answers = Vec::new();
        for piece in pack(&windows, longest, !asking.job.options.clip_timestamps.0.is_empty()) {
            answers.push(self.send(asking, span(&piece)).await?);
        }
        Ok(answers)
    }

    /// Sends some samples when there is room for a request.
    async fn send(&self, asking: &Asking<'_>, range: Range<u64>) -> Result<Answer> {
        // It is never closed, so this cannot fail.
        let _room = self.requests.acquire().await.map_err(|_| super::shutting_down())?;
        let started = Instant::now();
        let was_plain = self.is_plain.load(RELAXED);
        let mut reply = self.ask(asking, range.clone(), was_plain).await?;
        if !was_plain && is_about_format(&reply) {
            self.is_plain.store(true, RELAXED);
            reply = self.ask(asking, range.clone(), true).await?;
        }
        if !(200..300).contains(&reply.status) {
            return Err(self.who().refused(&reply));
        }
        let (body, seconds) = (reply.body.clone(), seconds(length(&range)));
        let options = &asking.job.options;
        let (opening, closing) = (options.prepend_punctuations.clone(), options.append_punctuations.clone());
        let read = move || reply::read(&body, seconds, &Marks { opening: &opening, closing: &closing });
        // A long answer takes a while.
        let read = tokio::task::spawn_blocking(read).await.map_err(broke_off)?;
        let unread = |body: &Bytes, why| match why {
            Unread::TooMuch => self.who().broken("Nobody says as much in that time"),
            Unread::Rubbish => {
                self.who().failed(body).unwrap_or_else(|| self.who().broken("Its answer cannot be read"))
            }
        };
        let heard = read.map_err(|why| unread(&reply.body, why))?;
        Ok(Answer { range, heard, took: started.elapsed() })
    }

    async fn ask(&self, asking: &Asking<'_>, range: Range<u64>, is_plain: bool) -> Result<FormReply> {
        let options = &asking.job.options;
        let form = Form {
            url: format!("{}{}", self.settings.url, request::path(options)),
            bearer: self.settings.key.clone(),
            fields: request::fields(asking.model, options, is_plain)?,
            max_reply: reply::longest(seconds(length(&range))),
            file: request::wav(asking.job, range),
            timeout: self.settings.timeout,
        };
        self.net.send_form(form).await.map_err(|error| self.who().unreached(error))
    }
}

/// Whether the server refuses `verbose_json` or granularities, as those of OpenAI's models do that write text only.
fn is_about_format(reply: &FormReply) -> bool {
    let said = String::from_utf8_lossy(&reply.body);
    matches!(reply.status, 400 | 422) && (said.contains("response_format") || said.contains("timestamp_granularities"))
}

fn length(range: &Range<u64>) -> u64 {
    range.end.saturating_sub(range.start)
}

fn broke_off(error: tokio::task::JoinError) -> Error {
    Error::new(Code::Internal, "Work on a server's transcript broke off").with_source(error)
}

/// The answers so far, in order.
struct Collected<'a> {
    merge: Merge<'a>,
    /// Languages with the seconds in which they were heard, and how sure the server was.
    languages: Vec<(&'static str, f64, f32)>,
    warnings: Vec<String>,
}

impl Collected<'_> {
    async fn take(&mut self, name: &str, answer: Answer) {
        let (heard, start) = (answer.heard, seconds(answer.range.start));
        let spoken: f64 = heard.segments.iter().map(|segment| segment.end - segment.start).sum();
        if let Some(language) = heard.language {
            let probability = heard.language_probability.unwrap_or(1.0);
            match self.languages.iter_mut().find(|(code, ..)| *code == language) {
                Some((_, sum, _)) => *sum += spoken,
                None => self.languages.push((language, spoken, probability)),
            }
        }
        if heard.is_timeless {
            self.warn(format!("The server {name} gives no times: segments are as long as the pieces that it was sent"));
        }
        if heard.is_misspelt {
            self.warn(format!("Words of the server {name} do not spell its text: some segments have none"));
        }
        for (at, segment) in heard.segments.into_iter().enumerate() {
            self.merge.hear(0, engine::Heard::Segment(shift(segment, start)));
            if at % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
        }
    }

    fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Fills in what was heard. `given` is the language that was asked for.
    fn finish(self, given: Option<&str>, transcript: &mut Transcript) {
        let (segments, warnings) = self.merge.finish();
        transcript.text = text::join(segments.iter().map(|segment| segment.text.as_str()));
        transcript.segments = segments;
        transcript.warnings.extend(self.warnings.into_iter().chain(warnings));
        if transcript.segments.is_empty() {
            transcript.warnings.push("No speech was found".to_owned());
            return;
        }
        // A server tells the likeliest language and no others.
        let likeliest = self.languages.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        let (code, probability) = match (given, likeliest) {
            (Some(given), _) => (given, 1.0),
            (None, Some((code, _, probability))) => (*code, *probability),
            (None, None) => by_script(&transcript.text).map_or(("", 0.0), |code| (code, 1.0)),
        };
        (transcript.language, transcript.language_probability) = (code.to_owned(), probability);
    }
}

fn shift(mut segment: Segment, by: f64) -> Segment {
    segment.start += by;
    segment.end += by;
    for word in &mut segment.words {
        word.start += by;
        word.end += by;
    }
    segment
}
