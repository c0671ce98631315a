//! `crawler-fixtures [--dir DIR] [--vectors FILE]`: plays a folder of captures against the platform modules.
//!
//! For captures that an operator makes when a platform changes: `DIR` holds a `manifest.json` (and a `links.json`) as
//! `crawlers/fixtures` does. Prints one line for each entry that falls short, then how many passed. Exit code 1 when one
//! falls short, 2 when nothing could be judged.

#![allow(clippy::print_stdout, clippy::print_stderr, missing_docs, reason = "a command; its modules name themselves")]

mod judge;
mod links;
mod manifest;
mod play;
mod post;
mod stub;
mod suite;

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;

#[derive(Parser)]
struct Arguments {
    /// A folder with a manifest.json
    #[arg(long, required_unless_present = "vectors")]
    dir: Option<PathBuf>,
    /// A file of signature vectors
    #[arg(long)]
    vectors: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let verdicts = match suite::run(arguments.dir.as_deref(), arguments.vectors.as_deref()).await {
        Ok(verdicts) => verdicts,
        Err(problem) => {
            eprintln!("crawler-fixtures: {problem}");
            return ExitCode::from(2);
        }
    };
    let fallen: Vec<_> = verdicts.iter().filter(|verdict| !verdict.shortfalls.is_empty()).collect();
    for verdict in &fallen {
        println!("{}: {}", verdict.entry, verdict.shortfalls.join("; "));
    }
    println!("{} passed, {} failed", verdicts.len() - fallen.len(), fallen.len());
    if fallen.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
