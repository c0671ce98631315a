//! Whatever yt-dlp prints and complains of.

#![no_main]

use crawlers_fuzz::World;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let link = "https://www.youtube.com/watch?v=inventedVid1";
    let world = World::new(bytes);
    world.resolve(link, None);
    world.resolve("https://www.tiktok.com/@weekly.wren/video/7611111111111111111", Some("ytdlp"));
    world.list("https://www.youtube.com/playlist?list=PLinvented", None);
    let world = world.ending(500);
    world.resolve(link, None);
});
