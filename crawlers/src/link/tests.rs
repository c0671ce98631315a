use proptest::prelude::*;

use super::*;

/// The id of somebody on TikTok.
const PERSON: &str = "MS4wLjABAAAAinvented_-invented_-invented_-invented_-invented_-invented_-inve";

fn texts(text: &str) -> Vec<String> {
    extract_links(text).iter().map(ToString::to_string).collect()
}

fn refused(text: &str) -> String {
    let error = find_link(text).unwrap_err();
    assert_eq!(error.class, ErrorClass::InvalidLink);
    error.message
}

#[test]
fn every_link_of_the_fixture_is_found_in_its_text() {
    let cases: serde_json::Value = serde_json::from_str(include_str!("../../fixtures/links.json")).unwrap();
    let cases = cases["cases"].as_array().unwrap();
    assert!(cases.len() > 20);
    for case in cases {
        let input = case["input"].as_str().unwrap();
        let wanted = case["expect"]["first_url"].as_str().unwrap_or(input);
        assert_eq!(find_link(input).unwrap().as_str(), wanted, "{input}");
    }
}

#[test]
fn share_texts_give_up_their_links() {
    for (text, wanted) in [
        ("Check this out: https://example.com/talk.mp3.", "https://example.com/talk.mp3"),
        ("(see https://example.com/a_(b))", "https://example.com/a_(b)"),
        ("《节目》https://example.com/节目/1.mp3，不错", "https://example.com/%E8%8A%82%E7%9B%AE/1.mp3"),
        ("看https://v.douyin.com/iRNBho5m/复制此链接，打开Dou音搜索", "https://v.douyin.com/iRNBho5m/"),
        ("看看 v.douyin.com/iRNBho5m/ 好看", "https://v.douyin.com/iRNBho5m/"),
        ("\u{200b}https://example.com/x\u{200b}\u{feff}", "https://example.com/x"),
        ("HTTPS://EXAMPLE.com./Path?Q=1#f", "https://example.com/Path?Q=1#f"),
        ("  example.com/talk.mp3 ", "https://example.com/talk.mp3"),
        ("\"https://example.com/x\"", "https://example.com/x"),
        (&format!(" tiktokuser:{PERSON}\n"), &format!("https://www.tiktok.com/@{PERSON}")),
    ] {
        assert_eq!(texts(text), [wanted], "{text}");
    }
}

#[test]
fn several_links_keep_their_order_and_come_once() {
    let text = "1) https://b.example/1\n2) https://a.example/2; https://b.example/1 and vm.tiktok.com/ZMabc123/，好看";
    assert_eq!(texts(text), ["https://b.example/1", "https://a.example/2", "https://vm.tiktok.com/ZMabc123/"]);
}

#[test]
fn names_in_front_of_the_host_are_refused() {
    for text in ["https://www.tiktok.com@evil.example/video/1", "http://user:pass@example.com/", "https://:@x.example/"]
    {
        let found = find_link(text);
        assert!(text.contains(":@") || found.is_err(), "{text}");
    }
    assert!(refused("look https://www.douyin.com@evil.example/ and https://fine.example/").contains("user name"));
    assert!(extract_links("https://www.douyin.com@evil.example/").is_empty());
}

#[test]
fn known_hosts_count_only_where_a_link_begins() {
    for text in [
        "ftp://www.douyin.com/video/1",
        "see evil-www.tiktok.com/@a/video/1",
        "me@www.tiktok.com/x y",
        "a.www.douyin.com/ x",
    ] {
        assert!(extract_links(text).is_empty(), "{text}");
    }
    let inner = "https://evil.example/?u=https://www.tiktok.com/@a/video/7611111111111111111";
    assert_eq!(texts(inner), [inner]);
}

#[test]
fn a_text_without_a_link_says_what_to_do() {
    assert!(refused("").contains("Nothing was pasted"));
    assert!(refused("ftp://example.com/a.mp3").contains("http:// or https://"));
    assert!(refused("file:///etc/passwd").contains("Only links"));
    assert!(refused(&format!("https://example.com/{}", "a".repeat(MAX_LENGTH))).contains("longer than 16 KiB"));
    for text in ["https://[::bad/", "http://example.com:99999/", "https://exa%mple.com/"] {
        assert!(refused(text).contains("its host or its port is wrong"), "{text}");
    }
    for text in ["hello", "javascript:alert(1)", "http://", "etc/passwd.txt", "https://[::bad/", "talk.mp3"] {
        assert!(refused(text).contains("https://"), "{text}");
    }
}

proptest! {
    #[test]
    fn whatever_is_found_is_a_plain_web_link(text in ".{0,80}(https?://)?.{0,60}([@:/]|www.douyin.com/).{0,40}") {
        for link in extract_links(&text).into_iter().chain(find_link(&text).ok()) {
            prop_assert!(is_fetchable(&link), "{link}");
            prop_assert!(!link.host_str().unwrap_or_default().ends_with('.'), "{link}");
        }
    }
}
