//! `orb`: the enrollment device's program.

mod command;

use std::process::ExitCode;

use clap::Parser;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

/// From a camera's frames to a signed, sealed capture.
#[derive(Parser)]
#[command(name = "orb", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: command::Command,
}

fn main() -> anyhow::Result<ExitCode> {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).from_env_lossy();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter).init();
    Arguments::parse().command.run()
}
