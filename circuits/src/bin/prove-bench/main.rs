//! `prove-bench`: how fast proofs are made and checked, beside unmodified arkworks in the same run.
//!
//! Medians of warm runs, ours and the peer's in turn, so that a busy machine slows both. The peer is
//! `Groth16::create_proof_with_reduction_and_matrices` of arkworks with a key and matrices of its own; it is handed its
//! assignment, ours starts from the statement.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program talks on its standard streams")]

mod machine;
mod peer;
mod report;
mod snarkjs;
mod statement;
mod timing;
mod wtns;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use circuits::ceremony::Transcript;
use circuits::folder::KeyFolder;
use circuits::membership::Assignment;
use circuits::relation::Relation;
use circuits::{Description, Prover, ProvingKey, Verifier};
use clap::Parser;
use rand_core::UnwrapErr;
use rayon::ThreadPool;

use peer::Peer;
use report::Report;
use timing::{median, milliseconds, pair};

/// Measures proving and verifying at depth 30.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// A folder where `npm install snarkjs` was done: its prover and verifier are measured too.
    #[arg(long, value_name = "DIR")]
    snarkjs: Option<PathBuf>,
    /// Proofs of each kind.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
}

/// The key to measure with: any is as fast, and this one is there, in the form to download.
const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/keys/development");
/// Proofs in a batch, as the target has it.
const BATCH: usize = 128;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match measure(&arguments) {
        Ok(report) if arguments.json => println!("{}", report.to_json()),
        Ok(report) => println!("{report}"),
        Err(error) => {
            eprintln!("error: {error:#}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn measure(arguments: &Arguments) -> anyhow::Result<Report> {
    let (one, two) = (pool(1)?, pool(2)?);
    let keys = KeyFolder::open(Path::new(KEYS))?;
    let (key, download_ms) = milliseconds(|| two.install(|| keys.proving_key()));
    let key = key?;
    let (verifier, key_bytes) = (Verifier::new(&key.verifying_key()), key.to_download().len());
    let (prover, table_ms) = milliseconds(|| two.install(|| Prover::new(key.clone())));
    let (public, private) = statement::of(3);
    let prove = || prover.prove(&public, &private, &mut UnwrapErr(getrandom::SysRng)).expect("it is true");
    let proof = prove();
    verifier.verify(&public, &proof).context("our own proof")?;
    let rss_bytes = machine::resident_bytes();

    let peer = Peer::new(&public, &private);
    let (prove_ms_1t, stock_ms_1t) =
        one.install(|| pair(arguments.runs, || _ = black_box(prove()), || peer.prove()));
    let (prove_ms_2t, stock_ms_2t) =
        two.install(|| pair(arguments.runs, || _ = black_box(prove()), || peer.prove()));
    let witness_ms = median(10 * arguments.runs, || drop(Assignment::new(&public, &private)));
    let batch = statement::batch(&prover, BATCH)?;
    let all_at_once = || verifier.verify_batch(&batch, &mut UnwrapErr(getrandom::SysRng)).is_ok();
    let one_by_one = || batch.iter().all(|(public, proof)| verifier.verify(public, proof).is_ok());
    let (batch_ms, singles_ms) =
        one.install(|| pair(arguments.runs, || assert!(all_at_once()), || assert!(one_by_one())));
    let verify_ms = singles_ms / BATCH as f64;
    let snarkjs = match &arguments.snarkjs {
        Some(folder) => Some(snarkjs::measure(folder, &zkey(&key)?, peer.assignment(), arguments.runs)?),
        None => None,
    };
    Ok(Report {
        constraints: Description::pinned().constraints,
        threads: rayon::current_num_threads(),
        cpu: machine::cpu(),
        prove_ms_1t,
        stock_ms_1t,
        ratio_1t: stock_ms_1t / prove_ms_1t,
        prove_ms_2t,
        stock_ms_2t,
        ratio_2t: stock_ms_2t / prove_ms_2t,
        witness_ms,
        verify_ms,
        batch_per_s: 1e3 * BATCH as f64 / batch_ms,
        single_per_s: 1e3 / verify_ms,
        key_bytes,
        download_ms,
        table_bytes: prover.table_bytes(),
        table_ms,
        rss_bytes,
        snarkjs_prove_ms: snarkjs.as_ref().map(|times| times.prove_ms),
        snarkjs_verify_ms: snarkjs.as_ref().map(|times| times.verify_ms),
    })
}

/// The key as snarkjs has it.
fn zkey(key: &ProvingKey) -> anyhow::Result<Vec<u8>> {
    let transcript = Transcript::from_bytes(&std::fs::read(Path::new(KEYS).join("transcript"))?)?;
    Ok(transcript.with_key(key)?.to_zkey(&Relation::build()))
}

fn pool(threads: usize) -> anyhow::Result<ThreadPool> {
    Ok(rayon::ThreadPoolBuilder::new().num_threads(threads).build()?)
}
