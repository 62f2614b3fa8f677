//! The enrollment server as a program.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use enroll_server::{Config, Server, program};

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
    service::program::log_to_stderr("info");
    program::raise_memory_lock();
    let arguments = Arguments::parse();
    let mut config = Config::load(&arguments.config, |name| std::env::var(name).ok())?;
    config.bind = arguments.bind.unwrap_or(config.bind);

    let rng = Box::new(rand_core::UnwrapErr(getrandom::SysRng));
    let server = Server::start(config, program::clock(), rng).await?;
    program::run(server).await.context("signals cannot be received")
}
