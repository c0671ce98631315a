//! Whatever Douyin, or TikHub in its place, answers.

#![no_main]

use crawlers_fuzz::World;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let world = World::new(bytes);
    for way in ["slidesinfo", "web_detail", "share_page", "tikhub"] {
        world.resolve("https://www.douyin.com/video/7600000000000000101", Some(way));
    }
    world.resolve("https://v.douyin.com/iInvent1/", Some("slidesinfo"));
    world.list("https://www.douyin.com/user/MS4wLjABAAAAinventedSecUid_chenguang_0001", None);
    world.list("https://www.douyin.com/collection/7600000000000000101", Some("5"));
    world.list("https://www.douyin.com/music/7600000000000000101", None);
});
