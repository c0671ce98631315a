//! The program; for now only the engine process.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The engine process; started by the daemon.
    #[command(hide = true)]
    Engine(trawl::transcribe::child::Args),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Engine(args) => trawl::transcribe::child::run(args),
    }
}
