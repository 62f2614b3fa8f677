//! The enrollment server as a program, with its segments held by workers.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser;
use enroll_cluster::{ClusterConfig, Coordinator};
use enroll_server::matcher::{Scanner, TemplateKey};
use enroll_server::{Config, Server, program};
use tokio::runtime::Handle;

/// The enrollment server, for more people than one machine holds: workers hold everyone's eyes and compare with them
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  enroll-cluster-server --config enroll.toml --cluster cluster.toml
  CLUSTER_TOKEN=$(cat token) enroll-cluster-server --config enroll.toml --cluster cluster.toml --bind 127.0.0.1:8080
  enroll-server --help          # one process with everyone inside, which is enough for millions

What workers are asked with, in cluster.toml:
  token = \"…\"                               # or CLUSTER_TOKEN; the workers' own
  tls = { authority = \"authority.pem\", certificate = \"coordinator.pem\", key = \"coordinator.key\" }
  workers = [
    { name = \"worker-1\", url = \"https://10.0.0.11:7070\" },    # the name stands in its certificate
    { name = \"worker-2\", url = \"https://10.0.0.12:7070\" },
  ]

Workers (cluster-worker --help) have this server's template key, and read segments from the folder that is called
`segments` in enroll.toml, or from a copy of it: share it, or copy files as soon as they appear. All servers of one database
have the same workers. Where nobody holds a segment, envelopes wait in the queue and are answered with 503, the log names
the segment, and `enroll_segments_unheld` counts them. A worker that was taken out of cluster.toml has to be stopped.

The first line on standard output is the address it listens on. SIGTERM and Ctrl-C stop it after the requests in
flight."
)]
struct Arguments {
    /// Configuration in TOML, as the enrollment server's
    #[arg(long)]
    config: PathBuf,
    /// Which workers there are, in TOML
    #[arg(long)]
    cluster: PathBuf,
    /// Listen here instead of where the configuration says
    #[arg(long)]
    bind: Option<std::net::SocketAddr>,
    /// End when standard input does: whoever started it has ended, however that came
    #[arg(long)]
    while_stdin: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    service::program::log_to_stderr("info");
    program::raise_memory_lock();
    let arguments = Arguments::parse();
    if arguments.while_stdin {
        service::program::end_with_stdin();
    }
    let env = |name: &str| std::env::var(name).ok();
    let mut config = Config::load(&arguments.config, env)?;
    config.bind = arguments.bind.unwrap_or(config.bind);
    let cluster = ClusterConfig::load(&arguments.cluster, env)?;

    let coordinator = |key: &TemplateKey| {
        let coordinator = Coordinator::new(cluster, key.clone(), Handle::current())?;
        Ok(Arc::new(coordinator) as Arc<dyn Scanner>)
    };
    let rng = Box::new(rand_core::UnwrapErr(getrandom::SysRng));
    let server = Server::start_with(config, program::clock(), rng, coordinator).await?;
    program::run(server).await.context("signals cannot be received")
}
