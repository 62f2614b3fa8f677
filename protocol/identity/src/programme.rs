//! Bodies of the distribution: programmes, their periods, deposits, and the sealed statement of a period.

mod length;
mod policy;
mod terms;

use serde::{Deserialize, Serialize};

use crate::action::Period;
use crate::bytes::{EntryHash, KeyHash, LedgerId, NullifierSetHash, ProgrammeId, ServiceKey};
use crate::claim::Amount;
use crate::field::Root;
use crate::signed::Statement;
use crate::time::UnixTime;

pub use length::Length;
pub use policy::{Policy, RATE_PARTS, Share};
pub use terms::{DEFAULT_CLAIM_WINDOW, ProgrammeTerms};

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
    /// What a claim would be paid now, if the state is `open`. Of an accrual it grows by the hour: a person claims once,
    /// and whoever claims early has had what there was.
    pub amount: Amount,
    /// What a claim can be paid at most: what was put aside for each person. Before the period is funded: the most that
    /// may become of it.
    pub most: Amount,
    /// The money that the period waits for, if it cannot be funded now.
    pub waits_for: Option<Shortage>,
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

/// Everyone's share is more than the pool holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Shortage {
    /// How many people may claim.
    pub people: u64,
    /// What has to be put aside for them.
    pub need: Amount,
    /// What the pool holds.
    pub pool: Amount,
}

impl std::fmt::Display for Shortage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} people need {}, the pool holds {}", self.people, self.need, self.pool)
    }
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
///
/// It speaks of the ledger's chain from its first entry to [`PeriodStatement::ledger_sequence`]. What was promised stands in
/// the programme's id, a hash of all terms.
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
    /// What was put aside for each person: the most that a claim was paid.
    pub amount: Amount,
    /// Claims that were paid.
    pub claims: u64,
    /// Their sum, fees included.
    pub paid: Amount,
    /// What nobody claimed, back in the pool.
    pub expired: Amount,
    /// Hash of the nullifiers of those claims.
    pub nullifiers: NullifierSetHash,
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
            &self.nullifiers.0,
            &self.ledger_sequence.to_be_bytes(),
            &self.chain_head.0,
            &self.verifying_key.0,
            &self.sealed_at.0.to_be_bytes(),
        ]
        .concat()
    }
}
