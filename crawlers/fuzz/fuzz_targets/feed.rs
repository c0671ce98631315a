//! Podcasts and other feeds.

#![no_main]

use crawlers::feed_items;
use libfuzzer_sys::fuzz_target;
use url::Url;

fuzz_target!(init: crawlers_fuzz::let_feed_rs_panic(), |bytes: &[u8]| {
    let base = Url::parse("https://page.example/feed.xml").expect("a constant");
    let _ = feed_items(bytes, &base);
});
