//! The program `circuits` as a user runs it: what it prints, what it makes of it, and how it ends.

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use circuits::folder::KeyFolder;
use circuits::interop::snarkjs;
use circuits::{Proof, Public};

use crate::evm::Chain;
use crate::statements::{PROVED, VERIFYING};

/// Runs it with `input` on its standard input.
pub(crate) fn circuits(arguments: &[&str], input: &str) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_circuits"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    program.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    program.wait_with_output().unwrap()
}

/// What it printed.
#[track_caller]
fn succeeds(arguments: &[&str], input: &str) -> String {
    let output = circuits(arguments, input);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What it complained of.
#[track_caller]
fn fails(arguments: &[&str], input: &str) -> String {
    let output = circuits(arguments, input);
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_folders_key_goes_to_snarkjs_and_on_chain() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("keys");
    let at = folder.to_str().unwrap();
    succeeds(&["keys", "create", "--out", at], "");
    let key = KeyFolder::open(&folder).unwrap().verifying_key().unwrap();
    assert_eq!(snarkjs::read_key(&succeeds(&["keys", "export", at, "--to", "snarkjs"], "")).unwrap(), key);
    let words = succeeds(&["keys", "export", at, "--to", "constructor"], "");
    let arguments = hex::decode(words.trim().strip_prefix("0x").unwrap()).unwrap();
    let chain = Chain::deploy_bytes(&[&[0; 8], &arguments[..]].concat()).unwrap();
    assert_eq!(chain.key_hash(), key.hash().0);
}

#[test]
fn every_form_of_a_proof_leads_to_every_other() {
    const FORMS: [&str; 4] = ["words", "nested", "snarkjs", "compressed"];
    let words = PROVED[0].1.to_string();
    let convert = |from, to, text: &str| circuits(&["proof", "convert", "--from", from, "--to", to], text);
    for form in FORMS {
        let text = succeeds(&["proof", "convert", "--from", "words", "--to", form], &words);
        for other in FORMS {
            let read = convert(other, "words", &text);
            assert_eq!(read.status.success(), form == other, "{form} is no {other}");
            if form == other {
                assert_eq!(String::from_utf8(read.stdout).unwrap().trim_end(), words);
            }
        }
    }
    let zeros = format!("0x{}", "0".repeat(512));
    assert!(fails(&["proof", "convert", "--from", "words", "--to", "words"], &zeros).contains("not valid"));
}

#[test]
fn a_proof_is_verified_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (public, words) = &PROVED[0];
    let proof = snarkjs::write_proof(&Proof::decode(words).unwrap());
    let inputs = |public: &Public| write("public.json", snarkjs::write_public(public).as_bytes());
    for key in [VERIFYING.to_bytes(), snarkjs::write_key(&VERIFYING).into_bytes()] {
        let key = write("key", &key);
        let said = succeeds(&["proof", "verify", "--key", &key, "--public", &inputs(public)], &proof);
        assert!(said.contains(&VERIFYING.hash().to_string()), "{said}");
        fails(&["proof", "verify", "--key", &key, "--public", &inputs(&PROVED[1].0)], &proof);
    }
    let (key, public) = (write("key", &VERIFYING.to_bytes()), inputs(public));
    let verify = ["proof", "verify", "--key", &key, "--public", &public];
    succeeds(&[&verify[..], &["--form", "words"]].concat(), &words.to_string());
    for no_key in [&b"{}"[..], &[0xff; 808]] {
        write("key", no_key);
        assert!(fails(&verify, "").contains("the verifying key"));
    }
}
