//! `circuits`: makes and checks keys, alone or by a ceremony, describes the circuit, speaks the forms of other systems.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program talks on its standard streams")]

mod command;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use circuits::Description;
use circuits::folder::KeyFolder;
use circuits::relation::Relation;
use clap::{Parser, Subcommand};
use rand_core::UnwrapErr;

use crate::command::keys_export::KeyForm;
use crate::command::proof::ProofCommand;

/// Keys and description of the statement that wallets prove.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "Examples:\n  circuits keys create --out data/keys\n  circuits keys check data/keys\n  circuits describe"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Proving and verifying keys.
    #[command(subcommand)]
    Keys(Keys),
    /// Keys made by many, of whom one honest member is enough.
    #[command(subcommand)]
    Ceremony(command::ceremony::Ceremony),
    /// Show the circuit's size and hash.
    Describe {
        /// As JSON, in the form of circuits/circuit.json.
        #[arg(long)]
        json: bool,
    },
    /// Proofs in the forms of other systems.
    #[command(subcommand)]
    Proof(ProofCommand),
    /// Compute every test vector of a folder again; fails if one differs or a file is not known.
    #[command(after_help = "Example:\n  circuits check-vectors protocol/identity/vectors")]
    CheckVectors {
        /// The folder.
        folder: PathBuf,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand)]
enum Keys {
    /// Make a pair of keys, unless the folder holds one already; check it either way.
    ///
    /// Keys made on one machine are for that machine: whoever made them could have kept what it takes to forge
    /// proofs.
    #[command(after_help = "Example:\n  circuits keys create --out data/keys")]
    Create {
        /// The folder; created if it is not there.
        #[arg(long)]
        out: PathBuf,
    },
    /// Check that a folder holds a whole pair of keys for this circuit.
    #[command(after_help = "Example:\n  circuits keys check data/keys")]
    Check {
        /// The folder.
        folder: PathBuf,
    },
    /// Print a folder's verifying key in the form of another system.
    #[command(after_help = "Example:\n  circuits keys export data/keys --to snarkjs > verification_key.json")]
    Export {
        /// The folder.
        folder: PathBuf,
        /// Which form.
        #[arg(long)]
        to: KeyForm,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Keys(Keys::Create { out }) => {
            let existed = KeyFolder::exists(&out);
            let folder = KeyFolder::open_or_create(&out, &mut UnwrapErr(getrandom::SysRng))?;
            println!("{} keys in {}", if existed { "found" } else { "made" }, out.display());
            show(&folder)
        }
        Command::Keys(Keys::Check { folder }) => {
            let folder = KeyFolder::open(&folder)
                .context("no keys there; `circuits keys create --out DIR` makes some")?;
            show(&folder)
        }
        Command::Keys(Keys::Export { folder, to }) => command::keys_export::run(&folder, to),
        Command::Ceremony(ceremony) => ceremony.run(),
        Command::Describe { json } => describe(json),
        Command::Proof(proof) => command::proof::run(&proof),
        Command::CheckVectors { folder, json } => command::check_vectors::run(&folder, json),
    }
}

/// Checks the keys and prints what to compare with elsewhere.
fn show(folder: &KeyFolder) -> anyhow::Result<()> {
    folder.check()?;
    let hashes = folder.hashes();
    println!("circuit        {}", hashes.circuit);
    println!("proving key    {}", hashes.proving_key);
    println!("verifying key  {}", hashes.verifying_key);
    println!("checked: whole, and a pair for this circuit");
    Ok(())
}

fn describe(json: bool) -> anyhow::Result<()> {
    let found = Relation::build().describe();
    if json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        println!("public inputs  {}", found.public_inputs.join(", "));
        println!("depth          {}", found.depth);
        println!("constraints    {} on a domain of {}", found.constraints, found.domain);
        println!("variables      {} public, {} private", found.instance_variables, found.witness_variables);
        println!("matrices       {}", found.sha256);
    }
    anyhow::ensure!(found == *Description::pinned(), "this is not the circuit that circuit.json describes");
    Ok(())
}
