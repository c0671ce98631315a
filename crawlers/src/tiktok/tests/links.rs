//! Every form in `links.json`.

use serde_json::Value;
use url::Url;

use crate::{LinkKind, tiktok::links::read};

/// The id of somebody.
const PERSON: &str = "MS4wLjABAAAAinvented_-invented_-invented_-invented_-invented_-invented_-inve";

#[test]
fn every_form_of_the_list_is_read_and_no_other() {
    let list: Value = serde_json::from_str(include_str!("../../../fixtures/links.json")).unwrap();
    let mut read_links = 0;
    for case in list["cases"].as_array().unwrap() {
        let (input, expect) = (case["input"].as_str().unwrap(), &case["expect"]);
        let Ok(link) = Url::parse(input) else { continue };
        let form = read(&link);
        if expect["platform"] != "tiktok" {
            assert_eq!(form, None, "{input}");
            continue;
        }
        let form = form.unwrap_or_else(|| panic!("{input}"));
        assert_eq!(serde_json::to_value(form.kind).unwrap(), expect["kind"], "{input}");
        for (name, value) in
            expect.as_object().unwrap().iter().filter(|(name, _)| !matches!(&***name, "platform" | "kind"))
        {
            assert_eq!(form.part(name), value.as_str(), "{input}");
        }
        read_links += 1;
    }
    assert!(read_links >= 9, "{read_links}");
}

#[test]
fn further_forms_are_read() {
    for (link, kind, part) in [
        ("https://vm.tiktok.com/ZMabc123/", LinkKind::Short, ("code", "ZMabc123")),
        ("http://www.tiktok.com/t/ZTabc123", LinkKind::Short, ("code", "ZTabc123")),
        ("HTTPS://WWW.TikTok.com/@/video/7611111111111111111", LinkKind::Post, ("id", "7611111111111111111")),
        ("https://www.tiktok.com/player/v1/7611111111111111111", LinkKind::Post, ("id", "7611111111111111111")),
        ("https://m.tiktok.com/share/video/7611111111111111111", LinkKind::Post, ("t", "video")),
        (
            "https://www.tiktok.com/foryou?x=1&item_id=7611111111111111111#y",
            LinkKind::Post,
            ("id", "7611111111111111111"),
        ),
        ("https://www.tiktok.com/@a/collection/x-y-7611111111111118001", LinkKind::List, ("t", "collection")),
        ("https://www.tiktok.com/@a.b/live?x=1", LinkKind::Live, ("user", "a.b")),
        ("https://www.tiktok.com/@a.b/", LinkKind::User, ("user", "a.b")),
        (&format!("https://www.tiktok.com/@{PERSON}"), LinkKind::User, ("sec", PERSON)),
        (&format!("https://www.tiktok.com/@{PERSON}"), LinkKind::User, ("user", PERSON)),
        ("https://www.tiktok.com/tag/tea?x", LinkKind::Tag, ("name", "tea")),
    ] {
        let form = read(&Url::parse(link).unwrap()).unwrap_or_else(|| panic!("{link}"));
        assert_eq!((form.kind, form.part(part.0)), (kind, Some(part.1)), "{link}");
    }
}

#[test]
fn what_only_looks_like_it_is_left_alone() {
    for link in [
        "https://www.tiktok.com/",
        "https://www.tiktok.com/@",
        "https://www.tiktok.com@evil.example/@a/video/7611111111111111111",
        "https://someone@www.tiktok.com/@a/video/7611111111111111111",
        "https://www.tiktok.com.evil.example/@a/video/7611111111111111111",
        "https://eviltiktok.com/@a/video/7611111111111111111",
        "https://www.tiktok.com/@a/video/76111",
        "https://www.tiktok.com/@a/video/7611111111111111111x",
        "ftp://www.tiktok.com/@a/video/7611111111111111111",
    ] {
        assert_eq!(read(&Url::parse(link).unwrap()), None, "{link}");
    }
}
