//! The development ceremony under snarkjs: a second, independent verifier of it, and a second prover with its key.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use circuits::ceremony::r1cs::to_r1cs;
use circuits::ceremony::{Powers, Transcript};
use circuits::folder::KeyFolder;
use circuits::interop::snarkjs;
use circuits::membership::Assignment;
use circuits::relation::Relation;
use circuits::{Prover, Verifier, VerifyingKey};
use rand_core::UnwrapErr;

use crate::node::{program, succeed};
use crate::statements::statement;
use crate::wtns;

/// The ceremony in the files of snarkjs, and the key that it ended with.
struct Development {
    folder: tempfile::TempDir,
    keys: KeyFolder,
    key: VerifyingKey,
}

static DEVELOPMENT: LazyLock<Development> = LazyLock::new(|| {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("keys/development");
    let keys = KeyFolder::open(&from).unwrap();
    let (key, relation) = (keys.verifying_key().unwrap(), Relation::build());
    let transcript = Transcript::from_bytes(&fs::read(from.join("transcript")).unwrap()).unwrap();
    let parameters = transcript.with_key(&keys.proving_key().unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("circuit.r1cs"), to_r1cs(&relation)).unwrap();
    fs::write(folder.path().join("final.zkey"), parameters.to_zkey(&relation)).unwrap();
    Development { folder, keys, key }
});

#[test]
#[ignore = "needs Node and npm; minutes"]
fn snarkjs_verifies_the_development_ceremony() {
    let (from, at) =
        (Path::new(env!("CARGO_MANIFEST_DIR")).join("keys/development"), DEVELOPMENT.folder.path());
    let powers = Powers::from_compact(&fs::read(from.join("powers.compact")).unwrap()).unwrap();
    fs::write(at.join("prepared.ptau"), powers.prepare().to_ptau()).unwrap();
    let said = succeed(program("snarkjs", at).args([
        "zkey",
        "verify",
        "circuit.r1cs",
        "prepared.ptau",
        "final.zkey",
    ]));
    assert!(said.contains("ZKey Ok!"), "{said}");
    for member in ["development 1", "development 2", "development 3"] {
        assert!(said.contains(member), "{said}");
    }
}

/// Both provers, both verifiers, one key: snarkjs' from the ceremony's file, ours from the key folder.
#[test]
#[ignore = "needs Node and npm"]
fn snarkjs_proves_with_the_ceremonys_key_and_we_verify() {
    let at = DEVELOPMENT.folder.path();
    let (public, private) = statement(3, 9);
    let assignment = Assignment::new(&public, &private).unwrap();
    fs::write(at.join("witness.wtns"), wtns::to_wtns(assignment.variables())).unwrap();
    succeed(program("snarkjs", at).args(["wtns", "check", "circuit.r1cs", "witness.wtns"]));
    let prove = ["groth16", "prove", "final.zkey", "witness.wtns", "proof.json", "public.json"];
    succeed(program("snarkjs", at).args(prove));

    let read = |name: &str| fs::read_to_string(at.join(name)).unwrap();
    let (proof, told) = (snarkjs::read_proof(&read("proof.json")).unwrap(), read("public.json"));
    assert_eq!(snarkjs::read_public(&told).unwrap(), public);
    let verifier = Verifier::new(&DEVELOPMENT.key);
    assert_eq!(verifier.verify(&public, &proof.encode()), Ok(()));
    let other = statement(4, 9).0;
    assert!(verifier.verify(&other, &proof.encode()).is_err());

    succeed(program("snarkjs", at).args(["zkey", "export", "verificationkey", "final.zkey", "key.json"]));
    assert_eq!(snarkjs::read_key(&read("key.json")).unwrap(), DEVELOPMENT.key);
    let prover = Prover::new(DEVELOPMENT.keys.proving_key().unwrap());
    let ours = prover.prove(&public, &private, &mut UnwrapErr(getrandom::SysRng)).unwrap();
    let ours = snarkjs::write_proof(&circuits::Proof::decode(&ours).unwrap());
    fs::write(at.join("ours.json"), ours).unwrap();
    succeed(program("snarkjs", at).args(["groth16", "verify", "key.json", "public.json", "ours.json"]));
}
