//! Deposits, and that each is taken back once at most, as it was booked.

use std::collections::BTreeMap;

use crate::ledger::entry::{Cause, Draft, Entry};

/// The deposits that stand, by place.
#[derive(Debug, Default)]
pub(super) struct Deposits(BTreeMap<u64, Entry>);

impl Deposits {
    /// Follows the next entry. `false` if it takes back anything but a deposit that stands, or not just that.
    pub(super) fn follow(&mut self, entry: &Entry) -> bool {
        match &entry.cause {
            Cause::Deposit { .. } => {
                self.0.insert(entry.sequence, entry.clone());
                true
            }
            Cause::Reversal { reversed, reason, .. } => {
                let deposit = self.0.remove(reversed);
                let reversal = deposit.and_then(|deposit| Draft::reversal(&deposit, reason.clone()));
                reversal.is_some_and(|reversal| entry.books(&reversal))
            }
            _ => true,
        }
    }
}
