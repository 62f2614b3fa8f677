//! snarkjs reads what we write, and agrees about what holds; the compiler makes of the contract what is committed.

use std::fs;
use std::path::Path;
use std::process::Command;

use circuits::interop::snarkjs;
use circuits::{Proof, Public, VerifyingKey};
use unum_identity::field::FieldElement;
use unum_identity::proof::ProofBytes;

use crate::node::{program, run, succeed, tools};
use crate::statements::{PROVED, VERIFYING};

/// Whether snarkjs accepts a proof.
fn accepts(key: &VerifyingKey, public: &Public, proof: &Proof) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    write("key.json", snarkjs::write_key(key));
    write("public.json", snarkjs::write_public(public));
    write("proof.json", snarkjs::write_proof(proof));
    verify(folder.path())
}

fn verify(folder: &Path) -> bool {
    let mut snarkjs = program("snarkjs", folder);
    let (ok, said) = run(snarkjs.args(["groth16", "verify", "key.json", "public.json", "proof.json"]));
    let verdict = said.contains("OK!");
    assert!(verdict || said.contains("Invalid proof"), "{said}");
    assert_eq!(ok, verdict);
    verdict
}

#[test]
#[ignore = "needs Node and npm"]
fn snarkjs_accepts_our_proofs_and_no_others() {
    let (public, proof) = &PROVED[0];
    let proof = Proof::decode(proof).unwrap();
    assert!(accepts(&VERIFYING, public, &proof));
    assert!(!accepts(&VERIFYING, &PROVED[1].0, &proof), "another statement");
    assert!(!accepts(&VERIFYING, public, &Proof::decode(&PROVED[1].1).unwrap()), "another proof");
}

#[test]
#[ignore = "needs Node and npm"]
fn snarkjs_accepts_the_proof_of_world_id_as_we_write_it() {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../vectors/worldid3_proof_depth30.json")).unwrap();
    let element = |name: &str| -> FieldElement {
        format!("0x{:0>64}", &file["proof"][name].as_str().unwrap()[2..]).parse().unwrap()
    };
    let public = Public {
        root: unum_identity::field::Root(element("root")),
        nullifier: unum_identity::field::Nullifier(element("nullifierHash")),
        signal_hash: unum_identity::field::SignalHash(element("signalHash")),
        external_nullifier: unum_identity::field::ExternalNullifier(element("externalNullifierHash")),
    };
    let proof: ProofBytes = file["proof"]["packed_proof"].as_str().unwrap().parse().unwrap();
    let key = snarkjs::read_key(&file["verifying_key"].to_string()).unwrap();
    assert!(accepts(&key, &public, &Proof::decode(&proof).unwrap()));
}

#[test]
#[ignore = "needs Node and npm"]
fn the_committed_contract_is_what_its_source_compiles_to() {
    succeed(Command::new("node").arg("compile-solidity.mjs").arg("--check").current_dir(tools()));
}
