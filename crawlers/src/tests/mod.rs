//! What holds of every platform: the contract of the list in `crawlers.rs`.

mod classes;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{Settings, find_link, stub::crawlers};

/// A file of `fixtures/`.
fn fixture(name: &str) -> String {
    std::fs::read_to_string(format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn names_are_unique_and_the_web_comes_last() {
    let crawlers = crawlers();
    let names: Vec<_> = crawlers.all().map(|one| one.name()).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
    assert_eq!(names.last(), Some(&"web"), "it claims everything, so that nobody behind it would be asked");
    let is_word = |name: &&str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    assert!(names.iter().all(is_word), "{names:?}");
}

#[test]
fn every_link_is_claimed_by_its_platform_and_by_no_other() {
    let crawlers = crawlers();
    let file: Value = serde_json::from_str(&fixture("links.json")).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert!(cases.len() >= 28, "{}", cases.len());
    for case in cases {
        let (input, expect) = (case["input"].as_str().unwrap(), &case["expect"]);
        let link = find_link(input).unwrap();
        let claimants: Vec<_> = crawlers.all().filter(|one| one.claims(&link)).map(|one| one.name()).collect();
        let Some((web, platforms)) = claimants.split_last() else { panic!("{input} is nobody's") };
        assert_eq!(*web, "web", "{input}");
        if expect.is_null() {
            assert!(platforms.is_empty(), "{input}: {platforms:?}");
            continue;
        }
        assert_eq!(platforms.len(), 1, "{input}: {platforms:?}");
        assert!(expect["platform"].as_str().is_none_or(|name| name == platforms[0]), "{input}: {platforms:?}");
        let (reader, form) = crawlers.read(&link).unwrap();
        assert_eq!(reader.name(), platforms[0], "{input}: {form:?}");
    }
}

#[test]
fn the_shipped_settings_name_every_strategy_and_no_other() {
    let (crawlers, settings) = (crawlers(), Settings::shipped());
    for (platform, of) in settings.platforms() {
        let crawler = crawlers.all().find(|one| one.name() == platform);
        let has = crawler.unwrap_or_else(|| panic!("there is no {platform}")).strategies();
        assert_eq!(
            of.strategies.iter().map(String::as_str).collect::<BTreeSet<_>>(),
            has.iter().copied().collect::<BTreeSet<_>>(),
            "{platform}"
        );
        assert_eq!(of.strategies.len(), has.len(), "{platform} has one twice");
    }
    let with_settings = settings.platforms().map(|(name, _)| name);
    let forgotten = crawlers.all().find(|one| !one.strategies().is_empty() && !with_settings.contains(&one.name()));
    assert!(forgotten.is_none(), "{:?} has strategies and no settings", forgotten.map(|one| one.name()));
}
