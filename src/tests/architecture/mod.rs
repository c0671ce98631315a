//! The import direction and the other absences that ARCHITECTURE.md promises, checked on the source as text.
//!
//! Comments, literals and test modules do not count. A new module has to be put into [`ROWS`] before anything passes.

mod rules;
mod scan;

use std::{fs, path::Path};

use rules::{LINES, breaches};

/// Every Rust file of the workspace's four packages, by its path from the root.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "accel/src", "crawlers/src", "migrations/src"] {
        collect(&root.join(folder), folder, &mut files);
    }
    files
}

fn collect(folder: &Path, name: &str, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("the source folder is there") {
        let entry = entry.expect("the source folder can be listed");
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &name, files);
        } else if name.ends_with(".rs") {
            files.push((name, fs::read_to_string(entry.path()).expect("source is UTF-8")));
        }
    }
}

#[test]
fn nothing_imports_backwards_or_around_a_door() {
    let sources = sources();
    assert!(sources.iter().any(|(path, _)| path == "src/lib.rs"), "the scan has lost the source");
    let found: Vec<String> = sources.iter().flat_map(|(path, text)| breaches(path, text)).collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<String> = sources()
        .iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > LINES)
        .map(|(path, lines)| format!("{path} has {lines} lines, {LINES} are allowed: split it by subject"))
        .collect();
    assert!(long.is_empty(), "\n{}\n", long.join("\n"));
}

#[test]
fn the_side_packages_do_not_depend_on_the_daemon() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for package in ["accel", "crawlers", "migrations"] {
        let manifest = fs::read_to_string(root.join(package).join("Cargo.toml")).expect("the manifest is there");
        let names = manifest.lines().filter_map(|line| line.split(['=', '.', ' ']).next());
        assert!(!names.into_iter().any(|name| name == "trawl"), "{package}/Cargo.toml depends on trawl");
    }
}
