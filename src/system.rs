//! The whole system in one process: a private Postgres, the enrollment server and the distribution, on free loopback
//! ports, with everything they keep below one folder.
//!
//! ```text
//! data/postgres/         both databases
//! data/keys/             proving and verifying key
//! data/enroll/           the enrollment server's own keys
//! data/distribution/     the distribution's signing key
//! data/operator.token    what `Authorization: Bearer` wants of operators
//! ```
//!
//! The two services share nothing here that they would not share on two machines: each has its own database, and
//! the distribution reads the set over HTTP.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use circuits::folder::KeyFolder;
use getrandom::SysRng;
use rand_core::{Rng as _, UnwrapErr};
use serde::Serialize;
use unum_identity::bytes::{LedgerId, ServiceKey};
use unum_identity::time::UnixTime;

use crate::cluster::{Cluster, ClusterError};

/// Name of the set in its checkpoints.
pub const ORIGIN: &str = "unum.localhost/set";
/// The ledger's id: one machine has one ledger.
const LEDGER: LedgerId = LedgerId(*b"unum.localhost/1");

/// Why the system does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SystemError {
    /// No Postgres.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A key or token file cannot be made or read.
    #[error("{what}: {source}")]
    File {
        /// Which.
        what: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The proofs' keys cannot be used.
    #[error("proving keys: {0}")]
    Keys(#[from] circuits::folder::FolderError),
    /// The enrollment server does not start.
    #[error("enrollment server: {0}")]
    Enroll(#[from] enroll_server::StartError),
    /// The distribution does not start.
    #[error("distribution: {0}")]
    Distribution(#[from] distribution::StartError),
}

/// Where everything is, for people and programs.
#[derive(Clone, Debug, Serialize)]
pub struct Addresses {
    /// Base URL of the enrollment server.
    pub enroll: String,
    /// Base URL of the distribution.
    pub distribution: String,
    /// Where data and keys are.
    pub data: PathBuf,
    /// File that holds the operator's token.
    pub operator_token: PathBuf,
    /// Folder of the proving key, for wallets.
    pub keys: PathBuf,
}

/// A running system. Dropping it stops it.
#[derive(Debug)]
pub struct System {
    // Dropped in this order: the services before the database below them.
    enroll: enroll_server::Server,
    distribution: distribution::Server,
    runtime: tokio::runtime::Runtime,
    cluster: Cluster,
    addresses: Addresses,
    operator_token: String,
}

/// What can be chosen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether people with one eye may enroll.
    pub one_eye: bool,
}

impl System {
    /// Starts everything; what does not exist below `data` is made. Says what it does through `progress`.
    ///
    /// # Errors
    ///
    /// A [`SystemError`] that names the part.
    pub fn start(data: &Path, options: Options, progress: &dyn Fn(&'static str)) -> Result<Self, SystemError> {
        let mut rng = UnwrapErr(SysRng);
        let data = private_folder(data)?;
        let token_file = data.join("operator.token");
        let operator_token = token(&token_file)?;

        progress("starting a private Postgres");
        let cluster = Cluster::start(&data.join("postgres"), &mut rng)?;
        progress("making proving keys, unless they exist");
        let keys = KeyFolder::load_or_create(&data.join("keys"), &mut rng)?;
        let verifying_key = keys.verifying_key_file();

        progress("starting the enrollment server");
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(file("threads"))?;
        let enroll = runtime.block_on(enroll_server::Server::start(
            enroll_server::Config {
                one_eye: options.one_eye,
                ..enroll_server::Config::local(
                    loopback(),
                    cluster.database("unum_enroll")?,
                    operator_token.clone(),
                    ORIGIN,
                    data.join("enroll"),
                    verifying_key.clone(),
                )
            },
            clock(),
            Box::new(UnwrapErr(SysRng)),
        ))?;
        let enroll_url = format!("http://{}", enroll.addr());

        progress("starting the distribution");
        let distribution = runtime.block_on(distribution::Server::start(
            distribution::Config::local(
                loopback(),
                cluster.database("unum_distribution")?,
                operator_token.clone(),
                LEDGER,
                data.join("distribution"),
                verifying_key,
                enroll_url.clone(),
                ORIGIN,
                enroll.service_key(),
            ),
            clock(),
            Box::new(UnwrapErr(SysRng)),
        ))?;
        let addresses = Addresses {
            enroll: enroll_url,
            distribution: format!("http://{}", distribution.addr()),
            keys: data.join("keys"),
            operator_token: token_file,
            data,
        };
        Ok(Self { enroll, distribution, runtime, cluster, addresses, operator_token })
    }

    /// Where everything is.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// What `Authorization: Bearer` wants of operators.
    pub fn operator_token(&self) -> &str {
        &self.operator_token
    }

    /// The key that signs the set.
    pub fn set_key(&self) -> ServiceKey {
        self.enroll.service_key()
    }

    /// The private Postgres, so that tests can take it away.
    pub fn cluster(&mut self) -> &mut Cluster {
        &mut self.cluster
    }

    /// Finishes what is in flight, then stops everything.
    pub fn shutdown(self) {
        let Self { enroll, distribution, runtime, cluster, .. } = self;
        runtime.block_on(async {
            distribution.shutdown().await;
            enroll.shutdown().await;
        });
        drop(runtime);
        drop(cluster);
    }

    /// Runs until Ctrl-C or a termination signal, then stops.
    pub fn run_until_signal(self) {
        self.runtime.block_on(signal());
        self.shutdown();
    }
}

async fn signal() {
    let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    let interrupted = tokio::signal::ctrl_c();
    match terminate {
        Ok(mut terminate) => tokio::select! {
            _ = interrupted => {}
            _ = terminate.recv() => {}
        },
        Err(_) => {
            let _ = interrupted.await;
        }
    }
}

fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// The machine's clock.
fn clock() -> Arc<dyn unum_identity::time::Clock> {
    Arc::new(|| UnixTime::from(SystemTime::now()))
}

fn file(what: &'static str) -> impl FnOnce(std::io::Error) -> SystemError {
    move |source| SystemError::File { what, source }
}

/// The folder, made if missing. Others may walk through it (Postgres has a user of its own), not list it.
fn private_folder(path: &Path) -> Result<PathBuf, SystemError> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::create_dir_all(path).map_err(file("make the data folder"))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o711)).map_err(file("protect the data folder"))?;
    path.canonicalize().map_err(file("find the data folder"))
}

/// The stored operator token, or a new one of 256 bits.
fn token(path: &Path) -> Result<String, SystemError> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    if let Ok(token) = fs::read_to_string(path) {
        return Ok(token.trim().to_owned());
    }
    let mut bytes = [0; 32];
    UnwrapErr(SysRng).fill_bytes(&mut bytes);
    let token = hex::encode(bytes);
    let mut options = fs::OpenOptions::new();
    let mut handle =
        options.write(true).create_new(true).mode(0o600).open(path).map_err(file("make the operator's token"))?;
    writeln!(handle, "{token}").map_err(file("write the operator's token"))?;
    Ok(token)
}
