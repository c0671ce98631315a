//! Says when the web page has changed. It is embedded from `web/dist`, which `scripts/web.sh build` makes; without it the
//! build works, too, and the daemon shows a notice in its place.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Debug builds read it from the disk while they run.
    if std::env::var("PROFILE").as_deref() == Ok("debug") {
        return;
    }
    // A path that is not there counts as changed at every build.
    if std::fs::create_dir_all("web/dist").is_ok() {
        println!("cargo::rerun-if-changed=web/dist");
    }
}
