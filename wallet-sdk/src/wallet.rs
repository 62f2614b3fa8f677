//! What a wallet holds: the secret that makes its owner a person here, and the key of the account that is paid.
//!
//! The two are independent: an account is public on the ledger, and nothing may lead from it to the secret.

use std::fmt;

use ed25519_dalek::SigningKey;
use rand_core::CryptoRng;
use unum_identity::bytes::{AccountId, PaymentKey};
use unum_identity::field::Commitment;
use unum_identity::payment::{Payment, PaymentRequest, SignedPayment};
use unum_identity::secret::{Identity, Secret};
use unum_identity::time::UnixTime;
use zeroize::Zeroizing;

/// Bytes of a wallet: secret (32) ‖ account key (32).
pub(crate) const LEN: usize = 64;

/// A person's secret and account key. Both wipe themselves.
pub struct Wallet {
    secret: Secret,
    account: SigningKey,
}

impl Wallet {
    /// A new wallet.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self { secret: Secret::generate(rng), account: SigningKey::generate(rng) }
    }

    /// The private identity, for proofs.
    pub fn identity(&self) -> Identity {
        self.secret.identity()
    }

    /// The public commitment, for the device that enrolls.
    pub fn commitment(&self) -> Commitment {
        self.identity().commitment()
    }

    /// Where shares are paid.
    pub fn account(&self) -> AccountId {
        AccountId(self.account.verifying_key().to_bytes())
    }

    /// Signs a payment of what is asked for. `key` is what makes it one: the request's, or one that was drawn for it.
    pub fn pay(&self, request: &PaymentRequest, key: PaymentKey, deadline: UnixTime) -> SignedPayment {
        let payment = Payment {
            ledger: request.ledger,
            from: self.account(),
            to: request.to,
            amount: request.amount,
            idempotency_key: key,
            deadline,
        };
        SignedPayment::new(payment, &self.account)
    }

    /// The bytes to encrypt.
    pub(crate) fn to_bytes(&self) -> Zeroizing<[u8; LEN]> {
        let mut bytes = Zeroizing::new([0; LEN]);
        bytes[..32].copy_from_slice(self.secret.expose());
        bytes[32..].copy_from_slice(self.account.as_bytes());
        bytes
    }

    /// Reads what was decrypted.
    pub(crate) fn from_bytes(bytes: &[u8; LEN]) -> Self {
        let half = |from: usize| {
            let mut half = Zeroizing::new([0; 32]);
            half.copy_from_slice(&bytes[from..from + 32]);
            half
        };
        Self { secret: Secret::from_bytes(*half(0)), account: SigningKey::from_bytes(&half(32)) }
    }
}

impl fmt::Debug for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wallet")
    }
}
