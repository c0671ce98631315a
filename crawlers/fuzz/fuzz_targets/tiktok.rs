//! Whatever TikTok, or TikHub in its place, answers.

#![no_main]

use crawlers_fuzz::World;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let world = World::new(bytes);
    for way in ["page", "item_detail", "app_feed", "oembed", "tikhub"] {
        world.resolve("https://www.tiktok.com/@weekly.wren/video/7611111111111111111", Some(way));
    }
    world.resolve("https://vm.tiktok.com/ZMinvent1/", Some("page"));
    world.list("https://www.tiktok.com/@weekly.wren", None);
    world.list("https://www.tiktok.com/@weekly.wren", Some("1793500000000"));
    world.list("https://www.tiktok.com/@weekly.wren/playlist/x-7611111111111111111", None);
});
