//! Captures of what platforms answer, played against the modules over real HTTP on loopback.
//!
//! `make crawler-fixtures DIR=… VECTORS=…` does the same for any folder (`main.rs`).

mod judge;
mod links;
mod manifest;
mod play;
mod post;
mod stub;
mod suite;

use std::path::Path;

#[tokio::test]
async fn every_capture_and_every_link_comes_to_what_the_manifest_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crawlers/fixtures");
    let verdicts = suite::run(Some(&folder), Some(&folder.join("abogus_vectors.json"))).await.unwrap();
    let fallen: Vec<_> = verdicts
        .iter()
        .filter(|verdict| !verdict.shortfalls.is_empty())
        .map(|verdict| (&verdict.entry, &verdict.shortfalls))
        .collect();
    assert!(verdicts.len() > 90, "{} verdicts", verdicts.len());
    assert!(fallen.is_empty(), "{fallen:#?}");
}
