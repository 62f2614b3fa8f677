//! `circuits proof`: proofs in the forms of other systems.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use circuits::interop::{Compressed, Nested, snarkjs};
use circuits::{Proof, Verifier, VerifyingKey};
use clap::{Subcommand, ValueEnum};

#[derive(Subcommand)]
pub(crate) enum ProofCommand {
    /// Write a proof in another form. Its points are checked, not what it proves.
    #[command(after_help = "Example:\n  circuits proof convert --from snarkjs --to words proof.json")]
    Convert {
        /// Form of the file.
        #[arg(long)]
        from: ProofForm,
        /// Form to print.
        #[arg(long)]
        to: ProofForm,
        /// The file; `-` is standard input.
        #[arg(default_value = "-")]
        file: PathBuf,
    },
    /// Check a proof, as `snarkjs groth16 verify` does; fails if it does not hold.
    #[command(
        after_help = "Example:\n  circuits proof verify --key verification_key.json --public public.json proof.json"
    )]
    Verify {
        /// The verifying key: ours, or in snarkjs' form.
        #[arg(long)]
        key: PathBuf,
        /// The public inputs in snarkjs' form: root, nullifier, signal hash, external nullifier.
        #[arg(long)]
        public: PathBuf,
        /// Form of the proof.
        #[arg(long, default_value = "snarkjs")]
        form: ProofForm,
        /// The proof; `-` is standard input.
        #[arg(default_value = "-")]
        file: PathBuf,
    },
}

/// How a proof is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProofForm {
    /// `0x` and 512 hex digits: eight words in Ethereum's order.
    Words,
    /// The eight words in nested lists, as World ID's API takes them.
    Nested,
    /// Four words, `[a, [b1, b0], c]`.
    Compressed,
    /// `proof.json` of snarkjs.
    Snarkjs,
}

pub(crate) fn run(command: &ProofCommand) -> anyhow::Result<()> {
    match command {
        ProofCommand::Convert { from, to, file } => {
            print!("{}", write_proof(&read_proof(&read(file)?, *from)?, *to));
            Ok(())
        }
        ProofCommand::Verify { key, public, form, file } => {
            let key =
                read_key(&std::fs::read(key).with_context(|| format!("cannot read {}", key.display()))?)?;
            let public = snarkjs::read_public(&read(public)?).context("the public inputs")?;
            let proof = read_proof(&read(file)?, *form)?;
            Verifier::new(&key).verify(&public, &proof.encode())?;
            println!("the proof holds under the key {}", key.hash());
            Ok(())
        }
    }
}

fn read_proof(text: &str, form: ProofForm) -> anyhow::Result<Proof> {
    let invalid = "a point of the proof is not valid";
    match form {
        ProofForm::Words => Proof::decode(&text.trim().parse()?).context(invalid),
        ProofForm::Nested => Proof::decode(&serde_json::from_str::<Nested>(text)?.into()).context(invalid),
        ProofForm::Compressed => serde_json::from_str::<Compressed>(text)?.decompress().context(invalid),
        ProofForm::Snarkjs => Ok(snarkjs::read_proof(text)?),
    }
}

fn write_proof(proof: &Proof, form: ProofForm) -> String {
    let json = |value: serde_json::Result<String>| value.expect("words are text") + "\n";
    match form {
        ProofForm::Words => format!("{}\n", proof.encode()),
        ProofForm::Nested => json(serde_json::to_string(&Nested::from(&proof.encode()))),
        ProofForm::Compressed => json(serde_json::to_string(&Compressed::from(proof))),
        ProofForm::Snarkjs => snarkjs::write_proof(proof),
    }
}

fn read_key(bytes: &[u8]) -> anyhow::Result<VerifyingKey> {
    match std::str::from_utf8(bytes) {
        Ok(text) => snarkjs::read_key(text).context("the verifying key"),
        Err(_) => VerifyingKey::from_bytes(bytes).context("the verifying key"), // hashes are not text
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
