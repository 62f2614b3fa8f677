//! `circuits keys export`: a verifying key in the forms of other systems.

use std::path::Path;

use circuits::folder::KeyFolder;
use circuits::interop::snarkjs;
use clap::ValueEnum;

/// Where a verifying key goes.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum KeyForm {
    /// `verification_key.json`.
    Snarkjs,
    /// Arguments of the constructor of `UnumVerifier.sol`, ABI-encoded, in hex.
    Constructor,
}

pub(crate) fn run(folder: &Path, form: KeyForm) -> anyhow::Result<()> {
    let key = KeyFolder::open(folder)?.verifying_key()?;
    match form {
        KeyForm::Snarkjs => print!("{}", snarkjs::write_key(&key)),
        // The circuit's hash and 24 words: a key's bytes after the eight that say what they are.
        KeyForm::Constructor => println!("0x{}", hex::encode(&key.to_bytes()[8..])),
    }
    Ok(())
}
