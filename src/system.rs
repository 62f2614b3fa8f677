//! The whole system in one process: a private Postgres, the enrollment server and the distribution, on free loopback
//! ports, with everything they keep below one folder.
//!
//! ```text
//! data/postgres/         both databases
//! data/keys/             proving and verifying key
//! data/enroll/           the enrollment server's own keys
//! data/segments/         everyone's eyes, encrypted, as it compares them
//! data/distribution/     the distribution's signing key
//! data/operator.token    what `Authorization: Bearer` wants of operators
//! ```
//!
//! The two services share nothing here that they would not share on two machines: each has its own database, and
//! the distribution reads the set over HTTP.

mod app;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use circuits::folder::KeyFolder;
use getrandom::SysRng;
use rand_core::{Rng as _, UnwrapErr};
use serde::Serialize;
use serde_json::json;
use tokio::runtime::Runtime;
use unum_identity::bytes::ServiceKey;
use unum_identity::enrollment::DeviceRegistration;
use unum_identity::time::{Clock, UnixTime};

pub use app::{DEMO_ACTION, DEMO_APP};

use crate::cluster::{Cluster, ClusterError};

/// Name of the set in its checkpoints.
pub const ORIGIN: &str = "unum.localhost/set";
/// The ledger's id, "unum.localhost/1": one machine has one ledger.
/// The distribution's role in Postgres, which owns nothing.
const MONEY_ROLE: &str = "unum_distribution";
/// How long a Postgres that is up may take to answer.
const STARTUP_WAIT: Duration = Duration::from_secs(15);
const LEDGER: &str = "756e756d2e6c6f63616c686f73742f31";

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
    /// The enrollment server does not register the app to try.
    #[error("the app to try: {0}")]
    App(#[from] Box<ureq::Error>),
    /// The distribution's database cannot be made.
    #[error("distribution: {0}")]
    Prepare(#[from] distribution::PrepareError),
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

/// The machine's clock, which a demo can put forward so that nobody waits for a period to end.
#[derive(Clone, Debug, Default)]
struct DemoClock {
    ahead_seconds: Arc<AtomicU64>,
}

impl DemoClock {
    fn shared(&self) -> Arc<dyn Clock> {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }

    fn now(&self) -> UnixTime {
        UnixTime::from(SystemTime::now())
            .plus(Duration::from_secs(self.ahead_seconds.load(Ordering::Relaxed)))
    }
}

/// A running system. Dropping it stops it.
#[derive(Debug)]
pub struct System {
    // Dropped in this order: the services before the database below them.
    enroll: enroll_server::Server,
    distribution: distribution::Server,
    runtime: Runtime,
    cluster: Cluster,
    addresses: Addresses,
    operator_token: String,
    clock: DemoClock,
}

/// What can be chosen.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether people with one eye may enroll.
    pub one_eye: bool,
    /// Whether periods move on only when an operator says so: for whoever puts the clock forward.
    pub periods_by_hand: bool,
    /// Devices that the distribution requires to have vouched for every leaf. None: it believes the set's key alone.
    pub devices: Vec<DeviceRegistration>,
}

impl System {
    /// Starts everything; what does not exist below `data` is made. Says what it does through `progress`.
    ///
    /// # Errors
    ///
    /// A [`SystemError`] that names the part.
    pub fn start(
        data: &Path,
        options: &Options,
        progress: &dyn Fn(&'static str),
    ) -> Result<Self, SystemError> {
        let mut rng = UnwrapErr(SysRng);
        let data = walkable_folder(data)?;
        let token_file = data.join("operator.token");
        let operator_token = token(&token_file)?;

        progress("starting a private Postgres");
        let cluster = Cluster::start(&data.join("postgres"), &mut rng)?;
        progress("making the keys of the proofs, unless they exist");
        KeyFolder::open_or_create(&data.join("keys"), &mut rng)?;

        progress("starting the enrollment server and the distribution");
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(file("start threads"))?;
        let clock = DemoClock::default();
        let common =
            Common { data: &data, operator_token: &operator_token, cluster: &cluster, clock: &clock };
        let enroll = common.enroll_server(&runtime, options)?;
        app::register(&url(enroll.addr()), &operator_token)?;
        let distribution = common.distribution(&runtime, &enroll, options)?;
        let addresses = Addresses {
            enroll: url(enroll.addr()),
            distribution: url(distribution.addr()),
            keys: data.join("keys"),
            operator_token: token_file,
            data,
        };
        Ok(Self { enroll, distribution, runtime, cluster, addresses, operator_token, clock })
    }

    /// Where everything is.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// What `Authorization: Bearer` wants of operators.
    pub fn operator_token(&self) -> &str {
        &self.operator_token
    }

    /// The key that signs receipts and statements.
    pub fn ledger_key(&self) -> ServiceKey {
        self.distribution.service_key()
    }

    /// The key that signs the set's checkpoints.
    pub fn set_key(&self) -> ServiceKey {
        self.enroll.service_key()
    }

    /// What the services' clock says.
    pub fn now(&self) -> UnixTime {
        self.clock.now()
    }

    /// Puts the services' clock forward to `moment`; never back.
    pub fn forward_to(&self, moment: UnixTime) {
        self.clock.ahead_seconds.fetch_add(moment.since(self.now()).as_secs(), Ordering::Relaxed);
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
    ///
    /// # Errors
    ///
    /// If neither can be received; then it stops at once.
    pub fn run_until_signal(self) -> std::io::Result<()> {
        let ended = self.runtime.block_on(service::program::told_to_stop());
        self.shutdown();
        ended
    }
}

/// What both services are made from.
struct Common<'a> {
    data: &'a Path,
    operator_token: &'a str,
    cluster: &'a Cluster,
    clock: &'a DemoClock,
}

impl Common<'_> {
    /// The configuration as its file would say it, so that defaults are those of the file.
    fn config<C: serde::de::DeserializeOwned>(
        &self,
        name: &str,
        database_url: &str,
        more: &serde_json::Value,
    ) -> C {
        let mut config = json!({
            "bind": "127.0.0.1:0",
            "database_url": database_url,
            "operator_token": self.operator_token,
            "keys": self.data.join(name),
            "verifying_key": self.data.join("keys").join("verifying.key"),
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            config[key] = value.clone();
        }
        serde_json::from_value(config).expect("the keys are those of the service's configuration")
    }

    fn enroll_server(
        &self,
        runtime: &Runtime,
        options: &Options,
    ) -> Result<enroll_server::Server, SystemError> {
        let segments = self.data.join("segments");
        let more = json!({ "origin": ORIGIN, "one_eye": options.one_eye, "segments": segments });
        let config = self.config("enroll", &self.cluster.database("unum_enroll")?, &more);
        let start = enroll_server::Server::start(config, self.clock.shared(), Box::new(UnwrapErr(SysRng)));
        Ok(runtime.block_on(start)?)
    }

    fn distribution(
        &self,
        runtime: &Runtime,
        enroll: &enroll_server::Server,
        options: &Options,
    ) -> Result<distribution::Server, SystemError> {
        let devices: Vec<_> = options
            .devices
            .iter()
            .map(|device| json!({ "device": device.device, "key": device.key }))
            .collect();
        let owner_url = self.cluster.database("unum_distribution")?;
        let database_url = self.cluster.database_for(MONEY_ROLE, "unum_distribution")?;
        runtime.block_on(distribution::prepare_database(&owner_url, MONEY_ROLE, STARTUP_WAIT))?;
        let config = self.config(
            "distribution",
            &database_url,
            &json!({
                "ledger": LEDGER,
                "accept_keys_of_one_maker": true, // made on this machine, for this machine
                "enroll_server": url(enroll.addr()),
                "set": { "origin": ORIGIN, "key": enroll.service_key(), "devices": devices },
                "periods": { "drive": !options.periods_by_hand },
            }),
        );
        let start =
            async { distribution::Server::start(config, self.clock.shared(), &mut UnwrapErr(SysRng)).await };
        Ok(runtime.block_on(start)?)
    }
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

fn file(what: &'static str) -> impl FnOnce(std::io::Error) -> SystemError {
    move |source| SystemError::File { what, source }
}

/// The folder, made if missing. Others may walk through it (Postgres has a user of its own), not list it.
fn walkable_folder(path: &Path) -> Result<PathBuf, SystemError> {
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
    let mut handle = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(file("make the operator's token"))?;
    writeln!(handle, "{token}").map_err(file("write the operator's token"))?;
    Ok(token)
}
