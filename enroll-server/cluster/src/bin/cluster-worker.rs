//! A worker as a program.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use enroll_cluster::{Worker, WorkerConfig};
use enroll_server::program::raise_memory_lock;
use service::program;

/// Holds segments in memory and compares with them whoever a coordinator asks about
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  cluster-worker --config worker.toml
  CLUSTER_TOKEN=$(cat token) cluster-worker --config worker.toml --bind 10.0.0.11:7070
  RUST_LOG=enroll_cluster=debug cluster-worker --config worker.toml

It reads segments when the enrollment server (enroll-cluster-server --help) tells it which ones: from that server's own
folder, shared, or from a copy that somebody keeps up to date. It needs that server's template key.

The first line on standard output is the address it listens on. SIGTERM and Ctrl-C stop it after the orders under way.
What a configuration looks like: enroll-server/cluster/src/worker/config.rs."
)]
struct Arguments {
    /// Configuration in TOML
    #[arg(long)]
    config: PathBuf,
    /// Listen here instead of where the configuration says
    #[arg(long)]
    bind: Option<std::net::SocketAddr>,
    /// End when standard input does: whoever started it has ended, however that came
    #[arg(long)]
    while_stdin: bool,
    /// Take a configuration with faults on purpose; debug builds only
    #[arg(long, hide = true)]
    allow_sabotage: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    program::log_to_stderr("info");
    raise_memory_lock();
    let arguments = Arguments::parse();
    let env = |name: &str| std::env::var(name).ok();
    let mut config = WorkerConfig::load(&arguments.config, arguments.allow_sabotage, env)?;
    config.bind = arguments.bind.unwrap_or(config.bind);
    let worker = Worker::start(config)?;
    #[expect(clippy::print_stdout, reason = "whoever started it reads the port here")]
    {
        println!("https://{}", worker.addr());
    }
    if arguments.while_stdin {
        program::end_with_stdin();
    }
    let ended = program::told_to_stop().await;
    worker.shutdown().await;
    ended.context("signals cannot be received")
}
