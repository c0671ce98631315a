//! Whatever is pasted.

#![no_main]

use std::sync::LazyLock;

use crawlers::{Crawlers, Settings, extract_links, find_link};
use crawlers_fuzz::is_plain;
use libfuzzer_sys::fuzz_target;

static CRAWLERS: LazyLock<Crawlers> =
    LazyLock::new(|| Crawlers::new(Settings::shipped()).expect("the shipped settings are right"));

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    if let Err(error) = find_link(&text) {
        assert!(!error.message.is_empty());
    }
    for link in extract_links(&text) {
        assert!(is_plain(&link), "{link}");
        assert!(CRAWLERS.claimant(&link).is_some(), "{link} is nobody's");
        if let Some((crawler, form)) = CRAWLERS.read(&link) {
            assert_eq!(CRAWLERS.claimant(&link).map(|one| one.name()), Some(crawler.name()));
            assert!(form.parts.iter().all(|(_, value)| !value.is_empty()), "{link}: {form:?}");
        }
    }
});
