//! Douyin over the fixtures, through a server in memory that is as strict as the platform.

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/", $name))
    };
}

mod hostile;
mod lists;
mod manifest;
mod posts;
mod server;
mod short_links;

use server::Server;

use super::*;
use crate::{Attempt, Ending, Identity, stub::crawlers};

const ID: &str = "7600000000000000101";

/// A visitor that a browser has introduced, who is logged in.
fn somebody() -> Identity {
    Identity {
        id: "one".into(),
        platform: NAME.into(),
        cookie: "ttwid=browser; UIFID_TEMP=uif1; s_v_web_id=verify_x; sessionid=secret; msToken=tok".into(),
        user_agent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) \
                     Chrome/141.0.0.0 Safari/537.36"
            .into(),
    }
}

fn video(id: &str) -> String {
    format!("https://www.douyin.com/video/{id}")
}

fn endings(attempts: &[Attempt]) -> Vec<(&str, Ending, Option<ErrorClass>)> {
    attempts.iter().map(|one| (one.strategy.as_str(), one.ending, one.class)).collect()
}

#[test]
fn every_link_form_is_read_as_the_fixtures_say() {
    let file: serde_json::Value = serde_json::from_str(fixture!("links.json")).unwrap();
    let mut ours = 0;
    for case in file["cases"].as_array().unwrap() {
        let (input, expect) = (case["input"].as_str().unwrap(), &case["expect"]);
        let link = crate::find_link(input).unwrap();
        if let Some(first) = expect["first_url"].as_str() {
            assert_eq!(link.as_str(), first);
            continue;
        }
        let form = links::read(&link);
        if expect["platform"] != NAME {
            assert_eq!(form, None, "{input}");
            continue;
        }
        ours += 1;
        let form = form.unwrap_or_else(|| panic!("{input} is not read"));
        assert_eq!(serde_json::to_value(form.kind).unwrap(), expect["kind"], "{input}");
        for name in ["id", "t", "code", "sec", "room", "reflow"] {
            assert_eq!(form.part(name), expect[name].as_str(), "{name} of {input}");
        }
        assert!(crawlers().claimant(&link).unwrap().name() == NAME);
    }
    assert_eq!(ours, 14);
}

#[test]
fn forms_that_the_fixtures_leave_out_and_look_alikes() {
    let read = |link: &str| links::read(&link.parse().unwrap()).map(|form| form.kind);
    for (link, kind) in [
        ("HTTPS://WWW.Douyin.COM/note/7600000000000000104#x", Some(LinkKind::Post)),
        ("http://www.douyin.com/gallery/7600000000000000104", Some(LinkKind::Post)),
        ("https://www.douyin.com/discover?x=1&modal_id=7600000000000000101&y", Some(LinkKind::Post)),
        ("https://v.iesdouyin.com/AbCd1", Some(LinkKind::Short)),
        ("https://www.douyin.com/user/MS4wLjABAAAAabc?from=x", Some(LinkKind::User)),
        ("https://www.iesdouyin.com/share/user/123?a=b&sec_uid=MS4wLjABAAAAabc", Some(LinkKind::User)),
        ("https://www.iesdouyin.com/share/mix/detail/7600000000000008001/?x", Some(LinkKind::Mix)),
        ("https://live.douyin.com/123456", Some(LinkKind::Live)),
        ("https://www.douyin.com/video/123", None),
        ("https://www.douyin.com/video/7600000000000000101x", None),
        ("https://www.douyin.com/video/７６０００００００００００００１０１", None),
        ("https://v.douyin.com/", None),
        ("https://evil.example/?u=https://www.douyin.com/video/7600000000000000101", None),
        ("https://www.douyin.com.evil.example/video/7600000000000000101", None),
        ("https://evildouyin.com/video/7600000000000000101", None),
        ("https://www.douyin.com@evil.example/video/7600000000000000101", None),
        ("https://www.douyin.com:8443/video/7600000000000000101", None),
        ("ftp://www.douyin.com/video/7600000000000000101", None),
    ] {
        assert_eq!(read(link), kind, "{link}");
    }
}
