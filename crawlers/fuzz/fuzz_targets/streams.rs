//! HLS playlists and DASH manifests.

#![no_main]

use crawlers::{Key, MAX_SEGMENTS, Stream, dash, hls};
use crawlers_fuzz::is_plain;
use libfuzzer_sys::fuzz_target;
use url::Url;

fuzz_target!(|bytes: &[u8]| {
    let base = Url::parse("https://page.example/streams/list").expect("a constant");
    if let Ok(hls::Playlist::Media(stream)) = hls::parse(bytes, &base) {
        check(&stream);
    }
    let _ = dash::parse(bytes, &base);
});

fn check(stream: &Stream) {
    assert!(!stream.segments.is_empty() && stream.segments.len() <= MAX_SEGMENTS);
    for segment in stream.segments.iter().chain(&stream.init) {
        let key: Option<&Key> = segment.key.as_ref();
        assert!(is_plain(&segment.url) && key.is_none_or(|key| is_plain(&key.url)), "{}", segment.url);
    }
}
