//! What a programme promises, its id, and when its periods can be claimed.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Length, Policy, Share};
use crate::action::Period;
use crate::bytes::{LedgerId, ProgrammeId};
use crate::claim::Amount;
use crate::time::UnixTime;

/// Periods during which a share can be claimed, its own first, unless a programme says otherwise: this period and
/// the next, so that a wallet that sleeps through one boundary loses nothing.
pub const DEFAULT_CLAIM_WINDOW: u64 = 2;

/// What a programme promises. Its id is a hash of these, so that they cannot change under a claimant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProgrammeTerms {
    /// What people call it; no two programmes of a ledger share a name.
    pub name: String,
    /// What is paid, such as `EUR`.
    pub unit: String,
    /// Decimal digits of the unit that its minor unit stands for: 2 for cents.
    pub minor_digits: u8,
    /// How much each person gets.
    pub policy: Policy,
    /// When period 0 starts.
    pub starts_at: UnixTime,
    /// How long each period is.
    pub length: Length,
    /// Periods during which a share can be claimed, its own first.
    #[serde(default = "default_claim_window")]
    pub claim_window: u64,
}

fn default_claim_window() -> u64 {
    DEFAULT_CLAIM_WINDOW
}

impl ProgrammeTerms {
    /// First 16 bytes of SHA-256 over
    ///
    /// ```text
    /// "unum/programme/v1" ‖ ledger (16) ‖ name ‖ unit ‖ minor digits (u8) ‖ policy
    ///  ‖ start (u64) ‖ seconds of a period (u64, 0 for calendar months) ‖ claim window (u64)
    ///
    /// policy   0 ‖ amount (u128)
    ///          1 ‖ rate (u32) ‖ floor (u128) ‖ cap (u128)
    ///          2 ‖ per hour (u128) ‖ days (u32)
    /// ```
    /// Texts are preceded by their length as `u32`, integers are big-endian.
    pub fn id(&self, ledger: &LedgerId) -> ProgrammeId {
        let mut hash = Sha256::new().chain_update(b"unum/programme/v1").chain_update(ledger.0);
        for text in [&self.name, &self.unit] {
            hash.update((text.len() as u32).to_be_bytes());
            hash.update(text);
        }
        hash.update([self.minor_digits]);
        match &self.policy {
            Policy::Fixed { amount } => {
                hash.update([0]);
                hash.update(amount.minor().to_be_bytes());
            }
            Policy::PoolShare { rate_ppm, floor, cap } => {
                hash.update([1]);
                hash.update(rate_ppm.to_be_bytes());
                hash.update(floor.minor().to_be_bytes());
                hash.update(cap.minor().to_be_bytes());
            }
            Policy::Accrual { per_hour, cap_days } => {
                hash.update([2]);
                hash.update(per_hour.minor().to_be_bytes());
                hash.update(cap_days.to_be_bytes());
            }
        }
        let seconds = match self.length {
            Length::Seconds { seconds } => seconds,
            Length::CalendarMonth {} => 0,
        };
        for number in [self.starts_at.0, seconds, self.claim_window] {
            hash.update(number.to_be_bytes());
        }
        ProgrammeId(hash.finalize()[..16].try_into().expect("a SHA-256 digest has 32 bytes"))
    }

    /// From when a period's share can be claimed.
    pub fn opens_at(&self, period: Period) -> UnixTime {
        self.length.start(self.starts_at, period)
    }

    /// The first moment at which a period's share can no longer be claimed.
    pub fn closes_at(&self, period: Period) -> UnixTime {
        self.opens_at(Period(period.0.saturating_add(self.claim_window)))
    }

    /// The period that runs at `now`; none before the programme starts.
    pub fn period_at(&self, now: UnixTime) -> Option<Period> {
        self.length.period_at(self.starts_at, now)
    }

    /// Periods whose share could be claimed at `now`, oldest first: those that have opened, and not closed.
    pub fn claimable_at(&self, now: UnixTime) -> impl Iterator<Item = Period> + use<> {
        let after = self.period_at(now).map_or(0, |last| last.0.saturating_add(1));
        (after.saturating_sub(self.claim_window)..after).map(Period)
    }

    /// What a claim of `period` is paid, if that is `most` at most.
    pub fn share(&self, period: Period, most: Amount) -> Share {
        Share { policy: self.policy.clone(), most, opens_at: self.opens_at(period) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> ProgrammeTerms {
        ProgrammeTerms {
            name: "basic".into(),
            unit: "UNM".into(),
            minor_digits: 2,
            policy: Policy::Fixed { amount: Amount::new(1000).unwrap() },
            starts_at: UnixTime(1_000),
            length: Length::Seconds { seconds: 100 },
            claim_window: 2,
        }
    }

    #[test]
    fn a_share_can_be_claimed_in_its_period_and_the_next() {
        let terms = terms();
        assert_eq!(terms.opens_at(Period(3)), UnixTime(1_300));
        assert_eq!(terms.closes_at(Period(3)), UnixTime(1_500));
        assert_eq!(terms.period_at(UnixTime(999)), None);
        assert_eq!(terms.period_at(UnixTime(1_000)), Some(Period(0)));
        assert_eq!(terms.period_at(UnixTime(1_499)), Some(Period(4)));
        let claimable = |now| terms.claimable_at(UnixTime(now)).map(|period| period.0).collect::<Vec<_>>();
        assert!(claimable(999).is_empty());
        assert_eq!(claimable(1_000), [0]);
        assert_eq!(claimable(1_499), [3, 4]);
        assert_eq!(claimable(1_500), [4, 5]);
    }

    #[test]
    fn every_term_is_in_the_id() {
        let ledger = LedgerId([7; 16]);
        let amount = |minor| Amount::new(minor).unwrap();
        let changed: [fn(&mut ProgrammeTerms); 7] = [
            |t| t.name.push('x'),
            |t| t.unit.push('x'),
            |t| t.minor_digits += 1,
            |t| t.policy = Policy::Fixed { amount: Amount::ZERO },
            |t| t.starts_at.0 += 1,
            |t| t.length = Length::Seconds { seconds: 101 },
            |t| t.claim_window += 1,
        ];
        let pool =
            |rate_ppm, floor, cap| Policy::PoolShare { rate_ppm, floor: amount(floor), cap: amount(cap) };
        let accrual = |per_hour, cap_days| Policy::Accrual { per_hour: amount(per_hour), cap_days };
        let policies =
            [pool(1, 2, 3), pool(9, 2, 3), pool(1, 9, 3), pool(1, 2, 9), accrual(1, 2), accrual(9, 2)];
        let mut ids = vec![terms().id(&ledger), terms().id(&LedgerId([8; 16]))];
        ids.extend(policies.map(|policy| ProgrammeTerms { policy, ..terms() }.id(&ledger)));
        ids.push(ProgrammeTerms { policy: accrual(1, 9), ..terms() }.id(&ledger));
        ids.push(ProgrammeTerms { length: Length::CalendarMonth {}, ..terms() }.id(&ledger));
        ids.extend(changed.map(|change| {
            let mut terms = terms();
            change(&mut terms);
            terms.id(&ledger)
        }));
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 17);
    }

    #[test]
    fn ids_are_those_of_the_table() {
        // Computed from the table at `ProgrammeTerms::id` with Python's hashlib. The first is as old as programmes are.
        let ledger = LedgerId([7; 16]);
        assert_eq!(terms().id(&ledger).to_string(), "bbd63b0e6ea50fc891bea147c11b91e4");
        let policy = Policy::PoolShare {
            rate_ppm: 20_000,
            floor: Amount::new(5).unwrap(),
            cap: Amount::new(500).unwrap(),
        };
        let shared = ProgrammeTerms { policy, length: Length::CalendarMonth {}, ..terms() };
        assert_eq!(shared.id(&ledger).to_string(), "31f1d4ad35d42366bd45eba4e20fcd25");
        let policy = Policy::Accrual { per_hour: Amount::new(3).unwrap(), cap_days: 7 };
        assert_eq!(
            ProgrammeTerms { policy, ..terms() }.id(&ledger).to_string(),
            "f265d3f4aa016ebd47f9af136f8aa4f1"
        );
    }

    #[test]
    fn the_default_window_is_this_period_and_the_next() {
        let json = r#"{"name":"basic","unit":"UNM","minor_digits":2,"policy":{"kind":"fixed","amount":"1000"},
            "starts_at":1000,"length":{"kind":"seconds","seconds":100}}"#;
        assert_eq!(serde_json::from_str::<ProgrammeTerms>(json).unwrap(), terms());
    }
}
