//! What every request shares.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use service::{Metrics, Operated, OperatorToken};
use unum_identity::bytes::{KeyHash, LedgerId, ServiceKey};
use unum_identity::signed::service_key;
use unum_identity::time::{Clock, UnixTime};

use crate::claim::Claims;
use crate::eligible::PublishedSet;
use crate::overview::Overviews;
use crate::store::Store;

/// The server's parts.
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ledger: LedgerId,
    /// Signs receipts and statements.
    pub(crate) signing: Arc<SigningKey>,
    pub(crate) claims: Claims,
    /// Of the key that claims are checked with.
    pub(crate) verifying_key: KeyHash,
    /// The key itself: whoever audits wants it.
    pub(crate) verifying_key_bytes: Vec<u8>,
    pub(crate) set: Arc<PublishedSet>,
    pub(crate) overviews: Overviews,
    pub(crate) operator: OperatorToken,
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

impl Operated for App {
    fn operator_token(&self) -> &OperatorToken {
        &self.operator
    }
}
