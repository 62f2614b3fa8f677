//! `match-bench`: how fast newcomers are compared with everyone, beside a naive loop in the same run.
//!
//! Scans a gallery of invented people, far larger than any cache, as the server does. Ours, the naive loop and the
//! processor's clock are measured in turn, medians of all rounds, so that a busy machine slows them alike; one thread
//! is timed by the processor time it got, several by the wall clock. At the end everyone is written to disk as
//! encrypted segments, forgotten, and read again.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program talks on its standard streams")]

mod machine;
mod people;
mod report;
mod restart;

use std::hint::black_box;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use clap::Parser;
use enroll_server::matcher::{Finding, MAX_QUERIES, Manifest, People};
use rayon::ThreadPool;
use unum_iris::{Kernel, ORIENTATIONS, Query, ROTATIONS, Template, Thresholds};

use people::{person, town};
use report::Report;

/// Measures the comparison of one person with everyone.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "Example:
  cargo run --release -p enroll-server --bin match-bench -- --people 200000 --json

A comparison is that of two codes of 16,384 bits, with their masks, at one rotation; a person is 248 of them: two eyes,
31 rotations, four orientations. 200,000 people need 1.7 GB of memory, and as much on disk for a while."
)]
struct Arguments {
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// People in the gallery
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(4096..))]
    people: u32,
    /// Threads of the main figure
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    threads: u32,
    /// How often everything is measured
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Where segments are written, in a folder of their own [default: the system's folder for temporary files]
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// Of one person: two eyes, all rotations, all orientations.
const COMPARISONS: f64 = 2.0 * ORIENTATIONS as f64 * (*ROTATIONS.end() - *ROTATIONS.start() + 1) as f64;
/// The smaller galleries of which parts are hidden have so much less people.
const SMALLER: u32 = 8;

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

/// What one round gives; rates in one second.
struct Round {
    clock_ghz: f64,
    naive: f64,
    people: f64,
    people_wall: f64,
    people_all: f64,
}

fn measure(arguments: &Arguments) -> anyhow::Result<Report> {
    let before = machine::resident_bytes();
    let everyone = town(arguments.people, 0);
    let bytes = machine::resident_bytes().saturating_sub(before);
    let cores = std::thread::available_parallelism().context("how many cores there are")?.get();
    let (one, all) = (pool(1)?, pool(cores)?);
    let queries: Vec<Query> = (0..MAX_QUERIES as u64).map(|i| Query::new(&person(u64::MAX - i, 0))).collect();
    let eyes: Vec<Template> = (0..64).map(|i| people::eye(i, 0)).collect();

    let mut rounds = Vec::new();
    for _ in 0..arguments.rounds {
        rounds.push(Round {
            clock_ghz: machine::clock_ghz(),
            naive: naive(&eyes),
            people: one.install(|| per_second(&everyone, &queries[..1], machine::thread_seconds))?,
            people_wall: one.install(|| per_second(&everyone, &queries[..1], machine::wall_seconds))?,
            people_all: all.install(|| per_second(&everyone, &queries[..1], machine::wall_seconds))?,
        });
    }
    let median = |of: fn(&Round) -> f64| median(rounds.iter().map(of).collect());
    let main = match arguments.threads {
        1 => median(|round| round.people),
        threads if threads as usize == cores => median(|round| round.people_all),
        threads => {
            pool(threads as usize)?.install(|| per_second(&everyone, &queries[..1], machine::wall_seconds))?
        }
    };
    let scan_ms = 1e3 * f64::from(arguments.people) / median(|round| round.people_all);
    let batch = all.install(|| per_second(&everyone, &queries, machine::wall_seconds))?;
    let batch_ms = 1e3 * f64::from(arguments.people) / batch;
    let (clock_ghz, naive) = (median(|round| round.clock_ghz), median(|round| round.naive));
    let both = median(|round| round.people_all / round.people_wall);
    let folder = arguments.folder.clone().unwrap_or_else(std::env::temp_dir);
    let restart = restart::measure(everyone, &folder, &queries[..1])?;

    let hidden = |percent| -> anyhow::Result<f64> {
        let town = town(arguments.people / SMALLER, percent);
        let query = [Query::new(&person(u64::MAX, percent))];
        let rates =
            (0..arguments.rounds).map(|_| one.install(|| per_second(&town, &query, machine::thread_seconds)));
        Ok(COMPARISONS * self::median(rates.collect::<anyhow::Result<_>>()?))
    };
    let per_core = COMPARISONS * main / f64::from(arguments.threads);
    Ok(Report {
        kernel: Kernel::fastest().name(),
        cpu: machine::cpu(),
        people: arguments.people,
        threads: arguments.threads,
        cores,
        comparisons_per_s: COMPARISONS * main,
        people_per_s: main,
        naive_comparisons_per_s: naive,
        ratio_to_naive: per_core / naive,
        share_of_bound: per_core * report::BOUND_CYCLES / (clock_ghz * 1e9),
        clock_ghz,
        all_threads_to_one: both,
        bytes_per_person: bytes as f64 / f64::from(arguments.people),
        scan_ms,
        batch_ms,
        restart_ms: 1e3 * restart.first_answer_s,
        restart_read_ms: 1e3 * restart.read_s,
        disk_bytes_per_person: restart.bytes as f64 / f64::from(arguments.people),
        comparisons_per_s_quarter_hidden: hidden(25)?,
        comparisons_per_s_three_eighths_hidden: hidden(37)?,
    })
}

/// People that each second of one query passes.
fn per_second(everyone: &People, queries: &[Query], seconds: fn() -> f64) -> anyhow::Result<f64> {
    let queries: Vec<&Query> = queries.iter().collect();
    let started = seconds();
    let scanned = everyone.scan(&queries, Thresholds::default());
    let took = seconds() - started;
    let entries = everyone.segments().iter().map(|segment| *segment.entry()).collect();
    let found = scanned.findings(&Manifest::new(entries)?, everyone.len())?;
    anyhow::ensure!(
        found.iter().all(|&finding| finding == Finding::Unique),
        "invented people resemble each other"
    );
    Ok(everyone.len() as f64 / took)
}

/// Comparisons in a second by one thread, as one would write them down, for the oldest CPU that this program runs on.
fn naive(eyes: &[Template]) -> f64 {
    const SECONDS: f64 = 0.3;
    let (started, wall, mut comparisons) = (machine::thread_seconds(), Instant::now(), 0_u64);
    while wall.elapsed().as_secs_f64() < SECONDS {
        for pair in eyes.windows(2) {
            black_box(naive_counts(black_box(&pair[0]), black_box(&pair[1])));
        }
        comparisons += eyes.len() as u64 - 1;
    }
    comparisons as f64 / (machine::thread_seconds() - started)
}

#[inline(never)]
fn naive_counts(a: &Template, b: &Template) -> (u32, u32) {
    let (mut differing, mut compared) = (0, 0);
    for ((a, a_mask), (b, b_mask)) in a.code().iter().zip(a.mask()).zip(b.code().iter().zip(b.mask())) {
        let mask = a_mask & b_mask;
        differing += ((a ^ b) & mask).count_ones();
        compared += mask.count_ones();
    }
    (differing, compared)
}

fn pool(threads: usize) -> anyhow::Result<ThreadPool> {
    Ok(rayon::ThreadPoolBuilder::new().num_threads(threads).build()?)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
