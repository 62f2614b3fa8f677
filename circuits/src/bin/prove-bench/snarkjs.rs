//! snarkjs's prover and verifier on the same statement, under the same key.
//!
//! Needs Node and a folder where `npm install snarkjs` was done. Nothing of either is part of this project.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use ark_bn254::Fr;
use serde::Deserialize;

use crate::wtns::to_wtns;

/// Proves and verifies a few times; prints medians. Loading the key is part of snarkjs's `prove`.
const SCRIPT: &str = r"
const snarkjs = require('snarkjs');
const [zkey, wtns, runs] = process.argv.slice(1);
const median = times => times.sort((a, b) => a - b)[times.length >> 1];
async function timed(work) {
    const times = [];
    for (let i = 0; i <= Number(runs); i++) {
        const start = performance.now();
        await work();
        times.push(performance.now() - start);
    }
    return median(times.slice(1));
}
(async () => {
    const key = await snarkjs.zKey.exportVerificationKey(zkey);
    const { proof, publicSignals } = await snarkjs.groth16.prove(zkey, wtns);
    const holds = await snarkjs.groth16.verify(key, publicSignals, proof);
    const prove_ms = await timed(() => snarkjs.groth16.prove(zkey, wtns));
    const verify_ms = await timed(() => snarkjs.groth16.verify(key, publicSignals, proof));
    console.log(JSON.stringify({ holds, prove_ms, verify_ms }));
    process.exit(0);
})();
";

/// Medians in milliseconds.
#[derive(Deserialize)]
pub(crate) struct Times {
    holds: bool,
    pub prove_ms: f64,
    pub verify_ms: f64,
}

/// Runs snarkjs from `folder`, with a key as a `.zkey` file, on the values of a statement.
pub(crate) fn measure(folder: &Path, zkey: &[u8], assignment: &[Fr], runs: u32) -> anyhow::Result<Times> {
    let how = "install Node, and `npm install snarkjs` in a folder of its own; then `--snarkjs THAT_FOLDER`";
    ensure!(folder.join("node_modules/snarkjs").is_dir(), "no snarkjs in {}: {how}", folder.display());
    let place = tempfile::tempdir()?;
    let (key_file, values_file) = (place.path().join("bench.zkey"), place.path().join("bench.wtns"));
    fs::write(&key_file, zkey)?;
    fs::write(&values_file, to_wtns(assignment))?;
    let output = Command::new("node")
        .current_dir(folder)
        .args(["-e", SCRIPT])
        .args([&key_file, &values_file])
        .arg(runs.to_string())
        .output()
        .with_context(|| format!("node does not start: {how}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    let times: Times =
        serde_json::from_slice(&output.stdout).with_context(|| format!("snarkjs said: {errors}"))?;
    ensure!(times.holds, "snarkjs refuses its own proof under our key");
    Ok(times)
}
