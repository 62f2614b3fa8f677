//! The program `circuits` as a user runs it: what it prints, what it makes of it, and how it ends.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use circuits::folder::KeyFolder;
use circuits::interop::snarkjs;
use circuits::{Proof, Public};

use crate::evm::Chain;
use crate::statements::{PROVED, VERIFYING};

fn circuits(arguments: &[&str], input: &str) -> Output {
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
fn vectors_pass_or_are_named() {
    let good = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/identity/vectors");
    let said = succeeds(&["check-vectors", good.to_str().unwrap()], "");
    assert!(said.contains("worldid3.json: World ID 3, ") && said.contains(" 0 failed"), "{said}");
    let json = succeeds(&["check-vectors", good.to_str().unwrap(), "--json"], "");
    let summary: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&summary["failed"], &summary["unknown"]), (&0.into(), &0.into()));

    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().to_str().unwrap();
    let text = fs::read_to_string(good.join("worldid3.json")).unwrap();
    fs::write(folder.path().join("changed.json"), text.replace("\"hello\"", "\"hullo\"")).unwrap();
    fs::write(folder.path().join("other.json"), "{}").unwrap();
    assert!(fails(&["check-vectors", at], "").contains("1 files not known"));
    let said = String::from_utf8(circuits(&["check-vectors", at], "").stdout).unwrap();
    assert!(said.contains("FAILED commitment of \"hullo\""), "{said}");
    assert!(said.contains("other.json: NOT KNOWN"), "{said}");
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
fn a_proof_goes_through_every_form_and_is_the_same() {
    let mut text = PROVED[0].1.to_string();
    let mut from = "words";
    for to in ["nested", "snarkjs", "compressed", "words"] {
        text = succeeds(&["proof", "convert", "--from", from, "--to", to], &text);
        from = to;
    }
    assert_eq!(text.trim_end(), PROVED[0].1.to_string());
    fails(&["proof", "convert", "--from", "snarkjs", "--to", "words"], &text);
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
    let (public, proof) = &PROVED[0];
    let proof = snarkjs::write_proof(&Proof::decode(proof).unwrap());
    let inputs = |public: &Public| write("public.json", snarkjs::write_public(public).as_bytes());
    for key in [VERIFYING.to_bytes(), snarkjs::write_key(&VERIFYING).into_bytes()] {
        let key = write("key", &key);
        let said = succeeds(&["proof", "verify", "--key", &key, "--public", &inputs(public)], &proof);
        assert!(said.contains(&VERIFYING.hash().to_string()), "{said}");
        fails(&["proof", "verify", "--key", &key, "--public", &inputs(&PROVED[1].0)], &proof);
    }
}
