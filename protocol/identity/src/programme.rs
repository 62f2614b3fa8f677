//! Bodies of the distribution: programmes, their periods, deposits, and the sealed statement of a period.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::action::Period;
use crate::bytes::{EntryHash, KeyHash, LedgerId, ProgrammeId, ServiceKey};
use crate::claim::Amount;
use crate::field::Root;
use crate::signed::Statement;
use crate::time::UnixTime;

/// Periods during which a share can be claimed, its own first, unless a programme says otherwise: this period and
/// the next, so that a wallet that sleeps through one boundary loses nothing.
pub const DEFAULT_CLAIM_WINDOW: u64 = 2;

/// How much each person gets in a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Policy {
    /// The same amount for everyone, in every period.
    Fixed {
        /// Minor units a person and period.
        amount: Amount,
    },
}

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
    /// Length of a period.
    pub period_seconds: u64,
    /// Periods during which a share can be claimed, its own first.
    #[serde(default = "default_claim_window")]
    pub claim_window: u64,
}

fn default_claim_window() -> u64 {
    DEFAULT_CLAIM_WINDOW
}

impl ProgrammeTerms {
    /// First 16 bytes of SHA-256 over `"unum/programme/v1" ‖ ledger ‖ every term`, texts preceded by their length
    /// as `u32`, integers big-endian.
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
        }
        for number in [self.starts_at.0, self.period_seconds, self.claim_window] {
            hash.update(number.to_be_bytes());
        }
        ProgrammeId(hash.finalize()[..16].try_into().expect("a SHA-256 digest has 32 bytes"))
    }

    /// From when a period's share can be claimed.
    pub fn opens_at(&self, period: Period) -> UnixTime {
        self.starts_at.plus(Duration::from_secs(self.period_seconds.saturating_mul(period.0)))
    }

    /// The first moment at which a period's share can no longer be claimed.
    pub fn closes_at(&self, period: Period) -> UnixTime {
        self.opens_at(Period(period.0.saturating_add(self.claim_window)))
    }

    /// The period that runs at `now`; none before the programme starts.
    pub fn period_at(&self, now: UnixTime) -> Option<Period> {
        let elapsed = now.0.checked_sub(self.starts_at.0)?;
        elapsed.checked_div(self.period_seconds).map(Period)
    }
}

/// A programme, as anyone may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProgrammeView {
    /// Its id ([`ProgrammeTerms::id`]).
    pub id: ProgrammeId,
    /// What it promises.
    pub terms: ProgrammeTerms,
    /// The ledger that pays it; claims name it.
    pub ledger: LedgerId,
    /// Key that signs its receipts and statements.
    pub key: ServiceKey,
    /// Verifying key under which claims are checked.
    pub verifying_key: KeyHash,
    /// What the pool holds, beyond what open periods have reserved.
    pub pool: Amount,
    /// The period that runs now.
    pub current: Option<Period>,
    /// Periods whose share can be claimed now, oldest first.
    pub claimable: Vec<Period>,
}

/// Where a period stands. Only ever moves to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum PeriodState {
    /// Nothing has happened.
    Planned,
    /// The people who may claim are frozen: a root and a count.
    Snapshot,
    /// Everyone's share is reserved.
    Funded,
    /// Claims are paid.
    Open,
    /// Claims are no longer paid; what nobody claimed is back in the pool.
    Closed,
    /// A signed statement says how it went.
    Sealed,
}

impl PeriodState {
    /// Every state, first to last.
    pub const ALL: [Self; 6] =
        [Self::Planned, Self::Snapshot, Self::Funded, Self::Open, Self::Closed, Self::Sealed];

    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Snapshot => "snapshot",
            Self::Funded => "funded",
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Sealed => "sealed",
        }
    }
}

impl std::fmt::Display for PeriodState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The people who may claim in a period, frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EligibleSet {
    /// Root that every claim proves membership under.
    pub root: Root,
    /// Leaves under it: ask for paths at this size of the set.
    pub size: u64,
    /// Leaves that are people: all but the removed ones.
    pub people: u64,
}

/// One period, as anyone may see it: all that a wallet needs for a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PeriodView {
    /// The programme.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub programme: ProgrammeId,
    /// The period.
    pub period: Period,
    /// Where it stands.
    pub state: PeriodState,
    /// Who may claim; none while planned.
    pub set: Option<EligibleSet>,
    /// Each person's share.
    pub amount: Amount,
    /// Claims are paid from here on, if the state is `open` …
    pub opens_at: UnixTime,
    /// … and until just before.
    pub closes_at: UnixTime,
    /// What is still reserved for those who have not claimed.
    pub reserve: Amount,
    /// The ledger that pays; the claim's terms name it.
    pub ledger: LedgerId,
    /// Key that signs receipts.
    pub key: ServiceKey,
    /// Verifying key under which claims are checked.
    pub verifying_key: KeyHash,
}

/// Someone puts money into a programme's pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DepositRequest {
    /// Chosen by the sender, once a deposit: the same key again changes nothing. 1 to 64 of `a-z 0-9 . _ -`.
    pub idempotency_key: String,
    /// Where the money comes from: 1 to 64 of `a-z 0-9 . _ -`.
    pub source: String,
    /// How much.
    pub amount: Amount,
}

/// A deposit that is booked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Deposit {
    /// Which programme.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub programme: ProgrammeId,
    /// The sender's key for it.
    pub idempotency_key: String,
    /// Where the money came from.
    pub source: String,
    /// How much.
    pub amount: Amount,
    /// The transfer's place in the ledger.
    pub ledger_sequence: u64,
    /// Hash of that entry.
    pub entry_hash: EntryHash,
}

/// How a period went: what was reserved is what was paid and returned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PeriodStatement {
    /// The programme.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub programme: ProgrammeId,
    /// The period.
    pub period: Period,
    /// The ledger that paid.
    pub ledger: LedgerId,
    /// Who could claim.
    pub set: EligibleSet,
    /// Each person's share.
    pub amount: Amount,
    /// Claims that were paid.
    pub claims: u64,
    /// Their sum, fees included.
    pub paid: Amount,
    /// What nobody claimed, back in the pool.
    pub expired: Amount,
    /// Newest entry of the ledger when the statement was made.
    pub ledger_sequence: u64,
    /// Its hash.
    pub chain_head: EntryHash,
    /// Verifying key under which the claims were checked.
    pub verifying_key: KeyHash,
    /// When the statement was made.
    pub sealed_at: UnixTime,
}

impl Statement for PeriodStatement {
    const DOMAIN: &'static str = "unum/period-statement/v1";

    fn to_bytes(&self) -> Vec<u8> {
        [
            &self.programme.0[..],
            &self.period.0.to_be_bytes(),
            &self.ledger.0,
            &self.set.root.to_be_bytes(),
            &self.set.size.to_be_bytes(),
            &self.set.people.to_be_bytes(),
            &self.amount.minor().to_be_bytes(),
            &self.claims.to_be_bytes(),
            &self.paid.minor().to_be_bytes(),
            &self.expired.minor().to_be_bytes(),
            &self.ledger_sequence.to_be_bytes(),
            &self.chain_head.0,
            &self.verifying_key.0,
            &self.sealed_at.0.to_be_bytes(),
        ]
        .concat()
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
            period_seconds: 100,
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
    }

    #[test]
    fn every_term_is_in_the_id() {
        let ledger = LedgerId([7; 16]);
        let changed: [fn(&mut ProgrammeTerms); 7] = [
            |t| t.name.push('x'),
            |t| t.unit.push('x'),
            |t| t.minor_digits += 1,
            |t| t.policy = Policy::Fixed { amount: Amount::ZERO },
            |t| t.starts_at.0 += 1,
            |t| t.period_seconds += 1,
            |t| t.claim_window += 1,
        ];
        let mut ids = vec![terms().id(&ledger), terms().id(&LedgerId([8; 16]))];
        ids.extend(changed.map(|change| {
            let mut terms = terms();
            change(&mut terms);
            terms.id(&ledger)
        }));
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 9);
    }

    #[test]
    fn the_default_window_is_this_period_and_the_next() {
        let json = r#"{"name":"basic","unit":"UNM","minor_digits":2,"policy":{"kind":"fixed","amount":"1000"},
            "starts_at":1000,"period_seconds":100}"#;
        assert_eq!(serde_json::from_str::<ProgrammeTerms>(json).unwrap(), terms());
    }
}
