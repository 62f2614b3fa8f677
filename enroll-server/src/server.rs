//! Starting and stopping, what every request can reach, and what runs beside the requests.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand_core::CryptoRng;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use unum_identity::bytes::ServiceKey;
use unum_identity::time::{Clock, UnixTime};

use crate::config::{Config, ConfigError};
use crate::gallery::Gallery;
use crate::keys::{Keys, KeysError};
use crate::metrics::Metrics;
use crate::published::Published;
use crate::routes;
use crate::store::{Store, StoreError, chain, sessions};

/// How often old nonces are forgotten and histograms folded.
const HOUSEKEEPING: Duration = Duration::from_mins(1);
/// How long a nonce is remembered after its end: a device that late has given up or was moved.
const NONCE_KEPT: u64 = 3600;
/// How long requests in flight may take to finish at a shutdown: as long as a transaction.
const GRACE: Duration = Duration::from_secs(10);

/// Randomness, handed in from outside.
type Entropy = Box<dyn CryptoRng + Send>;

/// Everything that requests share.
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) keys: Keys,
    pub(crate) metrics: Metrics,
    pub(crate) store: Store,
    pub(crate) gallery: Gallery,
    pub(crate) published: Published,
    pub(crate) verifier: Arc<circuits::Verifier>,
    rng: Mutex<Entropy>,
}

impl App {
    /// The randomness, for as long as the guard lives: not across an `await`.
    pub(crate) fn rng(&self) -> MutexGuard<'_, Entropy> {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running server. Stops when dropped; [`Server::shutdown`] waits until it has.
pub struct Server {
    addr: SocketAddr,
    service_key: ServiceKey,
    stop: watch::Sender<()>,
    tasks: [JoinHandle<()>; 2],
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("addr", &self.addr).finish_non_exhaustive()
    }
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration makes no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The server's own keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The verifying key is missing or not one. Make it, or correct the path.
    #[error("cannot use the verifying key {path}: {reason}")]
    VerifyingKey {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Postgres cannot be reached, or what it holds cannot be read.
    #[error("cannot use the database: {0}")]
    Database(String),
    /// The address is taken or not ours.
    #[error("cannot listen on {addr}")]
    Bind {
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

impl Server {
    /// Loads keys, migrates the database, reads the set and everyone's eyes, and listens.
    ///
    /// Everything that can be wrong with a configuration shows here: afterwards only Postgres can fail, and then
    /// requests are answered with 503 until it is back.
    ///
    /// # Errors
    ///
    /// A [`StartError`].
    pub async fn start(
        config: Config,
        clock: Arc<dyn Clock>,
        mut rng: Box<dyn CryptoRng + Send>,
    ) -> Result<Self, StartError> {
        config.check()?;
        let keys = Keys::load_or_create(&config.keys, &mut rng)?;
        let verifier = Arc::new(read_verifier(&config)?);
        let metrics = Metrics::new();
        let store = Store::open(&config.database_url, config.startup_wait(), metrics.clone()).await?;
        let gallery = Gallery::new(keys.template.clone());
        let published = Published::new(config.origin.clone(), keys.signing.clone());
        let people = gallery.sync(&store).await?.watermark();
        let leaves = published.sync(&store).await?;
        metrics.set_size(leaves);

        let bind = |source| StartError::Bind { addr: config.bind, source };
        let listener = TcpListener::bind(config.bind).await.map_err(bind)?;
        let addr = listener.local_addr().map_err(bind)?;
        tracing::info!(%addr, people, leaves, "listening");
        let service_key = keys.service_key();
        let rng = Mutex::new(rng);
        let app = Arc::new(App { config, clock, keys, metrics, store, gallery, published, verifier, rng });
        let (stop, stopped) = watch::channel(());
        let tasks = [
            tokio::spawn(serve(listener, Arc::clone(&app), stopped.clone())),
            tokio::spawn(keep_house(app, stopped)),
        ];
        Ok(Self { addr, service_key, stop, tasks })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The key that signs checkpoints and receipts.
    pub fn service_key(&self) -> ServiceKey {
        self.service_key
    }

    /// Takes no new requests and lets those in flight finish, for ten seconds at most.
    pub async fn shutdown(self) {
        drop(self.stop);
        for mut task in self.tasks {
            if tokio::time::timeout(GRACE, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

fn read_verifier(config: &Config) -> Result<circuits::Verifier, StartError> {
    let error = |reason: String| StartError::VerifyingKey { path: config.verifying_key.clone(), reason };
    let bytes = std::fs::read(&config.verifying_key).map_err(|e| error(e.to_string()))?;
    let key = circuits::VerifyingKey::from_bytes(&bytes).map_err(|e| error(e.to_string()))?;
    Ok(circuits::Verifier::new(&key))
}

async fn serve(listener: TcpListener, app: Arc<App>, mut stopped: watch::Receiver<()>) {
    let until = async move {
        let _ = stopped.changed().await; // the sender is only ever dropped
    };
    let served = axum::serve(listener, routes::router(app)).with_graceful_shutdown(until).await;
    if let Err(error) = served {
        tracing::error!(%error, "stopped listening");
    }
}

async fn keep_house(app: Arc<App>, mut stopped: watch::Receiver<()>) {
    while let Err(_elapsed) = tokio::time::timeout(HOUSEKEEPING, stopped.changed()).await {
        app.metrics.upkeep();
        let before = UnixTime(app.clock.now().0.saturating_sub(NONCE_KEPT));
        let forgotten =
            app.store.run_tx("forget_sessions", |tx| async move { sessions::forget(&tx, before).await });
        if let Err(error) = forgotten.await {
            tracing::warn!(causes = chain(&error), "old sessions are still there");
        }
    }
}
