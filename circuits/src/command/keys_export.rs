//! `circuits keys export`: a verifying key in the forms of other systems.

use std::path::Path;

use circuits::VerifyingKey;
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
    print!("{}", text(&KeyFolder::open(folder)?.verifying_key()?, form));
    Ok(())
}

fn text(key: &VerifyingKey, form: KeyForm) -> String {
    match form {
        KeyForm::Snarkjs => snarkjs::write_key(key),
        // The circuit's hash and 24 words: a key's bytes after the eight that say what they are.
        KeyForm::Constructor => format!("0x{}\n", hex::encode(&key.to_bytes()[8..])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constructor_takes_25_words() {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../vectors/worldid3_proof_depth30.json")).unwrap();
        let key = snarkjs::read_key(&file["verifying_key"].to_string()).unwrap();
        let words = text(&key, KeyForm::Constructor);
        assert_eq!(words.trim_end().len(), 2 + 25 * 64);
        assert!(words.starts_with(&format!("0x{}", circuits::Description::pinned().sha256)));
        assert_eq!(snarkjs::read_key(&text(&key, KeyForm::Snarkjs)).unwrap(), key);
    }
}
