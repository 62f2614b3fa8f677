//! The same proof, verified by snarkjs in Node.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use circuits::Proof;
use circuits::interop::snarkjs::{write_key, write_proof, write_public};

use crate::office::Office;

/// Proofs that are timed, after as many that are not.
const RUNS: usize = 10;

/// Milliseconds that one verification takes: the median of several, warm.
pub(crate) fn milliseconds(folder: &Path, office: &Office) -> anyhow::Result<f64> {
    let [(public, proof)] = office.statements(1)[..] else { anyhow::bail!("one was asked for") };
    let proof = Proof::decode(&proof).context("a forged proof has valid points")?;
    let script = format!(
        "const {{ groth16 }} = require('snarkjs');
         const [key, inputs, proof] = [{}, {}, {}];
         (async () => {{
           const took = [];
           for (let run = 0; run < {}; run++) {{
             const started = process.hrtime.bigint();
             if (!await groth16.verify(key, inputs, proof)) process.exit(1);
             took.push(Number(process.hrtime.bigint() - started) / 1e6);
           }}
           console.log(took.slice({RUNS}).sort((a, b) => a - b)[{}]);
           process.exit(0);
         }})();",
        write_key(&office.key()),
        write_public(&public),
        write_proof(&proof),
        2 * RUNS,
        RUNS / 2
    );
    let answer =
        Command::new("node").current_dir(folder).args(["-e", &script]).output().context("run node")?;
    anyhow::ensure!(
        answer.status.success(),
        "snarkjs does not accept the proof: {}",
        String::from_utf8_lossy(&answer.stderr)
    );
    Ok(String::from_utf8_lossy(&answer.stdout).trim().parse()?)
}
