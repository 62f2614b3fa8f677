//! `enroll-bench`: how long a newcomer waits, from an accepted envelope to the verdict, among so many people.
//!
//! Starts the whole system with people who never came in its database, and sends envelopes of newcomers as devices do:
//! first one at a time, then several in flight, which share passes over everyone. One after the other, each of those in
//! flight would wait for all of them; how long they really wait is told beside it.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program talks on its standard streams")]

mod newcomers;
mod report;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Parser;
use getrandom::SysRng;
use rand_core::UnwrapErr;
use unum::cluster::Cluster;
use unum::system::{Options, System};

use newcomers::Device;
use report::Report;

/// Measures the way of an envelope to its verdict.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "Example:
  cargo run --release --bin enroll-bench -- --people 200000 --json

200,000 people need 1.7 GB of memory and 4 GB on disk for a while: rows of Postgres, and segments."
)]
struct Arguments {
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// People who are enrolled already
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1..))]
    people: u64,
    /// Newcomers who come one at a time
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    alone: u32,
    /// Newcomers who come together
    #[arg(long, default_value_t = 96, value_parser = clap::value_parser!(u32).range(1..))]
    newcomers: u32,
    /// How many of them are in flight at once
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=64))]
    in_flight: u32,
}

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
    let folder = tempfile::Builder::new().prefix("enroll-bench-").tempdir()?;
    enroll_everyone(folder.path(), arguments.people)?;
    eprintln!("starting the servers …");
    let started = Instant::now();
    let system = System::start(folder.path(), &Options::default(), &|_| ())?;
    let ready = started.elapsed();

    let devices: Vec<Device> = (0..arguments.in_flight)
        .map(|number| Device::new(&system, &folder.path().join(format!("device-{number}"))))
        .collect::<Result<_, _>>()?;
    eprintln!("{} newcomers one at a time, then {} together …", arguments.alone, arguments.newcomers);
    let mut devices = devices;
    let alone = newcomers::come(&mut devices[..1], arguments.alone)?;
    let together = Instant::now();
    let waits = newcomers::come(&mut devices, arguments.newcomers)?;
    let together = together.elapsed();
    drop(devices);
    system.shutdown();
    Ok(Report {
        people: arguments.people,
        in_flight: arguments.in_flight,
        kernel: unum_iris::Kernel::fastest().name(),
        threads: std::thread::available_parallelism().context("how many cores there are")?.get(),
        ready,
        alone: report::quantile(&alone, 0.5),
        median: report::quantile(&waits, 0.5),
        p99: report::quantile(&waits, 0.99),
        per_hour: 3600.0 * f64::from(arguments.newcomers) / together.as_secs_f64(),
    })
}

/// Puts people who never came into the system's database, before it runs.
fn enroll_everyone(data: &Path, people: u64) -> anyhow::Result<()> {
    eprintln!("making keys …");
    System::start(data, &Options::default(), &|_| ())?.shutdown(); // as an operator would, once
    eprintln!("enrolling {people} people who never came …");
    let mut rng = UnwrapErr(SysRng);
    let cluster = Cluster::start(&data.join("postgres"), &mut rng)?;
    let database = cluster.database("unum_enroll")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let everyone = (0..people).map(|_| newcomers::somebody());
    runtime.block_on(enroll_server::seed(&database, &data.join("enroll"), everyone, &mut rng))?;
    runtime.shutdown_timeout(Duration::from_secs(1));
    drop(cluster);
    Ok(())
}
