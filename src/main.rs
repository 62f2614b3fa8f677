//! `unum`: the whole system on one machine.

#![expect(clippy::print_stdout, reason = "what a program prints is its answer")]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use unum::audit;
use unum::demo::{self, Eyes};
use unum::doctor;
use unum::system::System;

#[derive(Parser)]
#[command(
    version,
    about = "Proof of personhood and basic income, from an eye to a claimed share",
    after_help = "Examples:\n  unum demo                          draw 20 people's eyes and walk the whole path\n  \
                  unum demo --eyes eyes.csv --one-eye real images, some people with one eye\n  \
                  unum up --data ./data              run the services until Ctrl-C, keep the data\n  \
                  unum audit period 3 --help         recompute a sealed period from what is published\n  \
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
    /// Recompute what a service states, from what it publishes.
    #[command(subcommand)]
    Audit(audit::Command),
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
    /// Allow people to enroll with one eye.
    #[arg(long)]
    one_eye: bool,
    /// Print the addresses as one line of JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    service::program::log_to_stderr("error");
    let outcome = match Cli::parse().command {
        Command::Demo(arguments) => demo(arguments),
        Command::Up(arguments) => up(&arguments),
        Command::Audit(command) => return audit(command),
        Command::Doctor { json } => doctor(json),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("unum: {error:#}");
        ExitCode::FAILURE
    })
}

fn demo(arguments: DemoArguments) -> anyhow::Result<ExitCode> {
    let eyes = arguments.eyes.map_or(Eyes::Rendered(arguments.people), Eyes::Images);
    let folder =
        tempfile::Builder::new().prefix("unum-demo-").tempdir().context("make a folder for the demo")?;
    let (facts, system) = demo::run(folder.path(), &demo::Options { eyes, one_eye: arguments.one_eye })?;
    if let Some(path) = arguments.json {
        facts.write(&path).with_context(|| format!("write {}", path.display()))?;
    }
    println!("{}\n{}", facts.ledger_table(), facts.table());
    for failure in &facts.failures {
        eprintln!("✗ {failure}");
    }
    if arguments.keep {
        print_addresses(&system, false)?;
        system.run_until_signal().context("wait for Ctrl-C")?;
    } else {
        system.shutdown();
    }
    Ok(if facts.hold() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn up(arguments: &UpArguments) -> anyhow::Result<ExitCode> {
    let options = unum::system::Options { one_eye: arguments.one_eye, ..Default::default() };
    let system = System::start(&arguments.data, &options, &|what| eprintln!("{what} …"))?;
    print_addresses(&system, arguments.json)?;
    system.run_until_signal().context("wait for Ctrl-C")?;
    Ok(ExitCode::SUCCESS)
}

fn print_addresses(system: &System, json: bool) -> anyhow::Result<()> {
    let addresses = system.addresses();
    if json {
        println!("{}", serde_json::to_string(addresses)?);
    } else {
        println!(
            "enrollment server  {}/openapi.json\ndistribution       {}/openapi.json\noperator's token   {}\n\
             wallet keys        {}\nCtrl-C stops everything.",
            addresses.enroll,
            addresses.distribution,
            addresses.operator_token.display(),
            addresses.keys.display()
        );
    }
    std::io::stdout().flush().context("print the addresses")
}

/// 1 says that something does not hold, 2 that nothing is known.
fn audit(command: audit::Command) -> ExitCode {
    match command.run() {
        Ok((report, text)) => {
            println!("{text}");
            if report.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("unum: {error}");
            ExitCode::from(2)
        }
    }
}

fn doctor(json: bool) -> anyhow::Result<ExitCode> {
    let findings = doctor::examine();
    if json {
        println!("{}", serde_json::to_string_pretty(&findings)?);
    } else {
        for finding in &findings {
            println!("{} {}: {}", if finding.works { "✓" } else { "✗" }, finding.name, finding.found);
            if let Some(remedy) = finding.remedy {
                println!("    → {remedy}");
            }
        }
    }
    let all_work = findings.iter().all(|finding| finding.works);
    Ok(if all_work { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
