//! Starting and stopping, what every request can reach, and what runs beside the requests.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use circuits::folder::{FolderError, read_verifying_key};
use rand_core::CryptoRng;
use service::http::{ListenError, Listening};
use service::key_file::KeyFileError;
use service::{Metrics, Operated, OperatorToken};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use unum_identity::bytes::ServiceKey;
use unum_identity::time::{Clock, UnixTime};

use crate::config::{Config, ConfigError};
use crate::enrollment::{Queue, work};
use crate::gallery::Gallery;
use crate::keys::Keys;
use crate::limits::Limits;
use crate::matcher::{Batcher, InProcess, Scanner, Shelf, TemplateKey};
use crate::published::Published;
use crate::store::{SCHEMA, Store, StoreError, chain, mailboxes, matchers, queue, sessions};
use crate::verify::sets::{ForeignKeyError, Sets};
use crate::{erasure, routes};

/// How often old nonces are forgotten, histograms folded, and segments made of the tail.
const HOUSEKEEPING: Duration = Duration::from_mins(1);
/// How often a server looks whether somebody is to be erased, and says that it runs.
const ERASING: Duration = Duration::from_secs(1);
/// How often a server looks whether those who hold segments for it have to be told what to hold.
const TENDING: Duration = Duration::from_secs(1);
/// How long a nonce is remembered after its end: a device that late has given up or was moved.
const NONCE_KEPT: u64 = 3600;
/// How long an envelope stays in quarantine for an operator to look at: seconds of a week.
const QUARANTINE_KEPT: u64 = 7 * 24 * 3600;

/// Randomness, handed in from outside, for everybody who needs some.
pub(crate) struct Entropy(Mutex<Box<dyn CryptoRng + Send>>);

impl Entropy {
    pub(crate) fn new(rng: Box<dyn CryptoRng + Send>) -> Self {
        Self(Mutex::new(rng))
    }

    /// The randomness, for as long as the guard lives: not across an `await`.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Box<dyn CryptoRng + Send>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything that requests share.
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) keys: Keys,
    pub(crate) metrics: Metrics,
    pub(crate) store: Store,
    pub(crate) gallery: Arc<Gallery>,
    pub(crate) matcher: Batcher,
    pub(crate) queue: Queue,
    pub(crate) published: Published,
    pub(crate) sets: Sets,
    pub(crate) limits: Arc<Limits>,
    /// What this server is called among those that hold everyone's eyes, as long as it runs.
    pub(crate) matcher_id: [u8; 16],
    /// Told when somebody is to be erased.
    pub(crate) erasing: Notify,
    entropy: Arc<Entropy>,
}

impl App {
    /// The randomness, for as long as the guard lives: not across an `await`.
    pub(crate) fn rng(&self) -> MutexGuard<'_, Box<dyn CryptoRng + Send>> {
        self.entropy.lock()
    }

    /// Says how many people the set has, of so many leaves.
    pub(crate) fn count_leaves(&self, leaves: u64) {
        let people = leaves.saturating_sub(self.published.removed());
        self.metrics.gauge("enroll_set_leaves", &[], people as f64);
    }

    /// A proof was asked about through one of the doors, and became this.
    pub(crate) fn count_verification(&self, door: &str, outcome: &str) {
        self.metrics.count("enroll_verifications_total", &[("door", door), ("outcome", outcome)], 1);
    }
}

impl Operated for App {
    fn operator_token(&self) -> &OperatorToken {
        &self.config.operator_token
    }
}

/// A running server. Stops at once when dropped; [`Server::shutdown`] finishes what is under way.
pub struct Server {
    listening: Listening,
    beside: [Beside; 4],
    app: Arc<App>,
    service_key: ServiceKey,
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
    Keys(#[from] KeyFileError),
    /// The verifying key is missing or not one. Make it, or correct the path.
    #[error(transparent)]
    VerifyingKey(#[from] FolderError),
    /// The key of a foreign set is missing or not one. Correct the path, or leave the set out.
    #[error(transparent)]
    ForeignKey(#[from] ForeignKeyError),
    /// The folder of segments cannot be used.
    #[error("cannot use the folder of segments {path}")]
    Segments {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Whoever was to compare with everyone cannot be asked. Correct their configuration.
    #[error("cannot use those who hold the segments")]
    Scanner(#[source] Box<dyn Error + Send + Sync>),
    /// Postgres cannot be reached, or what it holds cannot be read.
    #[error("cannot use the database: {0}")]
    Database(String),
    /// The address is taken, or not ours.
    #[error(transparent)]
    Listen(#[from] ListenError),
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
        rng: Box<dyn CryptoRng + Send>,
    ) -> Result<Self, StartError> {
        Self::start_with(config, clock, rng, |_| Ok(Arc::new(InProcess))).await
    }

    /// The same with somebody else who compares with everyone, and may hold the segments: whatever `scanner` makes of the
    /// template key, on the runtime of this server.
    ///
    /// Waits until whoever answers holds their segments. If some of them are held by nobody it starts all the same: what
    /// needs no comparison is answered, everything else waits in the queue, with 503, until they are held.
    ///
    /// # Errors
    ///
    /// A [`StartError`].
    pub async fn start_with(
        config: Config,
        clock: Arc<dyn Clock>,
        mut rng: Box<dyn CryptoRng + Send>,
        scanner: impl FnOnce(&TemplateKey) -> Result<Arc<dyn Scanner>, Box<dyn Error + Send + Sync>>,
    ) -> Result<Self, StartError> {
        config.check()?;
        let keys = Keys::load_or_create(&config.keys, &mut rng)?;
        let key = read_verifying_key(&config.verifying_key)?;
        let (metrics, queue) = (Metrics::default(), config.limits.proofs_waiting);
        let sets = Sets::start(&key, &config.foreign_sets, queue, &metrics, &mut *rng)?;
        let limits = Arc::new(Limits::new(&config.limits));
        let store =
            Store::open(&config.database_url, &SCHEMA, config.startup_wait(), metrics.clone()).await?;
        let shelf = Shelf::open(&config.segments, keys.template.clone())
            .map_err(|source| StartError::Segments { path: config.segments.clone(), source })?;
        let mut matcher_id = [0; 16];
        rng.fill_bytes(&mut matcher_id);
        let entropy = Arc::new(Entropy::new(rng));
        let scanner = scanner(&keys.template).map_err(StartError::Scanner)?;
        let (key, size) = (keys.template.clone(), config.segment_people.into());
        let gallery = Gallery::new(key, shelf, size, scanner, Arc::clone(&entropy), metrics.clone());
        let gallery = Arc::new(gallery);
        // Before anybody's eyes are in memory: from now on a receipt of erasure waits for this server.
        store
            .run_tx("report_erasure", |tx| async move { matchers::report(&tx, matcher_id, None).await })
            .await?;
        gallery.complete(&store).await?;
        let published = Published::new(config.origin.clone(), keys.signing.clone());
        let people = gallery.sync(&store).await?.watermark();
        let kernel = unum_iris::Kernel::fastest().name();
        metrics.gauge("enroll_matcher_kernel", &[("kernel", kernel)], 1.0);
        let matcher = Batcher::start(Arc::clone(&gallery), config.thresholds, metrics.clone());

        let service_key = keys.service_key();
        let app = Arc::new(App {
            config,
            clock,
            keys,
            metrics,
            store,
            gallery,
            matcher,
            queue: Queue::default(),
            published,
            sets,
            limits,
            matcher_id,
            erasing: Notify::new(),
            entropy,
        });
        app.published.sync(&app.store).await?;
        let leaves = app.published.leaves();
        app.count_leaves(leaves);
        erasure::report(&app).await?;
        let listening = Listening::start(app.config.bind, routes::router(Arc::clone(&app))).await?;
        tracing::info!(addr = %listening.addr(), people, leaves, kernel, "listening");
        let beside = [
            Beside::start(work(Arc::clone(&app))),
            Beside::start(housekeeping(Arc::clone(&app))),
            Beside::start(erasing(Arc::clone(&app))),
            Beside::start(tending(Arc::clone(&app))),
        ];
        Ok(Self { listening, beside, app, service_key })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.listening.addr()
    }

    /// The key that signs checkpoints and receipts.
    pub fn service_key(&self) -> ServiceKey {
        self.service_key
    }

    /// Takes no more requests, and returns when those under way are answered, or after ten seconds.
    pub async fn shutdown(self) {
        self.listening.shutdown().await;
        drop(self.beside);
        let id = self.app.matcher_id;
        let leave = self.app.store.run_tx("leave", |tx| async move { matchers::leave(&tx, id).await });
        if let Err(error) = leave.await {
            tracing::warn!(causes = chain(&error), "receipts of erasure wait a minute for this server");
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("addr", &self.addr()).finish_non_exhaustive()
    }
}

/// What runs beside the requests. Stops when dropped; a transaction half-way is rolled back.
struct Beside(AbortHandle);

impl Beside {
    fn start(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(work).abort_handle())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn housekeeping(app: Arc<App>) {
    loop {
        tokio::time::sleep(HOUSEKEEPING).await;
        keep_house(&app).await;
    }
}

async fn erasing(app: Arc<App>) {
    loop {
        let _ = tokio::time::timeout(ERASING, app.erasing.notified()).await;
        if let Err(error) = erasure::catch_up(&app).await {
            tracing::warn!(causes = chain(&error), "whoever asked to be erased waits");
        }
    }
}

async fn tending(app: Arc<App>) {
    loop {
        tokio::time::sleep(TENDING).await;
        if let Err(error) = app.gallery.tend(&app.store).await {
            tracing::warn!(causes = chain(&error), "whoever holds segments was told nothing");
        }
    }
}

async fn keep_house(app: &App) {
    app.metrics.upkeep();
    app.limits.forget();
    let ago = |seconds| UnixTime(app.clock.now().0.saturating_sub(seconds));
    let (now, before, unreleased) = (app.clock.now(), ago(NONCE_KEPT), ago(QUARANTINE_KEPT));
    let forgotten = app.store.run_tx("forget", |tx| async move {
        matchers::forget(&tx).await?;
        mailboxes::forget(&tx, now).await?;
        queue::forget(&tx, unreleased).await?;
        sessions::forget(&tx, before).await
    });
    if let Err(error) = forgotten.await {
        tracing::warn!(causes = chain(&error), "old sessions are still there");
    }
    if let Err(error) = app.gallery.complete(&app.store).await {
        tracing::warn!(causes = chain(&error), "the tail stays as long as it is");
    }
}
