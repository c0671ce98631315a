//! Every way to every platform, tried on a link that should always work.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Check, Ending, Found};
use crate::{
    crawl::{Ask, Canary, Crawl},
    error::{Code, Error, Result},
};

/// The longest that one way may take.
const WITHIN: Duration = Duration::from_secs(120);

/// Tries each strategy of each platform, and tells each outcome when it is known. A platform works when one of them does.
pub async fn check(crawl: &Crawl, mut tell: impl FnMut(Check)) {
    for canary in crawl.canaries() {
        let begun = Instant::now();
        let platform = canary.platform;
        if canary.link.is_empty() {
            let detail = format!("No link to try: set `crawlers.{platform}.canary`.");
            tell(Check::of(platform, true, begun, Ok(Found::Nothing(detail))));
            continue;
        }
        let (mut working, mut failing) = (0, 0);
        for strategy in &canary.strategies {
            let check = one_way(crawl, &canary, strategy).await;
            working += usize::from(check.ending == Ending::Ok);
            failing += usize::from(check.ending == Ending::Failed);
            tell(check);
        }
        let found = match (working, failing) {
            (0, 0) => Ok(Found::Nothing("No way could be tried.".to_owned())),
            (0, _) => Err(Error::new(Code::SourceBlocked, "No way works")
                .with_hint("Is the canary still there? Else add a cookie identity, or see what the ways say.")),
            (working, failing) => Ok(Found::Here(format!("{working} of {} ways work.", working + failing))),
        };
        tell(Check::of(platform, true, begun, found));
    }
}

async fn one_way(crawl: &Crawl, canary: &Canary, strategy: &str) -> Check {
    let begun = Instant::now();
    let ask = Ask { link: canary.link.clone(), only: Some(strategy.to_owned()), ..Ask::default() };
    let found = tokio::time::timeout(WITHIN, crawl.look_up(&ask)).await;
    let found: Result<_> =
        found.unwrap_or_else(|_| Err(Error::new(Code::SourceTimeout, "It took longer than two minutes")));
    let attempts = found.as_ref().err().map(|error| error.attempts.clone()).unwrap_or_default();
    let found = found.map(|resolved| Found::Here(format!("{} candidates", resolved.candidates.len())));
    let mut check = Check::of(&format!("{}.{strategy}", canary.platform), false, begun, found);
    // What the way itself says is closer than what was made of it.
    let told = attempts.iter().find(|attempt| attempt["strategy"] == strategy);
    let word = |name: &str| told.and_then(|attempt| attempt[name].as_str()).map(str::to_owned);
    if check.ending == Ending::Failed && word("ending").as_deref() == Some("skipped") {
        (check.ending, check.class, check.hint) = (Ending::Skipped, None, None);
    }
    if let Some(class) = told.and_then(|attempt| attempt.get("class")).and_then(Value::as_str) {
        check.class = Some(class.to_owned());
    }
    if let Some(message) = word("message").filter(|_| check.ending != Ending::Ok) {
        check.detail = message;
    }
    check
}
