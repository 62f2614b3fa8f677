//! The payment that is signed and has no answer yet, in a file beside the vault.
//!
//! It is written before the payment is sent and goes away with the answer, so that whoever lost the answer, or the power,
//! sends the same payment again and not another one. There is one at most: what became of it decides what there is to pay
//! with. Not encrypted: all of it stands on the public ledger, once it is paid.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::PathBuf;

use unum_identity::payment::SignedPayment;

use crate::Vault;
use crate::vault::write_new;

/// Where the payment waits.
#[derive(Clone, Debug)]
pub struct Outbox {
    path: PathBuf,
}

/// Why the outbox cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutboxError {
    /// Another payment has no answer yet: send that one again first.
    #[error("another payment waits for its answer in {path}")]
    Taken {
        /// Which file.
        path: PathBuf,
    },
    /// The file cannot be read, written or removed.
    #[error("cannot read, write or remove {path}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else. Look at the account's statement before removing it.
    #[error("{path} holds no payment")]
    Malformed {
        /// Which file.
        path: PathBuf,
    },
}

impl Outbox {
    /// The one that belongs to a vault: its file's name and `.payment`.
    pub fn beside(vault: &Vault) -> Self {
        let mut name = OsString::from(vault.path());
        name.push(".payment");
        Self { path: name.into() }
    }

    /// What waits, if anything does.
    ///
    /// # Errors
    ///
    /// [`OutboxError::Io`] or [`OutboxError::Malformed`].
    pub fn waiting(&self) -> Result<Option<SignedPayment>, OutboxError> {
        match fs::read(&self.path) {
            Ok(text) => serde_json::from_slice(&text)
                .map(Some)
                .map_err(|_| OutboxError::Malformed { path: self.path.clone() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(self.failed(source)),
        }
    }

    /// Keeps a payment before it is sent.
    ///
    /// # Errors
    ///
    /// [`OutboxError::Taken`] or [`OutboxError::Io`]; then it must not be sent.
    pub fn keep(&self, payment: &SignedPayment) -> Result<(), OutboxError> {
        let text = serde_json::to_vec_pretty(payment).map_err(|error| self.failed(error.into()))?;
        write_new(&self.path, &text).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => OutboxError::Taken { path: self.path.clone() },
            _ => self.failed(error),
        })
    }

    /// Forgets the payment: its answer is here.
    ///
    /// # Errors
    ///
    /// [`OutboxError::Io`].
    pub fn clear(&self) -> Result<(), OutboxError> {
        fs::remove_file(&self.path).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> OutboxError {
        OutboxError::Io { path: self.path.clone(), source }
    }
}

#[cfg(test)]
mod tests {
    use rand_core::UnwrapErr;
    use unum_identity::bytes::{AccountId, LedgerId, PaymentKey};
    use unum_identity::claim::Amount;
    use unum_identity::payment::PaymentRequest;
    use unum_identity::time::UnixTime;

    use super::*;
    use crate::Wallet;

    fn payment(minor: u128) -> SignedPayment {
        let wallet = Wallet::generate(&mut UnwrapErr(getrandom::SysRng));
        let amount = Amount::new(minor).unwrap();
        let request = PaymentRequest {
            ledger: LedgerId([1; 16]),
            to: AccountId([2; 32]),
            amount,
            key: None,
            memo: None,
        };
        wallet.pay(&request, PaymentKey([3; 16]), UnixTime(4))
    }

    #[test]
    fn one_payment_waits_until_its_answer_is_here() {
        let place = tempfile::tempdir().unwrap();
        let vault = Vault::at(place.path().join("wallet"));
        let outbox = Outbox::beside(&vault);
        assert_eq!(outbox.waiting().unwrap(), None);
        let first = payment(5);
        assert_eq!(first.verify(), Ok(()));
        outbox.keep(&first).unwrap();
        assert!(matches!(outbox.keep(&payment(6)), Err(OutboxError::Taken { .. })));
        assert_eq!(Outbox::beside(&vault).waiting().unwrap(), Some(first), "another run finds it");
        outbox.clear().unwrap();
        assert_eq!(outbox.waiting().unwrap(), None);
        assert!(matches!(outbox.clear(), Err(OutboxError::Io { .. })));
    }

    #[test]
    fn what_is_no_payment_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let vault = Vault::at(place.path().join("wallet"));
        fs::write(place.path().join("wallet.payment"), "{}").unwrap();
        assert!(matches!(Outbox::beside(&vault).waiting(), Err(OutboxError::Malformed { .. })));
        assert!(matches!(Outbox::beside(&vault).keep(&payment(5)), Err(OutboxError::Taken { .. })));
    }
}
