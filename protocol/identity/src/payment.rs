//! Payments between people: what an account's owner signs, the receipt for it, and the link that asks for it.
//!
//! ```text
//! "unum/payment/v1" ‖ 0x00 ‖ ledger (16) ‖ from (32) ‖ to (32) ‖ amount (u128) ‖ key (16) ‖ deadline (u64)
//! ```
//! Integers are big-endian. The account *is* the Ed25519 key that signs: nobody has to be asked whose it is. The key of
//! the payment makes it one: the same order twice moves money once.
//!
//! What a payment is for is not in it, because the ledger is public: that stands in the request ([`PaymentRequest`]), which
//! only the two see. Knows no ledger.

mod memo;
mod request;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::bytes::{
    AccountId, AccountSignature, EntryHash, LedgerId, PaymentKey, ServiceKey, ServiceSignature,
};
use crate::claim::Amount;
use crate::signed::{self, SignatureError, Statement};
use crate::time::UnixTime;

pub use memo::{Memo, MemoError};
pub use request::{PaymentRequest, PaymentRequestError};

/// Money from one wallet to another, as its payer wants it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Payment {
    /// The ledger that may move it.
    pub ledger: LedgerId,
    /// Who pays, and signs.
    pub from: AccountId,
    /// Who is paid.
    pub to: AccountId,
    /// How much, in minor units.
    pub amount: Amount,
    /// The payer's name for it: the same payment again moves nothing.
    pub idempotency_key: PaymentKey,
    /// After this moment it is void.
    pub deadline: UnixTime,
}

impl Statement for Payment {
    const DOMAIN: &'static str = "unum/payment/v1";

    fn to_bytes(&self) -> Vec<u8> {
        [
            &self.ledger.0[..],
            &self.from.0,
            &self.to.0,
            &self.amount.minor().to_be_bytes(),
            &self.idempotency_key.0,
            &self.deadline.0.to_be_bytes(),
        ]
        .concat()
    }
}

impl Payment {
    /// The receipt for it.
    pub fn receipt(&self, ledger_sequence: u64, entry_hash: EntryHash, paid_at: UnixTime) -> PaymentReceipt {
        PaymentReceipt {
            idempotency_key: self.idempotency_key,
            from: self.from,
            to: self.to,
            amount: self.amount,
            ledger_sequence,
            entry_hash,
            paid_at,
        }
    }
}

/// A payment with its payer's signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedPayment {
    /// What is wanted.
    pub payment: Payment,
    /// Ed25519 by the key `from`.
    pub signature: AccountSignature,
}

impl SignedPayment {
    /// Signs a payment. It holds only if `key` is that of the account `from`.
    pub fn new(payment: Payment, key: &SigningKey) -> Self {
        let signature = AccountSignature(key.sign(&signed::message(&payment)).to_bytes());
        Self { payment, signature }
    }

    /// Whether the payer signed it; refuses weak keys and non-canonical signatures.
    ///
    /// # Errors
    ///
    /// [`SignatureError`] if not.
    pub fn verify(&self) -> Result<(), SignatureError> {
        let (key, signature) = (ServiceKey(self.payment.from.0), ServiceSignature(self.signature.0));
        signed::verify(&key, &signed::message(&self.payment), &signature)
    }
}

/// The ledger's word that a payment was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentReceipt {
    /// The payer's name for it.
    pub idempotency_key: PaymentKey,
    /// Who paid.
    pub from: AccountId,
    /// Who was paid.
    pub to: AccountId,
    /// How much.
    pub amount: Amount,
    /// The entry's place in the ledger.
    pub ledger_sequence: u64,
    /// Hash of that entry, which covers all before it.
    pub entry_hash: EntryHash,
    /// When it was committed.
    pub paid_at: UnixTime,
}

impl Statement for PaymentReceipt {
    const DOMAIN: &'static str = "unum/payment-receipt/v1";

    fn to_bytes(&self) -> Vec<u8> {
        [
            &self.idempotency_key.0[..],
            &self.from.0,
            &self.to.0,
            &self.amount.minor().to_be_bytes(),
            &self.ledger_sequence.to_be_bytes(),
            &self.entry_hash.0,
            &self.paid_at.0.to_be_bytes(),
        ]
        .concat()
    }
}

impl AccountId {
    /// Whether this is a key that can sign: the canonical encoding of a point that is not weak. What is paid to anything
    /// else is lost, and half of all mistyped accounts are nothing else.
    pub fn can_sign(&self) -> bool {
        VerifyingKey::from_bytes(&self.0)
            .is_ok_and(|key| !key.is_weak() && key.to_edwards().compress().to_bytes() == self.0)
    }
}

#[cfg(test)]
mod tests;
