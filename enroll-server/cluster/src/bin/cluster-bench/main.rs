//! `cluster-bench`: what the engine costs for a batch.
//!
//! The same invented people are scanned in one process, and by workers that are processes of this machine and have its
//! threads among them, in turn, medians of all rounds. The difference is what it costs to ask through the engine: plans,
//! TLS, HTTP/2, rows, and whatever the workers wait for each other. There is no network between them: add its round
//! trips.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program talks on its standard streams")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use clap::Parser;
use enroll_cluster::lab::{Lab, Process, Town, person};
use enroll_cluster::{ClusterConfig, Coordinator};
use enroll_server::matcher::{Finding, MAX_QUERIES, Scanned};
use serde::Serialize;
use tokio::runtime::Runtime;
use unum_iris::{Kernel, Query, Thresholds};

/// Measures what the engine costs for a batch of queries.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "Examples:
  cargo run --release --features lab --bin cluster-bench
  cargo run --release --features lab --bin cluster-bench -- --workers 4 --segments 1000 --segment-people 16

One JSON object on standard output. Everyone is in memory once here, and twice among the workers: 24.6 KB a person."
)]
struct Arguments {
    /// Worker processes
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    workers: u32,
    /// Segments
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..))]
    segments: u64,
    /// People in each
    #[arg(long, default_value_t = 4096, value_parser = clap::value_parser!(u64).range(1..))]
    segment_people: u64,
    /// Queries that share a pass
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=8))]
    queries: u32,
    /// How often everything is measured
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// The worker's program [default: beside this one]
    #[arg(long)]
    program: Option<PathBuf>,
}

/// What is printed. Times are medians, in milliseconds.
#[derive(Serialize)]
struct Report {
    cpu: String,
    cores: usize,
    kernel: &'static str,
    /// Of this process, and of all workers together.
    threads: [usize; 2],
    workers: u32,
    segments: u64,
    people: u64,
    queries: u32,
    rounds: u32,
    one_process_ms: f64,
    cluster_ms: f64,
    /// The difference: what the engine costs.
    cost_ms: f64,
    /// The difference in all but the slowest tenth of the rounds.
    cost_ms_nine_in_ten: f64,
}

fn main() -> ExitCode {
    service::program::log_to_stderr("warn");
    match measure(&Arguments::parse()) {
        Ok(report) => {
            println!("{}", serde_json::to_string(&report).expect("numbers and names are JSON"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &Arguments) -> anyhow::Result<Report> {
    ensure!(arguments.queries as usize <= MAX_QUERIES, "a batch holds up to {MAX_QUERIES} queries");
    let program = match &arguments.program {
        Some(program) => program.clone(),
        None => std::env::current_exe()?.with_file_name("cluster-worker"),
    };
    ensure!(program.is_file(), "{} is not built", program.display());
    let cores = std::thread::available_parallelism().context("how many cores there are")?.get();
    let each = (cores / arguments.workers as usize).max(1);
    let lab = Lab::new(program);
    let town = Town::new(&lab.path("segments"), lab.key(), arguments.segments, arguments.segment_people, 0);
    let runtime = Runtime::new()?;
    let workers = start(&lab, &lab.path("segments"), arguments.workers, each);
    let coordinator = coordinator(&lab, lab.config(&workers), &runtime, &town)?;

    let queries: Vec<Query> =
        (0..arguments.queries).map(|i| Query::new(&person(u64::MAX / 2 - u64::from(i)))).collect();
    let queries: Vec<&Query> = queries.iter().collect();
    let people = town.people();
    let (mut here, mut there) = (Vec::new(), Vec::new());
    for round in 0..=arguments.rounds {
        let one = timed(&town, || Ok(people.scan(&queries, Thresholds::default())))?;
        let scan = || coordinator.scan(town.manifest(), town.tail(), &queries, Thresholds::default());
        let cluster = timed(&town, || Ok(scan()?))?;
        if round > 0 {
            here.push(one); // the first one warms up
            there.push(cluster);
        }
    }
    let (one, cluster) = (at(&here, 0.5), at(&there, 0.5));
    Ok(Report {
        cpu: cpu(),
        cores,
        kernel: Kernel::fastest().name(),
        threads: [cores, each * workers.len()],
        workers: arguments.workers,
        segments: arguments.segments,
        people: town.len(),
        queries: arguments.queries,
        rounds: arguments.rounds,
        one_process_ms: one,
        cluster_ms: cluster,
        cost_ms: cluster - one,
        cost_ms_nine_in_ten: at(&there, 0.9) - one,
    })
}

fn start(lab: &Lab, segments: &Path, workers: u32, threads: usize) -> Vec<Process> {
    let threads = threads.to_string();
    let env = [("RAYON_NUM_THREADS", threads.as_str())];
    (0..workers).map(|i| lab.worker_with(&format!("worker-{i}"), segments, &env)).collect()
}

/// A coordinator whose workers have everyone in memory, two of them each person, or one if there is one.
fn coordinator(
    lab: &Lab,
    mut config: ClusterConfig,
    runtime: &Runtime,
    town: &Town,
) -> anyhow::Result<Coordinator> {
    (config.keep_alive_ms, config.keep_alive_timeout_ms) = (10_000, 10_000); // a busy machine is not a lost one
    let coordinator = lab.coordinator(config, runtime.handle())?;
    let prepared = coordinator.prepare(town.manifest(), 0);
    ensure!(prepared.is_complete(), "{prepared:?}");
    Ok(coordinator)
}

/// How many milliseconds a scan takes that finds nobody.
fn timed(town: &Town, scan: impl FnOnce() -> anyhow::Result<Scanned>) -> anyhow::Result<f64> {
    let started = Instant::now();
    let found = scan()?.findings(town.manifest(), town.len())?;
    let took = started.elapsed();
    ensure!(found.iter().all(|&finding| finding == Finding::Unique), "invented people resemble each other");
    Ok(1e3 * took.as_secs_f64())
}

/// The value below which this share of `values` lies.
fn at(values: &[f64], share: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share).round() as usize]
}

fn cpu() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    line.map_or(std::env::consts::ARCH, |(_, name)| name).to_owned()
}
