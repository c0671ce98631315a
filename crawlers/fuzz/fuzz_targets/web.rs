//! Whatever is behind a link to the rest of the web: pages, feeds, playlists, manifests, files.

#![no_main]

use crawlers_fuzz::World;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: crawlers_fuzz::let_feed_rs_panic(), |bytes: &[u8]| {
    for content_type in ["text/html; charset=utf-8", "application/vnd.apple.mpegurl", "audio/mpeg", ""] {
        let world = World::new(bytes).of_type(content_type);
        world.resolve("https://page.example/talk", None);
        world.list("https://page.example/feed", None);
    }
});
