//! What every request shares.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;
use unum_identity::bytes::{KeyHash, LedgerId, ServiceKey};
use unum_identity::signed::service_key;
use unum_identity::time::{Clock, UnixTime};

use crate::config::OperatorToken;
use crate::eligible::PublishedSet;
use crate::metrics::Metrics;
use crate::store::Store;

/// The server's parts.
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ledger: LedgerId,
    /// Signs receipts and statements.
    pub(crate) signing: SigningKey,
    pub(crate) verifier: Arc<circuits::Verifier>,
    /// Of the key that the verifier holds.
    pub(crate) verifying_key: KeyHash,
    /// As many proofs are checked at once as there are cores.
    pub(crate) cores: Arc<Semaphore>,
    pub(crate) set: Arc<PublishedSet>,
    pub(crate) operator: OperatorDigest,
    pub(crate) metrics: Metrics,
}

impl App {
    pub(crate) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    pub(crate) fn key(&self) -> ServiceKey {
        service_key(&self.signing)
    }
}

/// SHA-256 of the operators' token: compared instead of the token, in constant time and whatever its length.
pub(crate) struct OperatorDigest([u8; 32]);

impl OperatorDigest {
    pub(crate) fn of(token: &OperatorToken) -> Self {
        Self(Sha256::digest(token.expose()).into())
    }

    pub(crate) fn admits(&self, token: &str) -> bool {
        Sha256::digest(token).as_slice().ct_eq(&self.0).into()
    }
}
