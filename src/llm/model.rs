//! One language model: its server, its limits, and one request to it.

use std::{
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
};

use async_openai::{
    Client, config::OpenAIConfig, error::OpenAIError, middleware::HttpRequestFactory, traits::RequestOptionsBuilder,
};
use futures_util::StreamExt;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use super::{
    dialect::{Dialect, is_about_form},
    failure::{gave_up, refused, too_slow, unreached, unusable},
    wire::{Choice, Completion, Counted, Question},
};
use crate::{
    config::LlmModel,
    error::{Code, Error, Result},
    net::{Executed, FormReply, Net},
};

/// The most bytes that a token of an answer may have: more is no answer to what was asked.
const TOKEN_BYTES: usize = 64;
/// The most bytes that travel for a token; a streamed one comes with some 300 around it.
const TOKEN_ON_THE_WIRE: usize = 4 * 1024;
/// What an answer may have beyond that on the wire.
const SPARE: usize = 1024 * 1024;

const AUTHORIZATION: &str = "authorization";

/// A model. Nothing is sent until it is asked.
pub(super) struct Model {
    pub(super) settings: LlmModel,
    client: Client<OpenAIConfig>,
    limiter: Option<DefaultDirectRateLimiter>,
    dialect: Mutex<Dialect>,
}

/// The keys that a request carries.
#[derive(Clone, Copy)]
pub(super) struct Keys<'a> {
    /// The same for every try.
    pub(super) idempotency: &'a str,
    /// In place of that of the configuration.
    pub(super) api: Option<&'a str>,
    /// Takes it out of what the server says.
    pub(super) hide: &'a (dyn Fn(String) -> String + Sync),
}

/// What a model said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) counted: Option<Counted>,
}

/// Why a request has no answer; travels through the library.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    #[error(transparent)]
    Unreached(Error),
    #[error("the server refuses")]
    Refused(FormReply),
}

/// How a request failed: by a refusal that another dialect may avoid, or otherwise.
enum Failure {
    Refused(FormReply),
    Other(Error),
}

impl Model {
    pub(super) fn new(settings: LlmModel, net: &Net) -> Self {
        let client = client(&settings, net.clone());
        let limiter = NonZeroU32::new(settings.requests_per_minute)
            .map(|per_minute| RateLimiter::direct(Quota::per_minute(per_minute).allow_burst(NonZeroU32::MIN)));
        Self { settings, client, limiter, dialect: Mutex::new(Dialect::default()) }
    }

    /// Asks once, or again without what the server does not take. `hear` gets the text of a streamed answer as it comes.
    pub(super) async fn ask(&self, question: &Question, keys: Keys<'_>, hear: &(dyn Fn(&str) + Sync)) -> Result<Said> {
        let mut dialect = *self.dialect.lock().unwrap_or_else(PoisonError::into_inner);
        let mut learned = dialect;
        loop {
            if let Some(limiter) = &self.limiter {
                limiter.until_ready().await;
            }
            let asked = tokio::time::timeout(self.settings.timeout.0, self.send(question, dialect, keys, hear)).await;
            match asked.map_err(|_| too_slow(&self.settings))? {
                Ok(said) => {
                    *self.dialect.lock().unwrap_or_else(PoisonError::into_inner) = learned;
                    return Ok(said);
                }
                Err(Failure::Refused(reply)) if matches!(reply.status, 400 | 422) => {
                    let said = String::from_utf8_lossy(&reply.body);
                    let less =
                        dialect.after(question, &said).ok_or_else(|| refused(&self.settings, &reply, keys.hide))?;
                    // What may be wrong with this schema alone is no news about the server.
                    let form = if is_about_form(&said) { less.form } else { learned.form };
                    (dialect, learned) = (less, Dialect { form, ..less });
                    tracing::debug!(model = self.settings.alias, ?dialect, "the server takes less than was asked");
                }
                Err(Failure::Refused(reply)) => return Err(refused(&self.settings, &reply, keys.hide)),
                Err(Failure::Other(error)) => return Err(error),
            }
        }
    }

    async fn send(
        &self,
        question: &Question,
        dialect: Dialect,
        keys: Keys<'_>,
        hear: &(dyn Fn(&str) + Sync),
    ) -> Result<Said, Failure> {
        let body = question.body(&self.settings.model, dialect);
        let chat = self.client.chat().header("Idempotency-Key", keys.idempotency);
        let chat = match keys.api {
            Some(key) => chat.and_then(|chat| chat.header(AUTHORIZATION, format!("Bearer {key}"))),
            None => chat,
        };
        let chat = chat.map_err(|error| self.failure(error))?;
        let mut answer = Answer::default();
        let most = usize::try_from(question.max_tokens).unwrap_or(usize::MAX).saturating_mul(TOKEN_BYTES);
        if question.is_streamed() {
            let mut pieces =
                chat.create_stream_byot::<_, Completion>(body).await.map_err(|error| self.failure(error))?;
            while let Some(piece) = pieces.next().await {
                let from = answer.text.len();
                self.add(&mut answer, piece.map_err(|error| self.failure(error))?, most, keys.hide)?;
                if answer.text.len() > from {
                    hear(&answer.text[from..]);
                }
            }
            if answer.ending.is_none() {
                let detail = format!("The answer of the language model {} broke off", self.settings.alias);
                return Err(Failure::Other(Error::new(Code::LlmUnavailable, detail)));
            }
        } else {
            let whole = chat.create_byot::<_, Completion>(body).await.map_err(|error| self.failure(error))?;
            self.add(&mut answer, whole, most, keys.hide)?;
        }
        self.finished(answer).map_err(Failure::Other)
    }

    /// Adds a piece of an answer.
    fn add(
        &self,
        answer: &mut Answer,
        piece: Completion,
        most: usize,
        hide: &dyn Fn(String) -> String,
    ) -> Result<(), Failure> {
        if let Some(error) = piece.error {
            return Err(Failure::Other(gave_up(&self.settings, &error, hide)));
        }
        answer.counted = piece.usage.or(answer.counted);
        let Some(Choice { message, delta, finish_reason }) = piece.choices.unwrap_or_default().into_iter().next()
        else {
            return Ok(());
        };
        for said in message.into_iter().chain(delta) {
            answer.text.push_str(&said.content.unwrap_or_default());
            answer.is_refusal |= said.refusal.is_some_and(|refusal| !refusal.is_empty());
        }
        answer.ending = finish_reason.or(answer.ending.take());
        if answer.text.len() > most {
            let detail = format!("The language model {} writes far more than it was asked for", self.settings.alias);
            return Err(Failure::Other(
                Error::new(Code::TooLarge, detail)
                    .with_hint("The server does not keep to `max_tokens`: see its log, or ask another model."),
            ));
        }
        Ok(())
    }

    /// The answer, if it may be used.
    fn finished(&self, answer: Answer) -> Result<Said> {
        let settings = &self.settings;
        let ending = answer.ending.as_deref().unwrap_or("stop");
        if answer.is_refusal || ending == "content_filter" {
            let detail = format!("The language model {} does not want to answer", settings.alias);
            return Err(Error::new(Code::LlmDenied, detail)
                .with_hint("Change what it is asked, or ask another model: this one refuses the text."));
        }
        if ending == "length" {
            let hint = format!(
                "Raise the `max_tokens` of the step and {}, or ask for less.",
                settings.key("max_output_tokens")
            );
            return Err(unusable(settings, "it is cut off, because it is too long").with_hint(hint).for_good());
        }
        if answer.text.trim().is_empty() {
            return Err(unusable(settings, "it is empty"));
        }
        Ok(Said { text: answer.text, counted: answer.counted })
    }

    /// What the library's error means.
    fn failure(&self, error: OpenAIError) -> Failure {
        let settings = &self.settings;
        let broken = |error| {
            let detail = format!("The answer of the language model {} broke off, or is far too long", settings.alias);
            Failure::Other(Error::new(Code::LlmUnavailable, detail).with_source(error))
        };
        match error {
            OpenAIError::Boxed(cause) => match cause.downcast::<Unanswered>().map(|cause| *cause) {
                Ok(Unanswered::Refused(reply)) => Failure::Refused(reply),
                Ok(Unanswered::Unreached(error)) => Failure::Other(unreached(settings, error)),
                Err(cause) => Failure::Other(Error::new(Code::Internal, "A request was lost").with_source(cause)),
            },
            // Holds the answer, which belongs into no log.
            OpenAIError::JSONDeserialize(..) => Failure::Other(unusable(settings, "it is no chat completion")),
            OpenAIError::Reqwest(error) => {
                broken(Box::<dyn std::error::Error + Send + Sync>::from(error.without_url()))
            }
            OpenAIError::StreamError(error) => broken(error.to_string().into()),
            error => Failure::Other(
                Error::new(Code::Internal, "A request cannot be put together").with_source(error.to_string()),
            ),
        }
    }
}

/// An answer as it grows.
#[derive(Default)]
struct Answer {
    text: String,
    counted: Option<Counted>,
    ending: Option<String>,
    is_refusal: bool,
}

/// The library's client, whose requests leave by the guarded door, once: trying again is the queue's business.
fn client(settings: &LlmModel, net: Net) -> Client<OpenAIConfig> {
    // Everything is said here, so that nothing comes from the environment.
    let config = OpenAIConfig::new()
        .with_api_base(&settings.base_url)
        .with_api_key(&settings.api_key)
        .with_org_id("")
        .with_project_id("");
    let tokens = usize::try_from(settings.max_output_tokens).unwrap_or(usize::MAX);
    let limit = tokens.saturating_mul(TOKEN_ON_THE_WIRE).saturating_add(SPARE);
    let lost = |why: Unanswered| OpenAIError::Boxed(Box::new(why));
    Client::build(net.library_client(), config).with_http_service(tower::service_fn(
        move |factory: HttpRequestFactory| {
            let net = net.clone();
            async move {
                let mut request = factory.build().await?;
                // What the library makes of no key.
                if request.headers().get(AUTHORIZATION).is_some_and(|value| value.as_bytes().trim_ascii() == b"Bearer")
                {
                    request.headers_mut().remove(AUTHORIZATION);
                }
                match net.execute(request, limit).await {
                    Ok(Executed::Accepted(response)) => Ok(response),
                    Ok(Executed::Refused(reply)) => Err(lost(Unanswered::Refused(reply))),
                    Err(error) => Err(lost(Unanswered::Unreached(error))),
                }
            }
        },
    ))
}
