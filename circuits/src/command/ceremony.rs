//! `circuits ceremony`: the steps of a ceremony, one command each. A step reads a file and writes a new one; no file is
//! ever replaced.

mod develop;
mod files;
mod parameters;
mod powers;
mod report;

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Steps of a ceremony.
#[derive(Subcommand)]
pub(crate) enum Ceremony {
    /// Phase 1: powers of tau, where the world's are not to be had.
    #[command(subcommand)]
    Powers(powers::PowersCommand),
    /// Begin phase 2: combine powers of tau with the circuit. Everyone who does this gets the same bytes.
    #[command(after_help = "Example:\n  circuits ceremony init --powers powers.ptau 0000.zkey\n\n\
        Next: `circuits ceremony contribute 0000.zkey 0001.zkey --name NAME`")]
    Init {
        #[command(flatten)]
        powers: PowersFile,
        /// The file to write.
        out: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Add your secret to the parameters, and forget it.
    #[command(after_help = "Example:\n  circuits ceremony contribute 0000.zkey 0001.zkey --name \"Ada\"\n\n\
        Next: hand 0001.zkey on, and note the hash that is printed: it must be in the finished ceremony.")]
    Contribute(Contribute),
    /// Take the last step: a secret from public randomness that nobody knew before the last contribution.
    #[command(
        after_help = "Example:\n  circuits ceremony beacon 0003.zkey final.zkey --randomness 8f2a…04 --iterations 20\n\n\
        Next: `circuits ceremony verify --powers powers.ptau final.zkey`"
    )]
    Beacon(Beacon),
    /// Check one file, or many in the order in which they were handed in.
    ///
    /// The first file must be good. Each of the others must continue the last good one: a bad one is skipped and named,
    /// and its maker can contribute again.
    #[command(after_help = "Examples:\n  circuits ceremony verify --powers powers.ptau final.zkey\n  \
        circuits ceremony verify --powers powers.ptau 0000.zkey 0001.zkey 0002.zkey")]
    Verify {
        #[command(flatten)]
        powers: PowersFile,
        /// The files, oldest first.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Check a finished ceremony and write what was made by it.
    #[command(
        after_help = "Examples:\n  circuits ceremony export --powers powers.ptau final.zkey --keys data/keys\n  \
        circuits ceremony export --powers powers.ptau final.zkey --r1cs circuit.r1cs\n  \
        circuits ceremony powers prepare powers.ptau prepared.ptau\n  \
        snarkjs zkey verify circuit.r1cs prepared.ptau final.zkey    # a second, independent verifier"
    )]
    Export {
        #[command(flatten)]
        powers: PowersFile,
        /// The file that the beacon made.
        file: PathBuf,
        /// A new folder for the keys, the transcript and the powers.
        #[arg(long, required_unless_present = "r1cs")]
        keys: Option<PathBuf>,
        /// The circuit, for snarkjs.
        #[arg(long)]
        r1cs: Option<PathBuf>,
    },
    /// Follow the ceremony of a key folder again, from its powers to its keys.
    #[command(after_help = "Example:\n  circuits ceremony check circuits/keys/development")]
    Check {
        /// A folder that `export --keys` wrote.
        folder: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make the keys for development: a whole ceremony by one person on one machine, which proves nothing to others.
    ///
    /// Its powers of tau do not depend on the circuit: after a change of the circuit, start from the ones there are.
    #[command(after_help = "Examples:\n  circuits ceremony develop new\n  \
        circuits ceremony develop --powers circuits/keys/development/powers.compact new")]
    Develop {
        /// Start from these powers of tau instead of new ones.
        #[arg(long, value_name = "FILE")]
        powers: Option<PathBuf>,
        /// A new folder.
        out: PathBuf,
    },
}

/// Powers of tau to start from.
#[derive(Args)]
pub(crate) struct PowersFile {
    /// Powers of tau: a .ptau file, or the compact form that `export` writes.
    #[arg(long = "powers", value_name = "FILE")]
    path: PathBuf,
}

/// A member's step.
#[derive(Args)]
pub(crate) struct Contribute {
    /// The file that the member before you made.
    from: PathBuf,
    /// The file to write.
    to: PathBuf,
    /// What you want to be called, 1 to 64 bytes. It becomes public.
    #[arg(long)]
    name: String,
    /// Randomness of your own, beside the system's: dice, a picture of the sky. Asked for if not given.
    #[arg(long, value_name = "FILE")]
    entropy_file: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A beacon's step.
#[derive(Args)]
pub(crate) struct Beacon {
    /// The file that the last member made.
    from: PathBuf,
    /// The file to write.
    to: PathBuf,
    /// The public randomness, in hex: for instance the hash of a block that was announced before it was found.
    #[arg(long, value_name = "HEX")]
    randomness: String,
    /// It is hashed two to the power of this many times: 10 to 30.
    #[arg(long, value_name = "POWER")]
    iterations: u8,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Ceremony {
    /// Does what was asked for.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Powers(command) => command.run(),
            Self::Init { powers, out, json } => parameters::init(&powers.path, &out, json),
            Self::Contribute(step) => parameters::contribute(&step),
            Self::Beacon(step) => parameters::beacon(&step),
            Self::Verify { powers, files, json } => parameters::verify(&powers.path, &files, json),
            Self::Export { powers, file, keys, r1cs } => {
                parameters::export(&powers.path, &file, keys.as_deref(), r1cs.as_deref())
            }
            Self::Check { folder, json } => develop::check(&folder, json),
            Self::Develop { powers, out } => develop::develop(powers.as_deref(), &out),
        }
    }
}
