//! `claim-bench`: how many claims a second are paid, beside one transaction for each in the same run.
//!
//! Runs servers of its own on a private Postgres, which waits for the disk at every commit, and pays invented people:
//!
//! 1. claims that were verified before, one transaction each, on one connection and on several;
//! 2. the same in shared transactions;
//! 3. claims with their proofs, in turn with checking as many proofs and nothing else;
//! 4. claims over HTTP at half of that rate, by a clock that does not wait for answers;
//! 5. a storm: the claims of few people, over and over, over HTTP.
//!
//! After each the whole ledger is checked. Clients, servers and Postgres share one machine.
//!
//! With `--audit` nothing of this: a period of so many claims is audited.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program talks on its standard streams")]

mod audit;
mod forge;
mod load;
mod report;
mod town;

use std::process::ExitCode;

use clap::Parser;
use distribution::config::Gathering;

use report::Report;
use town::Town;

/// Measures claims from a proof to a signed receipt.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "Examples:
  cargo run --release -p distribution --bin claim-bench -- --json
  cargo run --release -p distribution --bin claim-bench -- --json --audit 100000

Takes some minutes, 1 GB of memory, and as much on disk for a while. Needs the system's Postgres (apt install postgresql)."
)]
struct Arguments {
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// Audit a period of so many claims, and nothing else
    #[arg(long, value_name = "CLAIMS", value_parser = clap::value_parser!(u32).range(100..))]
    audit: Option<u32>,
    /// Claims in shared transactions
    #[arg(long, default_value_t = 40_000, value_parser = clap::value_parser!(u32).range(1000..))]
    claims: u32,
    /// Claims in a transaction of their own, for each number of connections
    #[arg(long, default_value_t = 1500, value_parser = clap::value_parser!(u32).range(100..))]
    single: u32,
    /// Claims with their proofs, in each round
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1000..))]
    proofs: u32,
    /// How often that is measured
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds at half of the capacity
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// People in the storm
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..))]
    people: u32,
    /// Claims in the storm
    #[arg(long, default_value_t = 250_000, value_parser = clap::value_parser!(u32).range(1..))]
    storm: u32,
    /// Connections of the storm
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,
    /// Connections at half of the capacity: enough that a claim does not wait for one
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..))]
    half_connections: u32,
}

/// Servers, each with one connection that pays, that share the claims with a transaction each.
const SINGLE_CONNECTIONS: [usize; 2] = [1, 4];

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(claims) = arguments.audit {
        return audited(claims, arguments.json);
    }
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

fn audited(claims: u32, json: bool) -> ExitCode {
    match audit::measure(claims as usize) {
        Ok(audited) if json => {
            println!("{}", serde_json::to_string_pretty(&audited).expect("figures are text"));
        }
        Ok(audited) => println!(
            "{} claims audited in {:.1} s on {} cores: {:.0} a second, {:.1} x one proof after the other",
            audited.claims, audited.audit_s, audited.cores, audited.claims_per_s, audited.ratio_to_one_by_one
        ),
        Err(error) => {
            eprintln!("error: {error:#}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

async fn measure(arguments: Arguments) -> anyhow::Result<(Report, bool)> {
    let proofs = arguments.proofs as usize;
    let most = [arguments.claims, arguments.single, arguments.proofs * arguments.rounds, arguments.people];
    // More people than claims in any phase; the half load comes after the claims with proofs, from others.
    let people = most.into_iter().max().unwrap_or_default() + arguments.seconds * load::MOST_PER_SECOND;
    eprintln!("publishing a set of {people} people");
    let town = Town::of(people.into()).await?;
    let mut difference = 0;

    let mut singles = Vec::new();
    for connections in SINGLE_CONNECTIONS {
        eprintln!("one transaction a claim, {connections} at once");
        let alone = Gathering { batch: 1, batch_wait_ms: 0, ..Gathering::default() };
        let till = town.till(&format!("single_{connections}"), connections, alone).await?;
        let paid = load::verified(&town, &till, arguments.single as usize).await?;
        singles.push(paid.per_second);
        difference += till.close(paid.count).await?.difference.minor();
    }

    eprintln!("shared transactions");
    let till = town.till("shared", 1, Gathering::default()).await?;
    let synchronous_commit = till.setting("synchronous_commit").await?;
    let paid = load::verified(&town, &till, arguments.claims as usize).await?;
    difference += till.close(paid.count).await?.difference.minor();

    eprintln!("with proofs");
    let till = town.till("proofs", 1, Gathering::default()).await?;
    let proven = load::with_proofs(&town, &till, proofs, arguments.rounds as usize).await?;
    let half_rate = proven.per_second / 2.0;
    eprintln!("half of it, over HTTP: {half_rate:.0} a second");
    let count = (half_rate * f64::from(arguments.seconds)) as usize;
    anyhow::ensure!(
        proven.count + count <= people as usize,
        "this machine is too fast for a set of {people} people"
    );
    let half = load::at_rate(&town, &till, half_rate, count, arguments.half_connections as usize).await?;
    difference += till.close(proven.count + half.count).await?.difference.minor();

    eprintln!("the storm");
    let till = town.till("storm", 1, Gathering::default()).await?;
    let (people, claims) = (arguments.people as usize, arguments.storm as usize);
    let storm = load::storm(&town, &till, people, claims, arguments.connections as usize).await?;
    difference += till.close(storm.paid).await?.difference.minor();

    let single_per_s = singles.iter().copied().fold(0.0, f64::max);
    let report = Report {
        ratio_to_single: paid.per_second / single_per_s,
        claims_per_s: paid.per_second,
        single_per_s,
        verify_share: proven.share,
        ledger_difference: difference,
        storm_paid: storm.paid,
        p99_ms: half.p99_ms,
        cores: std::thread::available_parallelism()?.get(),
        synchronous_commit,
        batch: Gathering::default().batch,
        batch_wait_ms: Gathering::default().batch_wait_ms,
        in_flight: load::IN_FLIGHT,
        claims: paid.count,
        single_claims: arguments.single as usize,
        single_per_s_by_connections: SINGLE_CONNECTIONS.into_iter().zip(singles).collect(),
        proofs_forged: true,
        proven_claims_per_s: proven.per_second,
        proofs_per_s: proven.proofs_per_second,
        proofs_per_s_one_by_one: proven.one_by_one_per_second,
        half_rate_per_s: half_rate,
        half_claims: half.count,
        p50_ms: half.p50_ms,
        max_ms: half.max_ms,
        half_connections: arguments.half_connections as usize,
        connections: arguments.connections as usize,
        storm_people: people,
        storm_claims: claims,
        storm_per_s: storm.per_second,
    };
    Ok((report, arguments.json))
}
