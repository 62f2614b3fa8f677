//! Starting and stopping.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rand_core::CryptoRng;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use unum_identity::bytes::{LedgerId, ServiceKey};
use unum_identity::time::Clock;

use crate::app::{App, OperatorDigest};
use crate::config::{Config, ConfigError};
use crate::eligible::PublishedSet;
use crate::keys::{self, KeyError};
use crate::metrics::Metrics;
use crate::routes;
use crate::store::{Store, StoreError, chain, ledger};

/// How long requests that are under way may still take when the server stops.
const GRACE: Duration = Duration::from_secs(10);

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Correct the configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Look at the key file.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Make or copy the verifying key.
    #[error("{path} holds no verifying key: {reason}")]
    VerifyingKey {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Postgres does not answer, or its schema is not ours: see the reason.
    #[error("database: {0}")]
    Database(String),
    /// The database belongs to another ledger. Correct the configuration, or take another database.
    #[error("the database holds the ledger {found}, the configuration names {configured}")]
    OtherLedger {
        /// The database's.
        found: LedgerId,
        /// The configuration's.
        configured: LedgerId,
    },
    /// The address is taken, or not ours.
    #[error("cannot listen on {addr}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::Database(chain(&error))
    }
}

/// A server that runs until [`Server::shutdown`]. Dropped without it, the server stops at once.
pub struct Server {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Key that signs its receipts and statements.
    pub service_key: ServiceKey,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({})", self.addr)
    }
}

impl Server {
    /// Starts on the current Tokio runtime, which needs more than one thread. `rng` makes the signing key, if there is
    /// none yet.
    ///
    /// # Errors
    ///
    /// A [`StartError`]; then nothing listens.
    pub async fn start(
        config: Config,
        clock: Arc<dyn Clock>,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, StartError> {
        config.check()?;
        let signing = keys::load_or_create(&config.keys, rng)?;
        let key = read_verifying_key(&config)?;
        let metrics = Metrics::new();
        let store = Store::open(&config.database_url, config.startup_wait(), metrics.clone()).await?;
        let configured = config.ledger;
        let open =
            store.run_tx("open_ledger", |tx| Box::pin(async move { ledger::open(tx, configured).await }));
        let found = open.await?;
        if found != configured {
            return Err(StartError::OtherLedger { found, configured });
        }
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let app = Arc::new(App {
            store,
            clock,
            ledger: config.ledger,
            signing,
            verifier: Arc::new(circuits::Verifier::new(&key)),
            verifying_key: key.hash(),
            cores: Arc::new(Semaphore::new(cores)),
            set: Arc::new(PublishedSet::new(&config)),
            operator: OperatorDigest::of(&config.operator_token),
            metrics,
        });
        Self::listen(&config, app).await
    }

    async fn listen(config: &Config, app: Arc<App>) -> Result<Self, StartError> {
        let cannot = |source| StartError::Listen { addr: config.bind, source };
        let listener = TcpListener::bind(config.bind).await.map_err(cannot)?;
        let addr = listener.local_addr().map_err(cannot)?;
        let service_key = app.key();
        let (stop, stopped) = oneshot::channel();
        let serve = axum::serve(listener, routes::router(app)).with_graceful_shutdown(async {
            stopped.await.ok(); // sent, or the server was dropped
        });
        let serving = tokio::spawn(serve.into_future());
        tracing::info!(%addr, ledger = %config.ledger, "listening");
        Ok(Self { addr, service_key, stop: Some(stop), serving })
    }

    /// Takes no more requests, and returns when those under way are answered, or have taken too long.
    pub async fn shutdown(mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).ok(); // nobody listens if serving has ended by itself
        }
        if tokio::time::timeout(GRACE, &mut self.serving).await.is_err() {
            tracing::warn!("requests were still under way");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn read_verifying_key(config: &Config) -> Result<circuits::VerifyingKey, StartError> {
    let wrong = |reason| StartError::VerifyingKey { path: config.verifying_key.clone(), reason };
    let bytes = std::fs::read(&config.verifying_key).map_err(|error| wrong(error.to_string()))?;
    circuits::VerifyingKey::from_bytes(&bytes).map_err(|error| wrong(error.to_string()))
}
