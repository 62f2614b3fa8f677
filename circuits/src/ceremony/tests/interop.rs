//! snarkjs itself, as a second verifier.

use std::path::Path;
use std::process::Command;

use super::super::r1cs::to_r1cs;
use super::*;

/// Runs `snarkjs` in `folder` and returns what it printed.
fn snarkjs(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("npx").arg("snarkjs").args(arguments).current_dir(folder).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "snarkjs {arguments:?}:\n{text}");
    text
}

/// The circuit and the powers of this crate, made to parameters by snarkjs; ours are the same to the bit. Then our
/// contributions and our beacon, verified by snarkjs; and contributions of snarkjs to our powers.
#[test]
#[ignore = "nightly: needs npm and the registry"]
fn snarkjs_agrees() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let installed =
        Command::new("npm").args(["install", "snarkjs@0.7"]).current_dir(folder).output().unwrap();
    assert!(installed.status.success(), "npm install: {}", String::from_utf8_lossy(&installed.stderr));
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();

    write("ours.ptau", &POWERS.to_ptau());
    assert!(snarkjs(folder, &["powersoftau", "verify", "ours.ptau"]).contains("Powers of Tau Ok!"));
    snarkjs(folder, &["powersoftau", "prepare", "phase2", "ours.ptau", "prepared.ptau"]);
    let prepared = Powers::from_ptau(&read("prepared.ptau")).unwrap();
    assert_eq!(prepared, POWERS.prepare(), "of every domain, to the bit");
    let from_prepared = Parameters::initial(&prepared, &small(), &mut rng()).unwrap();
    assert_eq!(from_prepared, STEPS[0], "its Lagrange bases are ours");

    write("circuit.r1cs", &to_r1cs(&small()));
    snarkjs(folder, &["zkey", "new", "circuit.r1cs", "prepared.ptau", "theirs.zkey"]);
    assert_eq!(Parameters::from_zkey(&read("theirs.zkey"), &small()).unwrap(), STEPS[0], "also its hash");

    write("final.zkey", &STEPS[3].to_zkey(&small()));
    let verdict = snarkjs(folder, &["zkey", "verify", "circuit.r1cs", "prepared.ptau", "final.zkey"]);
    assert!(verdict.contains("ZKey Ok!"), "{verdict}");
    println!("{verdict}");

    // The other way round for powers: a contribution and a beacon of theirs, verified by us.
    write("start.ptau", &Powers::first(4).unwrap().to_ptau());
    snarkjs(folder, &["powersoftau", "contribute", "start.ptau", "theirs.ptau", "--name=theirs", "-e=dice"]);
    snarkjs(
        folder,
        &["powersoftau", "beacon", "theirs.ptau", "last.ptau", "7075626c6963", "10", "--name=drawn"],
    );
    let theirs = Powers::from_ptau(&read("last.ptau")).unwrap();
    theirs.check(&mut rng()).unwrap();
    assert_eq!(theirs.attested(&mut rng()).unwrap().members, 1);
}
