//! Starting and stopping.

use std::net::SocketAddr;
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use rand_core::CryptoRng;
use service::Metrics;
use service::http::{ListenError, Listening};
use service::key_file::{self, KeyFileError};
use unum_identity::bytes::{LedgerId, ServiceKey};
use unum_identity::time::Clock;

use crate::app::App;
use crate::claim::{Claims, Equipment};
use crate::config::{Config, ConfigError};
use crate::eligible::PublishedSet;
use crate::overview::Overviews;
use crate::proof_key::{self, ProofKeyError};
use crate::rights;
use crate::routes;
use crate::steady::SteadyClock;
use crate::store::{SCHEMA, Store, StoreError, chain, ledger};
use crate::worker::Worker;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Correct the configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Look at the key file.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// Look at the verifying key, or say that it may be used.
    #[error(transparent)]
    ProofKey(#[from] ProofKeyError),
    /// Postgres does not answer, or its schema is not ours: see the reason.
    #[error("database: {0}")]
    Database(String),
    /// Somebody has to bring the tables up to date first.
    #[error(
        "the tables are at version {found}, this program needs {needed}: run `distribution prepare` with the owner's address"
    )]
    NotPrepared {
        /// The database's; 0 if there are none.
        found: i32,
        /// This program's.
        needed: i32,
    },
    /// Whoever took over this server could rewrite the ledger. Give the server a role of its own.
    #[error(
        "the role in database_url could rewrite the table {0}: make one that owns nothing (CREATE ROLE unum_distribution \
         LOGIN PASSWORD '…'), name it in database_url, and run `distribution prepare` with the owner's address"
    )]
    RoleTooStrong(String),
    /// The database belongs to another ledger. Correct the configuration, or take another database.
    #[error("the database holds the ledger {found}, the configuration names {configured}")]
    OtherLedger {
        /// The database's.
        found: LedgerId,
        /// The configuration's.
        configured: LedgerId,
    },
    /// The address is taken, or not ours.
    #[error(transparent)]
    Listen(#[from] ListenError),
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Outdated { found, needed } => Self::NotPrepared { found, needed },
            other => Self::Database(chain(&other)),
        }
    }
}

/// A running server. Stops at once when dropped; [`Server::shutdown`] finishes what is under way.
#[derive(Debug)]
pub struct Server {
    listening: Listening,
    worker: Option<Worker>,
    service_key: ServiceKey,
    claims: Claims,
}

impl Server {
    /// Starts on the current Tokio runtime, which needs more than one thread. `rng` makes the signing key, if there is
    /// none yet, and weighs proofs that are checked together.
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
        let signing = key_file::load_or_create(&config.keys.join("signing.key"), rng)?;
        let signing = SigningKey::from_bytes(&signing);
        let key = proof_key::load(&config)?;
        let metrics = Metrics::default();
        let store =
            Store::connect(&config.database_url, &SCHEMA, config.startup_wait(), metrics.clone()).await?;
        if let Some(table) = store.run_tx("rights", |tx| async move { rights::rewritable(&tx).await }).await?
        {
            return Err(StartError::RoleTooStrong(table));
        }
        let configured = config.ledger;
        let open = store.run_tx("open_ledger", |tx| async move { ledger::open(&tx, configured).await });
        let found = open.await?;
        if found != configured {
            return Err(StartError::OtherLedger { found, configured });
        }
        let steady =
            config.periods.drive.then(|| SteadyClock::new(Arc::clone(&clock), config.periods.tolerance()));
        let steady = steady.map(Arc::new);
        let clock = steady.clone().map_or(clock, |steady| steady as Arc<dyn Clock>);
        let signing = Arc::new(signing);
        let equipment = Equipment {
            store: store.clone(),
            clock: Arc::clone(&clock),
            ledger: config.ledger,
            signing: Arc::clone(&signing),
            verifier: circuits::Verifier::new(&key),
            metrics: metrics.clone(),
        };
        let claims = Claims::start(equipment, config.claims, rng);
        let app = Arc::new(App {
            store,
            clock,
            ledger: config.ledger,
            signing,
            claims: claims.clone(),
            verifying_key: key.hash(),
            verifying_key_bytes: key.to_bytes(),
            set: Arc::new(PublishedSet::new(&config)),
            overviews: Overviews::default(),
            operator: config.operator_token.clone(),
            metrics,
        });
        let service_key = app.key();
        let listening = Listening::start(config.bind, routes::router(Arc::clone(&app))).await?;
        tracing::info!(addr = %listening.addr(), ledger = %config.ledger, "listening");
        let worker = steady.map(|clock| Worker::start(app, clock, config.periods));
        Ok(Self { listening, worker, service_key, claims })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.listening.addr()
    }

    /// The key that signs receipts and statements.
    pub fn service_key(&self) -> ServiceKey {
        self.service_key
    }

    /// Where claims are taken, without HTTP in front: for programs that measure.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Takes no more requests and begins no steps, and returns when those under way are done, or after ten seconds.
    pub async fn shutdown(self) {
        let worker = async {
            if let Some(worker) = self.worker {
                worker.shutdown().await;
            }
        };
        tokio::join!(self.listening.shutdown(), worker);
    }
}
