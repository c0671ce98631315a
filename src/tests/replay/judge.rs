//! What a capture should have come to, and in what it falls short.

use crawlers::{CrawlError, HasAudio, Page, Resolved};
use serde_json::Value;

use super::{
    manifest::Capture,
    play::{Made, Played},
    stub::cookie,
};

/// Everything that is not as the manifest says.
pub fn shortfalls(capture: &Capture, played: &Played) -> Vec<String> {
    let expect = &capture.expect;
    if expect["cues"].is_number() {
        return cues(capture);
    }
    let outcome = expect["outcome"].as_str().unwrap_or("");
    let mut found = Vec::new();
    match outcome {
        "error" => found.extend(error(expect, &played.result)),
        "strategy_failed" => match &played.result {
            Ok(_) => found.push("it was found, but this way does not lead to it".to_owned()),
            Err(failure) => found.extend(class(expect, failure)),
        },
        "handover" => {
            let wanted = text(expect, "url");
            if !played.handed_over.contains(&wanted) {
                found.push(format!("yt-dlp should be asked for {wanted}, but was for {:?}", played.handed_over));
            }
        }
        "challenge" => found.extend(challenge(expect, played)),
        "retry" => {
            let wanted = text(expect, "next_url");
            let asked = |seen: &super::stub::Seen| format!("https://{}{}", seen.host, seen.path) == wanted;
            if !played.seen.iter().any(asked) {
                found.push(format!("{wanted} was not asked for"));
            }
        }
        "retry_with_other_aid" => {
            let asked = played.seen.iter().filter_map(|seen| seen.query.get("aid"));
            let aids: std::collections::BTreeSet<_> = asked.collect();
            if aids.len() < 2 {
                found.push(format!("only aid {aids:?} was tried"));
            }
        }
        _ => found.extend(success(capture, played)),
    }
    found
}

fn error(expect: &Value, result: &Result<Made, CrawlError>) -> Vec<String> {
    let Err(failure) = result else { return vec!["it was found, but should be an error".to_owned()] };
    let mut found = class(expect, failure);
    if let Some(retryable) = expect["retryable"].as_bool()
        && failure.retryable() != retryable
    {
        found.push(format!("{} should{} be worth another try", failure.class, if retryable { "" } else { " not" }));
    }
    found
}

fn class(expect: &Value, failure: &CrawlError) -> Vec<String> {
    let any = expect["class_any"].as_array().cloned().unwrap_or_default();
    let wanted: Vec<&str> = any.iter().chain(expect.get("class")).filter_map(Value::as_str).collect();
    let is_it = wanted.is_empty() || wanted.contains(&failure.class.as_str());
    (!is_it)
        .then(|| format!("class {} ({failure}), expected {}", failure.class, wanted.join(" or ")))
        .into_iter()
        .collect()
}

/// The request is repeated with the answer to the challenge.
fn challenge(expect: &Value, played: &Played) -> Vec<String> {
    let cookies = expect["set_cookie"].as_object().cloned().unwrap_or_default();
    let brought = |name: &String| played.seen.iter().any(|seen| cookie(&seen.cookie, name).is_some());
    let mut found: Vec<String> =
        cookies.keys().filter(|name| !brought(name)).map(|name| format!("no request has the cookie {name}")).collect();
    if let Err(error) = &played.result {
        found.push(format!("the repeated request ended as {}: {error}", error.class));
    }
    found
}

fn success(capture: &Capture, played: &Played) -> Vec<String> {
    let expect = &capture.expect;
    if let Some(cookies) = expect["cookie"].as_object() {
        return cookies.iter().filter_map(|(name, value)| later_cookie(played, name, value)).collect();
    }
    let is_short = expect["outcome"].is_null() && expect["id"].is_string();
    match &played.result {
        // Where a short link leads is all that its capture tells.
        result if is_short => {
            let id = text(expect, "id");
            let reached = played
                .seen
                .iter()
                .any(|seen| seen.path.contains(&id) || seen.query.values().any(|value| value.contains(&id)));
            let is_it = matches!(result, Ok(Made::Post(post)) if post.id == id);
            (!is_it && !reached).then(|| format!("it does not lead to {id}")).into_iter().collect()
        }
        // Metadata alone is no media.
        Err(_) if expect["media"].is_null() && expect.get("media").is_some() => Vec::new(),
        Err(error) => vec![format!("{}: {error}", error.class)],
        Ok(Made::Post(post)) => super::post::shortfalls(expect, post, capture),
        Ok(Made::List(page)) => list(expect, page, played),
    }
}

/// Subtitles are read by the daemon, not by a module.
fn cues(capture: &Capture) -> Vec<String> {
    let lines = match trawl::subtitle::read::read(&capture.body) {
        Ok(lines) => lines,
        Err(error) => return vec![error.to_string()],
    };
    let words: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    let first = lines.first().map_or(0, |line| line.start);
    [("cues", Value::from(lines.len())), ("first_start_ms", Value::from(first)), ("text", Value::from(words.join(" ")))]
        .into_iter()
        .filter(|(name, given)| capture.expect.get(name).is_some_and(|wanted| wanted != given))
        .map(|(name, given)| format!("{name} is {given}, expected {}", capture.expect[name]))
        .collect()
}

fn later_cookie(played: &Played, name: &str, value: &Value) -> Option<String> {
    let brought = played.seen.iter().any(|seen| cookie(&seen.cookie, name) == value.as_str());
    (!brought).then(|| format!("no request brings the cookie {name}"))
}

fn list(expect: &Value, page: &Page, played: &Played) -> Vec<String> {
    let mut found = Vec::new();
    let mut check = |what: &str, given: String, wanted: &Value| {
        let wanted = wanted.as_str().map_or_else(|| wanted.to_string(), str::to_owned);
        if given != wanted {
            found.push(format!("{what} is {given}, expected {wanted}"));
        }
    };
    if let Some(ids) = expect["ids"].as_array() {
        let given: Vec<&str> = page.items.iter().map(|item| item.id.as_str()).collect();
        let wanted: Vec<&str> = ids.iter().filter_map(Value::as_str).collect();
        check("ids", format!("{given:?}"), &Value::String(format!("{wanted:?}")));
    }
    if expect["has_more"].is_boolean() {
        check("has_more", page.next.is_some().to_string(), &expect["has_more"]);
    }
    if !expect["next_cursor"].is_null() {
        check("next_cursor", page.next.clone().unwrap_or_default(), &expect["next_cursor"]);
    }
    if let Some(wanted) = expect["sec_uid"].as_str() {
        let asked = played.seen.iter().any(|seen| seen.query.values().any(|value| value == wanted));
        check("the list asked for by that sec_uid", asked.to_string(), &Value::Bool(true));
    }
    for (index, wanted) in expect["items"].as_array().into_iter().flatten().enumerate() {
        let Some(item) = page.items.get(index) else {
            check("items", page.items.len().to_string(), &Value::from(index + 1));
            break;
        };
        check("guid", item.id.clone(), &wanted["guid"]);
        check("media", item.link.clone(), &wanted["media"]);
        let seconds = item.duration_ms.map_or(0, |ms| ms / 1_000);
        check("duration_s", seconds.to_string(), &wanted["duration_s"]);
    }
    found
}

pub fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

/// Whether the first candidate is said to have no sound, which it should not be.
pub fn is_deaf(post: &Resolved) -> bool {
    post.candidates.first().is_some_and(|candidate| candidate.has_audio == HasAudio::No)
}
