use super::*;
use crate::{
    Settings,
    memory::Memory,
    pace::Pace,
    stub::{Stub, hasty, said},
};

/// Posts are below `/post/`, short links below `/s/`.
fn read(link: &Url) -> Option<Form> {
    let inside = link.host_str().is_some_and(|host| host == "known.site" || host.ends_with(".known.site"));
    let mut parts = link.path_segments().filter(|_| inside && link.scheme() == "https")?;
    let kind = match parts.next()? {
        "post" => LinkKind::Post,
        "s" => LinkKind::Short,
        _ => return None,
    };
    let id = parts.next().filter(|id| !id.is_empty())?;
    Some(Form { kind, parts: vec![("id", id.to_owned())] })
}

async fn follow(link: &str, answer: fn(&str) -> Response) -> (Result<(Url, Form), CrawlError>, Vec<String>) {
    let stub = Stub::new(|request: &Request| {
        assert!(!request.follow && request.headers.contains(&("User-Agent".to_owned(), "ua".to_owned())));
        answer(request.url.as_str())
    });
    let settings: Settings = hasty();
    let (memory, pace) = (Memory::default(), Pace::new(&settings.pace));
    let visit = Visit::new(stub.with(), &settings, &memory, &pace);
    let links = ShortLinks { platform: "known", domains: &["known.site", "known.app"], user_agent: "ua", read };
    let found = links.follow(&link.parse().unwrap(), &visit).await;
    (found, stub.asked())
}

fn to(location: &str) -> Response {
    said(302, &[("Location", location)], "")
}

#[tokio::test]
async fn redirects_are_followed_until_a_post_is_named_and_that_page_is_not_loaded() {
    let (found, asked) = follow("http://v.known.site/s/abc/", |url| match url {
        "https://v.known.site/s/abc/" => said(301, &[("location", "/s/relative")], ""),
        "https://v.known.site/s/relative" => said(307, &[("Location", "http://www.known.app/x?y=1")], ""),
        "https://www.known.app/x?y=1" => said(303, &[("Location", "//www.known.site/s/again")], ""),
        "https://www.known.site/s/again" => said(308, &[("Location", "http://www.known.site/post/7?z")], ""),
        other => panic!("{other}"),
    })
    .await;
    let (url, form) = found.unwrap();
    assert_eq!((url.as_str(), form.part("id")), ("https://www.known.site/post/7?z", Some("7")));
    assert_eq!(asked.len(), 4);
}

#[tokio::test]
async fn nothing_outside_the_platform_is_asked() {
    for location in [
        "http://169.254.169.254/latest/",
        "https://known.site.evil.example/post/7",
        "https://evilknown.site/x",
        "https://user@known.site/x",
        "file:///etc/passwd",
        "http://127.0.0.1:9/",
    ] {
        let stub = Stub::new(move |_: &Request| to(location));
        let settings = hasty();
        let (memory, pace) = (Memory::default(), Pace::new(&settings.pace));
        let visit = Visit::new(stub.with(), &settings, &memory, &pace);
        let links = ShortLinks { platform: "known", domains: &["known.site"], user_agent: "ua", read };
        let error = links.follow(&"https://known.site/s/a".parse().unwrap(), &visit).await.unwrap_err();
        assert_eq!((error.class, stub.asked().len()), (ErrorClass::RedirectNotAllowed, 1), "{location}");
    }
}

#[tokio::test]
async fn dead_links_are_told_from_trouble() {
    type Answer = fn(&str) -> Response;
    let answers: [(Answer, ErrorClass); 13] = [
        (|_| to("https://www.known.site/?_r=1"), ErrorClass::ShortLinkDead),
        (|_| said(302, &[], ""), ErrorClass::ShortLinkDead),
        (|_| said(404, &[], ""), ErrorClass::ShortLinkDead),
        (|_| said(200, &[], "<html>nothing"), ErrorClass::ShortLinkDead),
        (|_| said(200, &[], "<link rel=canonical href='https://www.known.site/'>"), ErrorClass::ShortLinkDead),
        (|_| to("/s/and-again"), ErrorClass::ShortLinkDead),
        (|_| said(200, &[], "<title>verify_center"), ErrorClass::Captcha),
        (|_| said(200, &[], include_str!("../../fixtures/tiktok/challenge_73194.html")), ErrorClass::Captcha),
        (|_| said(200, &[], " "), ErrorClass::Blocked),
        (|_| said(444, &[], ""), ErrorClass::RateLimited),
        (|_| said(403, &[], ""), ErrorClass::Blocked),
        (|_| said(502, &[], ""), ErrorClass::SiteError),
        (|_| to("https://www.known.site/login?redirect_url=x"), ErrorClass::LoginRequired),
    ];
    for (number, (answer, class)) in answers.into_iter().enumerate() {
        let (found, asked) = follow("https://known.site/s/a", answer).await;
        assert_eq!(found.unwrap_err().class, class, "{number}");
        assert!(asked.len() <= MAX_HOPS);
    }
}

#[tokio::test]
async fn login_pages_and_pages_that_answer_name_the_post() {
    let answers: [fn(&str) -> Response; 4] = [
        |_| to("https://www.known.site/login?a=b&redirect_url=https%3A%2F%2Fwww.known.site%2Fpost%2F7"),
        |_| to("/login/?redirect_url=%2Fpost%2F7"),
        |_| said(200, &[], r#"<html><head><link href="http://www.known.site/post/7" rel="canonical">"#),
        |_| said(200, &[], r#"<meta content="https://known.site/post/7?a=1&amp;b" property="og:url">"#),
    ];
    for (number, answer) in answers.into_iter().enumerate() {
        let (found, _) = follow("https://known.site/s/a", answer).await;
        assert_eq!(found.unwrap().1.part("id"), Some("7"), "{number}");
    }
}
