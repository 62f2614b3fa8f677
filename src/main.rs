//! `unum`: the whole system on one machine.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use unum::{demo, doctor};

#[derive(Parser)]
#[command(
    version,
    about = "Proof of personhood and basic income, from an eye to a claimed share",
    after_help = "Examples:\n  unum demo                          draw 20 people's eyes and walk the whole path\n  \
                  unum demo --eyes eyes.csv --one-eye real images, some people with one eye\n  \
                  unum up --data ./data              run the services until Ctrl-C, keep the data\n  \
                  unum doctor                        what is missing on this machine"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Walk the whole path once: enroll, refuse duplicates, pay shares, verify humans, balance the ledger.
    Demo(DemoArguments),
    /// Run Postgres and the services on loopback until Ctrl-C.
    Up(UpArguments),
    /// Say what is missing on this machine, and how to get it.
    Doctor {
        /// Print JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
struct DemoArguments {
    /// How many people to draw.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(2..=10_000), conflicts_with = "eyes")]
    people: u32,
    /// Enroll the people of this list of images instead: columns path,person,eye,session,shot.
    #[arg(long, value_name = "CSV")]
    eyes: Option<PathBuf>,
    /// Allow people of whom the list has one eye only.
    #[arg(long, requires = "eyes")]
    one_eye: bool,
    /// Leave everything running and print the addresses.
    #[arg(long)]
    keep: bool,
    /// Write the facts to this file as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Args)]
struct UpArguments {
    /// Where data and keys are kept.
    #[arg(long, default_value = "data", value_name = "DIR")]
    data: PathBuf,
    /// Print the addresses as one line of JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "error".into()),
        )
        .init();
    let outcome = match Cli::parse().command {
        Command::Demo(arguments) => demo(arguments),
        Command::Up(arguments) => up(&arguments),
        Command::Doctor { json } => doctor(json),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("unum: {error:#}");
        ExitCode::FAILURE
    })
}
