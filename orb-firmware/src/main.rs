//! `orb`: the enrollment device's program.

mod command;

use clap::Parser;

/// From a camera's frames to a signed, sealed capture.
#[derive(Parser)]
#[command(name = "orb", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: command::Command,
}

fn main() -> anyhow::Result<()> {
    Arguments::parse().command.run()
}
