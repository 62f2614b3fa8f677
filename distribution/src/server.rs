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
use crate::routes;
use crate::store::{SCHEMA, Store, StoreError, chain, ledger};

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
        Self::Database(chain(&error))
    }
}

/// A running server. Stops at once when dropped; [`Server::shutdown`] finishes what is under way.
#[derive(Debug)]
pub struct Server {
    listening: Listening,
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
            Store::open(&config.database_url, &SCHEMA, config.startup_wait(), metrics.clone()).await?;
        let configured = config.ledger;
        let open = store.run_tx("open_ledger", |tx| async move { ledger::open(&tx, configured).await });
        let found = open.await?;
        if found != configured {
            return Err(StartError::OtherLedger { found, configured });
        }
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
            set: Arc::new(PublishedSet::new(&config)),
            overviews: Overviews::default(),
            operator: config.operator_token.clone(),
            metrics,
        });
        let service_key = app.key();
        let listening = Listening::start(config.bind, routes::router(app)).await?;
        tracing::info!(addr = %listening.addr(), ledger = %config.ledger, "listening");
        Ok(Self { listening, service_key, claims })
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

    /// Takes no more requests, and returns when those under way are answered, or after ten seconds.
    pub async fn shutdown(self) {
        self.listening.shutdown().await;
    }
}
