//! Several ways to the same post, tried one after the other, because each of them breaks at times.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{CrawlError, ErrorClass, Resolved, Visit, pace, ytdlp};

/// How one strategy ended.
#[derive(Debug)]
pub enum Outcome {
    /// Here it is.
    Found(Box<Resolved>),
    /// The platform said something definite about the post: the search is over.
    Answer(CrawlError),
    /// The platform said something about the post that it also says for other reasons. It counts once a second strategy
    /// says the same, or nothing better comes.
    Doubt(CrawlError),
    /// This way did not work.
    Failed(CrawlError),
}

impl From<Result<Resolved, CrawlError>> for Outcome {
    /// Errors about the post are answers, all others failures of the way.
    fn from(result: Result<Resolved, CrawlError>) -> Self {
        match result {
            Ok(resolved) => Self::Found(Box::new(resolved)),
            Err(error) if is_about_the_post(error.class) => Self::Answer(error),
            Err(error) => Self::Failed(error),
        }
    }
}

/// How an attempt ended, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It found the post.
    Found,
    /// It got a definite answer.
    Answer,
    /// It did not work.
    Failed,
    /// It was not tried.
    Skipped,
}

/// One strategy's try at a link: what is kept of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The strategy's name.
    pub strategy: String,
    /// How it ended.
    pub ending: Ending,
    /// What kind of failure it was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub class: Option<ErrorClass>,
    /// What happened, or why it was not tried.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<String>,
    /// Milliseconds that it took.
    pub ms: u64,
    /// Whether it went there with a cookie identity.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub identity: bool,
}

/// One way to a post, for posts `P` of one platform.
#[async_trait]
pub trait Strategy<P: Sync>: Send + Sync {
    /// Its name in the configuration; unique within the platform.
    fn name(&self) -> &'static str;

    /// Why it cannot be tried now, in a sentence: no key, no cookie, not installed.
    fn hindrance(&self, _visit: &Visit<'_>) -> Option<String> {
        None
    }

    /// Tries it.
    async fn find(&self, post: &P, visit: &Visit<'_>) -> Outcome;
}

/// Tries strategies in the order of `order`, which holds their names; the rest are off. Every attempt is kept, with the
/// result and with the error.
pub(crate) async fn run<P: Sync>(
    platform: &'static str,
    strategies: &[&dyn Strategy<P>],
    order: &[String],
    post: &P,
    visit: &Visit<'_>,
) -> Result<Resolved, CrawlError> {
    let mut story = Vec::new();
    let mut failures: Vec<Failure> = Vec::new();
    let mut rests = Vec::new();
    for strategy in visit.chosen(order).filter_map(|name| strategies.iter().find(|one| one.name() == name)) {
        let name = strategy.name();
        if let Some(why) = strategy.hindrance(visit) {
            story.push(attempt(name, Ending::Skipped, None, Some(why), 0));
            continue;
        }
        if let Some(rest) = visit.resting(platform, name) {
            story.push(attempt(name, Ending::Skipped, None, Some(rest.why()), 0));
            rests.push(rest.left);
            continue;
        }
        visit.begin();
        let begun = Instant::now();
        let outcome = strategy.find(post, visit).await;
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        visit.note(platform, name, &outcome);
        let is_handed_over = name == ytdlp::NAME;
        let (ending, error) = match outcome {
            Outcome::Found(mut resolved) => {
                let identity = visit.is_known();
                story.push(Attempt { identity, ..attempt(name, Ending::Found, None, None, ms) });
                resolved.strategy = name.to_owned();
                resolved.attempts = story;
                return Ok(*resolved);
            }
            Outcome::Answer(error) => (Ending::Answer, error),
            Outcome::Doubt(error) => {
                let agreed = failures.iter().any(|other| other.is_doubt && other.error.class == error.class);
                failures.push(Failure { is_doubt: true, is_handed_over, error: error.clone() });
                (if agreed { Ending::Answer } else { Ending::Failed }, error)
            }
            Outcome::Failed(error) => {
                failures.push(Failure { is_doubt: false, is_handed_over, error: error.clone() });
                (Ending::Failed, error)
            }
        };
        tracing::debug!(platform, strategy = name, class = %error.class, ms, "a way to a post has failed");
        // What was not sent says nothing about who did not send it.
        let identity = visit.is_known() && !visit.is_withheld();
        story.push(Attempt { identity, ..attempt(name, ending, Some(error.class), Some(error.message.clone()), ms) });
        if ending == Ending::Answer {
            return Err(error.with_attempts(story));
        }
    }
    // What rests has been to the platform, and yt-dlp can only guess.
    let is_guessed = failures.iter().all(|one| one.is_handed_over);
    let resting = rests.into_iter().min().filter(|_| is_guessed).map(|left| all_rest(platform, left));
    let none = || CrawlError::new(ErrorClass::Blocked, format!("No way to {platform} is switched on and at hand."));
    Err(resting.or_else(|| most_telling(failures)).unwrap_or_else(none).with_attempts(story))
}

/// The ways have failed so often lately that they are not tried: worth another try when the first of them is.
fn all_rest(platform: &str, left: Duration) -> CrawlError {
    let message = format!(
        "The ways to {platform} have failed again and again and rest; the first is tried again in {}.",
        pace::span(left)
    );
    CrawlError::new(ErrorClass::Blocked, message).with_retry_after(Some(left))
}

/// What is kept of one try.
pub(crate) fn attempt(
    strategy: &str,
    ending: Ending,
    class: Option<ErrorClass>,
    message: Option<String>,
    ms: u64,
) -> Attempt {
    Attempt { strategy: strategy.to_owned(), ending, class, message, ms, identity: false }
}

/// A way that did not lead to the post.
struct Failure {
    is_doubt: bool,
    /// Whether it was yt-dlp's.
    is_handed_over: bool,
    error: CrawlError,
}

/// Of several failures, the one that helps most: what was said about the post, then what somebody can do something about,
/// then what passes by itself. Of equals the first, because the first way is the best. What yt-dlp complains of is a guess,
/// and comes after all that the platform has said itself.
fn most_telling(failures: Vec<Failure>) -> Option<CrawlError> {
    let rank = |one: &Failure| match one.error.class {
        // That a post is withheld is what the other ways say, too.
        class if one.is_doubt && class != ErrorClass::Blocked => 0,
        ErrorClass::LoginRequired => 1,
        ErrorClass::RateLimited => 2,
        ErrorClass::Captcha => 3,
        ErrorClass::SignatureRejected => 4,
        ErrorClass::Blocked => 5,
        ErrorClass::Credentials => 6,
        ErrorClass::SiteError => 7,
        ErrorClass::IdMismatch => 8,
        ErrorClass::Transport => 9,
        _ => 10,
    };
    failures.into_iter().min_by_key(|one| (one.is_handed_over, rank(one))).map(|one| one.error)
}

/// Whether a class says something about the post itself rather than about the way to it.
fn is_about_the_post(class: ErrorClass) -> bool {
    matches!(
        class,
        ErrorClass::NotFound
            | ErrorClass::Private
            | ErrorClass::RegionBlocked
            | ErrorClass::Unavailable
            | ErrorClass::LiveNotSupported
            | ErrorClass::NoMediaFound
    )
}

#[cfg(test)]
mod tests;
