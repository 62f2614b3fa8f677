//! Payments: an entry that takes money out of a wallet stands on its owner's signature, once.

use std::collections::HashSet;

use unum_identity::bytes::{AccountId, EntryHash, PaymentKey};
use unum_identity::payment::{PaymentReceipt, SignedPayment};
use unum_identity::signed::Signed;

use crate::ledger::entry::{Cause, Draft, Entry};

/// A payment that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidPayment {
    /// What its payer signed.
    pub order: SignedPayment,
    /// What its payer got for an answer.
    pub receipt: Signed<PaymentReceipt>,
}

/// The payments that were made: whoever keeps an order could book it again.
#[derive(Debug, Default)]
pub(super) struct Payments(HashSet<(AccountId, PaymentKey)>);

impl Payments {
    /// Follows the next entry. `true` if it makes the payment that is kept beside it, for the first time, in time, signed by
    /// its payer and confirmed by us; or is no payment, and has none.
    pub(super) fn follow(&mut self, entry: &Entry, hash: EntryHash, paid: Option<&PaidPayment>) -> bool {
        match (&entry.cause, paid) {
            (Cause::Payment { from, key }, Some(paid)) => {
                self.0.insert((*from, *key)) && makes(entry, hash, paid)
            }
            (Cause::Payment { .. }, None) | (_, Some(_)) => false,
            (_, None) => true,
        }
    }
}

fn makes(entry: &Entry, hash: EntryHash, PaidPayment { order, receipt }: &PaidPayment) -> bool {
    let payment = &order.payment;
    let draft = Draft::payment(payment.from, payment.to, payment.idempotency_key, payment.amount);
    order.verify().is_ok()
        && payment.ledger == entry.ledger
        && entry.at <= payment.deadline
        && draft.is_some_and(|draft| entry.books(&draft))
        && receipt.verify(&receipt.key) == Ok(&payment.receipt(entry.sequence, hash, entry.at))
}
