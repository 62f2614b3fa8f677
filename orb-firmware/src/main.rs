//! `orb`: the enrollment device's program.

mod command;

use std::process::ExitCode;

use clap::Parser;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

const EXAMPLES: &str = "Examples:
  orb provision --out devices/bench-1 --label \"bench 1\" > registration.json
  orb capture --server http://127.0.0.1:8080 --device devices/bench-1 --commitment 0x1f…c4 --rendered 7
  orb evaluate --manifest eyes.csv --report rates
  orb inspect eye.png --out inspected.png
  orb sweep --report sweep
  orb render --help";

/// From a camera's frames to a signed, sealed capture.
#[derive(Parser)]
#[command(name = "orb", version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: command::Command,
}

fn main() -> anyhow::Result<ExitCode> {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).from_env_lossy();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter).init();
    Arguments::parse().command.run()
}
