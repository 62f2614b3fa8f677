//! `circuits ceremony powers`: phase 1.

use std::path::PathBuf;

use circuits::ceremony::Powers;
use circuits::ceremony::powers::contribution::PowersContribution;
use circuits::ceremony::powers::file_hash;
use clap::Subcommand;

use super::files::{beacon_source, member_rng, read, read_powers, refuse_existing, stage, system, write_new};
use super::{Beacon, Contribute, report};

/// Steps of phase 1.
#[derive(Subcommand)]
pub(crate) enum PowersCommand {
    /// Begin: all powers are one.
    #[command(after_help = "Example:\n  circuits ceremony powers init --power 13 0000.ptau\n\n\
        Next: `circuits ceremony powers contribute 0000.ptau 0001.ptau --name NAME`")]
    Init {
        /// For circuits on a domain of up to two to the power of this. Ours needs 13.
        #[arg(long)]
        power: u32,
        /// The file to write.
        out: PathBuf,
    },
    /// Add your secrets to the powers, and forget them.
    #[command(
        after_help = "Example:\n  circuits ceremony powers contribute 0000.ptau 0001.ptau --name \"Ada\""
    )]
    Contribute(Contribute),
    /// Take the last step: secrets from public randomness.
    #[command(
        after_help = "Example:\n  circuits ceremony powers beacon 0003.ptau final.ptau --randomness 8f2a…04 \
        --iterations 20\n\nNext: `circuits ceremony init --powers final.ptau 0000.zkey`"
    )]
    Beacon(Beacon),
    /// Add what `snarkjs zkey verify` wants beside the powers. It can do so itself, and takes many times as long.
    #[command(after_help = "Example:\n  circuits ceremony powers prepare final.ptau prepared.ptau\n\n\
        Next: snarkjs zkey verify circuit.r1cs prepared.ptau final.zkey")]
    Prepare {
        /// A .ptau file, or the compact form.
        from: PathBuf,
        /// The file to write.
        to: PathBuf,
    },
    /// Check that a file holds powers, and who made them.
    #[command(after_help = "Example:\n  circuits ceremony powers verify powersOfTau28_hez_final_13.ptau")]
    Verify {
        /// A .ptau file, or the compact form.
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

impl PowersCommand {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Init { power, out } => write_new(&out, &Powers::first(power)?.to_ptau()),
            Self::Contribute(step) => {
                refuse_existing(&step.to)?;
                let powers = read_powers(&step.from)?;
                let mut rng = member_rng(step.entropy_file.as_deref())?;
                let next = stage("adding your secrets", || powers.contribute(&step.name, &mut rng))?;
                finish_step(&next, &step.to, step.json)
            }
            Self::Beacon(step) => {
                refuse_existing(&step.to)?;
                let (powers, source) = (read_powers(&step.from)?, beacon_source(&step)?);
                let next = stage("drawing the beacon", || powers.beacon(&source))?;
                finish_step(&next, &step.to, step.json)
            }
            Self::Prepare { from, to } => {
                refuse_existing(&to)?;
                let powers = read_powers(&from)?;
                write_new(&to, &stage("computing Lagrange bases", || powers.prepare()).to_ptau())
            }
            Self::Verify { file, json } => verify(&file, json),
        }
    }
}

fn finish_step(powers: &Powers, out: &std::path::Path, json: bool) -> anyhow::Result<()> {
    write_new(out, &powers.to_ptau())?;
    let hash = powers.contributions().last().map(PowersContribution::hash).unwrap_or_default();
    let value = serde_json::json!({ "file": out, "hash": hash });
    report::print(json, &value, || println!("wrote {}\nhash of this step  {hash}", out.display()));
    Ok(())
}

fn verify(file: &std::path::Path, json: bool) -> anyhow::Result<()> {
    let hash = file_hash(&read(file)?);
    let powers = read_powers(file)?;
    let attested = stage("following the contributions", || powers.attested(&mut system()))?;
    report::print(json, &report::powers(&powers, &attested, &hash), || {
        println!("powers   2^{}, every point checked", powers.power());
        println!("BLAKE2b  {hash}");
        if hash == circuits::ceremony::powers::HERMEZ_13 {
            println!("         the published hash of powersOfTau28_hez_final_13.ptau");
        }
        for (index, step) in powers.contributions().iter().enumerate() {
            println!("{:>7}  {}  {}", index + 1, step.hash(), report::describe(step.name(), step.kind()));
        }
        if !attested.to_these_points {
            println!(
                "cut from a larger file: only the hash of this file ties its points to these contributions"
            );
        }
        if attested.members == 0 || !attested.beacon {
            println!("not finished: a ceremony needs members, and a beacon last");
        }
    });
    Ok(())
}
