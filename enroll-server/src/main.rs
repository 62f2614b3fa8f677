//! The enrollment server as a program.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context as _;
use clap::Parser;
use enroll_server::{Config, Server};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use service::program;
use unum_identity::time::UnixTime;

/// Enrolls people brought by devices, publishes the set, verifies humans for apps
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  enroll-server --config enroll.toml
  DATABASE_URL=postgres://unum@127.0.0.1/unum ENROLL_OPERATOR_TOKEN=$(cat token) enroll-server --config enroll.toml
  RUST_LOG=enroll_server=debug enroll-server --config enroll.toml --bind 127.0.0.1:0

The first line on standard output is the address it listens on. SIGTERM and Ctrl-C stop it after the requests in
flight."
)]
struct Arguments {
    /// Configuration in TOML
    #[arg(long)]
    config: PathBuf,
    /// Listen here instead of where the configuration says
    #[arg(long)]
    bind: Option<std::net::SocketAddr>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    program::log_to_stderr("info");
    raise_memory_lock();
    let arguments = Arguments::parse();
    let mut config = Config::load(&arguments.config, |name| std::env::var(name).ok())?;
    config.bind = arguments.bind.unwrap_or(config.bind);

    let clock = || UnixTime::from(SystemTime::now());
    let rng = Box::new(rand_core::UnwrapErr(getrandom::SysRng));
    let server = Server::start(config, Arc::new(clock), rng).await?;
    #[expect(clippy::print_stdout, reason = "whoever started it reads the port here")]
    {
        println!("http://{}", server.addr());
    }
    let ended = program::told_to_stop().await;
    server.shutdown().await;
    ended.context("signals cannot be received")
}

/// Everyone's eyes are locked in memory. Allows as much of it as whoever started this process allows at all; what that
/// does not cover is logged when it happens.
fn raise_memory_lock() {
    let limit = getrlimit(Resource::Memlock);
    if let Err(error) = setrlimit(Resource::Memlock, Rlimit { current: limit.maximum, ..limit }) {
        tracing::warn!(%error, "the limit of locked memory stays as it is");
    }
}
