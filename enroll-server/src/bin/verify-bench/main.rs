//! `verify-bench`: how many proofs a server verifies for apps, beside the same verification with nothing around it.
//!
//! Runs a server of its own on a private Postgres, with a set and a key of its own making, and asks it over HTTP:
//!
//! 1. proofs verified in this process: one at a time on all cores, and in batches of 64 on one;
//! 2. `POST /v1/verify`, which counts a use of each, and `POST /v1/proofs/check`, which keeps nothing, as fast as they are
//!    answered;
//! 3. `POST /v1/verify` at half of that rate, by a clock that does not wait for answers;
//! 4. snarkjs, if it is told where that is.
//!
//! Clients, server and Postgres share one machine.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program talks on its standard streams")]

mod office;
mod report;
mod snarkjs;

use std::hint::black_box;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bench_kit::load;
use circuits::{Public, Verifier};
use clap::Parser;
use rand_core::UnwrapErr;
use unum_identity::proof::ProofBytes;

use office::{Office, requests};
use report::Report;

/// Measures verification for apps.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "Examples:
  cargo run --release -p enroll-server --bin verify-bench -- --json
  cargo run --release -p enroll-server --bin verify-bench -- --snarkjs ~/somewhere    # after `npm install snarkjs` there

Takes a minute. Needs the system's Postgres (apt install postgresql)."
)]
struct Arguments {
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// Requests in each round
    #[arg(long, default_value_t = 6000, value_parser = clap::value_parser!(u32).range(100..))]
    requests: u32,
    /// How often everything is measured
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds at half of the capacity
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Connections at once
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,
    /// A folder where `npm install snarkjs` was done: its verifier is measured too
    #[arg(long, value_name = "DIR")]
    snarkjs: Option<PathBuf>,
}

/// Proofs in a batch, as the target has it.
const BATCH: usize = 64;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let measured = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(async { tokio::spawn(measure(arguments)).await? }));
    match measured {
        Ok((report, true)) => println!("{}", report.to_json()),
        Ok((report, false)) => println!("{report}"),
        Err(error) => {
            eprintln!("error: {error:#}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

async fn measure(arguments: Arguments) -> anyhow::Result<(Report, bool)> {
    let office = Office::open().await?;
    let connections = arguments.connections as usize;
    let mut rounds = Vec::new();
    for round in 1..=arguments.rounds {
        eprintln!("round {round} of {}", arguments.rounds);
        rounds.push(Round::measure(&office, arguments.requests as usize, connections).await?);
    }
    let median = |figure: fn(&Round) -> f64| {
        let mut figures: Vec<f64> = rounds.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    let http_per_s = median(|round| round.verify_per_s);
    eprintln!("half of it: {:.0} a second", http_per_s / 2.0);
    let count = (http_per_s / 2.0 * f64::from(arguments.seconds)) as usize;
    let half = requests("/v1/verify", &office.statements(count));
    let half = load::at_rate(office.addr(), half, http_per_s / 2.0, connections, 200).await?;
    let snarkjs_ms = match &arguments.snarkjs {
        Some(folder) => Some(snarkjs::milliseconds(folder, &office)?),
        None => None,
    };
    let in_process_per_s = median(|round| round.in_process_per_s);
    let cores = std::thread::available_parallelism()?.get();
    let report = Report {
        http_share: median(|round| round.verify_per_s / round.in_process_per_s),
        http_per_s,
        in_process_per_s,
        batch_ratio: median(|round| round.batch_ratio),
        snarkjs_ratio: snarkjs_ms.map(|ms| ms * in_process_per_s / cores as f64 / 1e3),
        p99_ms: half.p99_ms,
        cores,
        check_per_s: median(|round| round.check_per_s),
        p50_ms: half.p50_ms,
        max_ms: half.max_ms,
        half_requests: half.count,
        requests: arguments.requests as usize,
        rounds: arguments.rounds as usize,
        connections,
        batch: BATCH,
        snarkjs_ms,
        proofs_forged: true,
    };
    Ok((report, arguments.json))
}

/// Rates in one second, and ratios.
struct Round {
    in_process_per_s: f64,
    batch_ratio: f64,
    verify_per_s: f64,
    check_per_s: f64,
}

impl Round {
    /// In this process before and after, so that a busy machine slows both alike.
    async fn measure(office: &Office, count: usize, connections: usize) -> anyhow::Result<Self> {
        let statements = office.statements(count);
        let verifier = Verifier::new(&office.key());
        let in_process = || tokio::task::block_in_place(|| on_all_cores(&verifier, &statements));
        let before = in_process()?;
        let verify = requests("/v1/verify", &statements);
        let verify_per_s = load::as_answered(office.addr(), verify, connections, 200).await?;
        let check = requests("/v1/proofs/check", &statements);
        let check_per_s = load::as_answered(office.addr(), check, connections, 200).await?;
        let in_process_per_s = f64::midpoint(before, in_process()?);
        let batch_ratio = tokio::task::block_in_place(|| batch_ratio(&verifier, &statements))?;
        Ok(Self { in_process_per_s, batch_ratio, verify_per_s, check_per_s })
    }
}

/// One at a time on each core: how many a second.
fn on_all_cores(verifier: &Verifier, statements: &[(Public, ProofBytes)]) -> anyhow::Result<f64> {
    let next = AtomicUsize::new(0);
    let check = || {
        while let Some((public, proof)) = statements.get(next.fetch_add(1, Ordering::Relaxed)) {
            verifier.verify(public, proof)?;
        }
        anyhow::Ok(())
    };
    let started = Instant::now();
    std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism()?.get();
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(check)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("checking does not panic"))
    })?;
    Ok(statements.len() as f64 / started.elapsed().as_secs_f64())
}

/// Batches of [`BATCH`] to one at a time, on this thread.
fn batch_ratio(verifier: &Verifier, statements: &[(Public, ProofBytes)]) -> anyhow::Result<f64> {
    let rng = &mut UnwrapErr(getrandom::SysRng);
    let statements = &statements[..statements.len().min(10 * BATCH)];
    let started = Instant::now();
    for (public, proof) in statements {
        verifier.verify(black_box(public), proof)?;
    }
    let one_by_one = started.elapsed();
    let started = Instant::now();
    for batch in statements.chunks(BATCH) {
        verifier.verify_batch(black_box(batch), rng)?;
    }
    Ok(one_by_one.as_secs_f64() / started.elapsed().as_secs_f64())
}
