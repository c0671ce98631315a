use super::*;
use crate::{
    Crawlers, Ending, Response, find_link,
    stub::{Stub, hasty, said},
};

const CLIP: &str = r#"{"id": 7, "title": "A talk", "file": "https://media.example/7.mp4"}"#;

/// What the platform alone makes of a link, and what it asked for.
async fn resolve(answer: impl Fn(&Request) -> Response + Send + Sync) -> (Result<Resolved, CrawlError>, Vec<String>) {
    let stub = Stub::new(answer);
    let crawlers = Crawlers::with(hasty(), vec![Box::new(Clips)]).unwrap();
    let found = crawlers.resolve("look: https://clips.example/v/7, a talk", stub.with()).await;
    (found, stub.asked())
}

#[tokio::test]
async fn a_clip_is_found_the_first_way() {
    let (found, asked) = resolve(|_| said(200, &[], CLIP)).await;
    let found = found.unwrap();
    assert_eq!((found.platform.as_str(), found.id.as_str(), found.strategy.as_str()), ("clips", "7", "api"));
    assert_eq!((found.title.as_str(), found.candidates[0].url.as_str()), ("A talk", "https://media.example/7.mp4"));
    assert_eq!(asked, ["https://clips.example/api/clips/7"]);
}

#[tokio::test]
async fn another_way_is_tried_when_one_fails_and_none_when_the_clip_is_gone() {
    let withheld = |request: &Request| match request.url.host_str() {
        Some("m.clips.example") => said(200, &[], CLIP),
        _ => said(200, &[], ""),
    };
    let found = resolve(withheld).await.0.unwrap();
    let story: Vec<_> = found.attempts.iter().map(|one| (one.strategy.as_str(), one.ending, one.class)).collect();
    assert_eq!(story, [("api", Ending::Failed, Some(ErrorClass::Blocked)), ("mobile", Ending::Found, None)]);

    let (gone, asked) = resolve(|_| said(404, &[], "")).await;
    assert_eq!((gone.unwrap_err().class, asked.len()), (ErrorClass::NotFound, 1));
}

#[tokio::test]
async fn answers_that_nobody_should_give() {
    for (status, body, class) in [
        (200, r#"{"id": 8, "file": "https://media.example/8.mp4"}"#, ErrorClass::IdMismatch),
        (200, r#"{"id": 7, "file": "file:///etc/passwd"}"#, ErrorClass::NoMediaFound),
        (200, r#"[{"id": {"id": 7}}]"#, ErrorClass::Blocked),
        (429, "", ErrorClass::RateLimited),
        (502, "", ErrorClass::SiteError),
        (403, "", ErrorClass::Blocked),
    ] {
        assert_eq!(resolve(|_| said(status, &[], body)).await.0.unwrap_err().class, class, "{body}");
    }
}

#[test]
fn links_and_look_alikes() {
    let id = |link: &str| Clips.read(&find_link(link).ok()?)?.part("id").map(str::to_owned);
    assert_eq!(id("http://m.clips.example/v/12?x=1").as_deref(), Some("12"));
    for other in ["clips.example/v/", "clips.example/v/1x", "clips.example:8/v/1", "clips.example.evil.example/v/1"] {
        assert_eq!(id(&format!("https://{other}")), None, "{other}");
    }
}

#[test]
fn the_readme_shows_these_files() {
    let readme = include_str!("../../README.md");
    for file in [include_str!("mod.rs"), include_str!("parse.rs")] {
        assert!(readme.contains(file), "{}", file.lines().next().unwrap());
    }
}
