//! Entries: what moves, why, and the canonical bytes that the chain hashes.
//!
//! ```text
//! "unum/ledger-entry/v1" ‖ ledger (16) ‖ sequence (u64) ‖ previous hash (32) ‖ seconds since 1970 (u64)
//!  ‖ kind (u8) ‖ programme (16) ‖ period (u64, 0 for a deposit) ‖ reference (u16 length, bytes)
//!  ‖ lines (u16) ‖ for each: account's name (u16 length, bytes) ‖ amount (i128)
//! ```
//! Integers are big-endian. `hash = SHA-256` of these.

use sha2::{Digest, Sha256};
use unum_identity::action::Period;
use unum_identity::bytes::{AccountId, EntryHash, LedgerId, ProgrammeId};
use unum_identity::claim::Amount;
use unum_identity::field::Nullifier;
use unum_identity::ledger::Balance;
use unum_identity::time::UnixTime;

use super::account::{Account, Label};

/// Hash that the first entry continues.
pub const GENESIS: EntryHash = EntryHash([0; 32]);

/// Why money moves. Each cause moves money once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Someone paid into a pool.
    Deposit {
        /// Into which.
        programme: ProgrammeId,
        /// The sender's idempotency key.
        key: Label,
    },
    /// Everyone's share of a period was put aside.
    Reserve {
        /// The programme.
        programme: ProgrammeId,
        /// The period.
        period: Period,
    },
    /// A person was paid.
    Claim {
        /// The programme.
        programme: ProgrammeId,
        /// The period.
        period: Period,
        /// The person, for this period only.
        nullifier: Nullifier,
    },
    /// What nobody claimed went back.
    Return {
        /// The programme.
        programme: ProgrammeId,
        /// The period.
        period: Period,
    },
}

impl Cause {
    /// Its name in the database.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Deposit { .. } => "deposit",
            Self::Reserve { .. } => "reserve",
            Self::Claim { .. } => "claim",
            Self::Return { .. } => "return",
        }
    }

    /// The programme whose money moves.
    pub fn programme(&self) -> ProgrammeId {
        match self {
            Self::Deposit { programme, .. }
            | Self::Reserve { programme, .. }
            | Self::Claim { programme, .. }
            | Self::Return { programme, .. } => *programme,
        }
    }

    /// The period, if it concerns one.
    pub fn period(&self) -> Option<Period> {
        match self {
            Self::Deposit { .. } => None,
            Self::Reserve { period, .. } | Self::Claim { period, .. } | Self::Return { period, .. } => {
                Some(*period)
            }
        }
    }

    /// What tells it from others of its kind, programme and period.
    pub fn reference(&self) -> Vec<u8> {
        match self {
            Self::Deposit { key, .. } => key.as_str().as_bytes().to_vec(),
            Self::Claim { nullifier, .. } => nullifier.to_be_bytes().to_vec(),
            Self::Reserve { .. } | Self::Return { .. } => Vec::new(),
        }
    }

    /// The cause with these four parts; none if no cause has them.
    pub fn from_parts(
        kind: &str,
        programme: ProgrammeId,
        period: Option<Period>,
        reference: &[u8],
    ) -> Option<Self> {
        Some(match (kind, period) {
            ("deposit", None) => {
                Self::Deposit { programme, key: std::str::from_utf8(reference).ok()?.parse().ok()? }
            }
            ("reserve", Some(period)) if reference.is_empty() => Self::Reserve { programme, period },
            ("claim", Some(period)) => {
                Self::Claim { programme, period, nullifier: Nullifier::from_be_bytes(reference).ok()? }
            }
            ("return", Some(period)) if reference.is_empty() => Self::Return { programme, period },
            _ => return None,
        })
    }

    fn code(&self) -> u8 {
        match self {
            Self::Deposit { .. } => 0,
            Self::Reserve { .. } => 1,
            Self::Claim { .. } => 2,
            Self::Return { .. } => 3,
        }
    }
}

/// One line of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Whose balance changes.
    pub account: Account,
    /// By how much; never zero.
    pub amount: Balance,
}

/// A movement that has no place in the chain yet. Its lines sum to zero by construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    cause: Cause,
    postings: Vec<Posting>,
}

impl Draft {
    /// Money from outside into a pool.
    pub fn deposit(programme: ProgrammeId, source: Label, key: Label, amount: Amount) -> Self {
        let cause = Cause::Deposit { programme, key };
        Self::new(cause, Account::Funding(source), [(Account::Pool(programme), amount)])
    }

    /// A period's shares out of its pool.
    pub fn reserve(programme: ProgrammeId, period: Period, total: Amount) -> Self {
        let reserve = Account::Reserve(programme, period);
        Self::new(Cause::Reserve { programme, period }, Account::Pool(programme), [(reserve, total)])
    }

    /// One person's share. None if the fee is larger than the share.
    pub fn claim(
        (programme, period): (ProgrammeId, Period),
        nullifier: Nullifier,
        recipient: AccountId,
        share: Amount,
        fee: Amount,
    ) -> Option<Self> {
        let rest = share.checked_sub(fee)?;
        let cause = Cause::Claim { programme, period, nullifier };
        let paid = [(Account::Wallet(recipient), rest), (Account::Fees, fee)];
        Some(Self::new(cause, Account::Reserve(programme, period), paid))
    }

    /// What nobody claimed, back into the pool. None if everyone did.
    pub fn return_rest(programme: ProgrammeId, period: Period, rest: Amount) -> Option<Self> {
        let reserve = Account::Reserve(programme, period);
        let cause = Cause::Return { programme, period };
        (rest > Amount::ZERO).then(|| Self::new(cause, reserve, [(Account::Pool(programme), rest)]))
    }

    /// All that goes anywhere comes from `from`. Lines of nothing are left out.
    fn new<const N: usize>(cause: Cause, from: Account, to: [(Account, Amount); N]) -> Self {
        let lines: Vec<_> = to
            .into_iter()
            .filter(|(_, amount)| *amount > Amount::ZERO)
            .map(|(account, amount)| Posting { account, amount: amount.into() })
            .collect();
        let total: i128 = lines.iter().map(|line| line.amount.minor()).sum();
        let total = Balance::new(-total).expect("what is split was an amount");
        let mut postings = vec![Posting { account: from, amount: total }];
        postings.extend(lines);
        Self { cause, postings }
    }

    /// Gives it its place: after `previous`.
    pub fn place(self, ledger: LedgerId, after: Head, at: UnixTime) -> Entry {
        let Self { cause, postings } = self;
        Entry { ledger, sequence: after.sequence + 1, previous: after.hash, at, cause, postings }
    }
}

/// The end of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Place of the newest entry; 0 before the first.
    pub sequence: u64,
    /// Its hash.
    pub hash: EntryHash,
}

impl Head {
    /// Before the first entry.
    pub const GENESIS: Self = Self { sequence: 0, hash: GENESIS };
}

/// A movement in its place. Never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which ledger.
    pub ledger: LedgerId,
    /// Its place, from 1, without gaps.
    pub sequence: u64,
    /// Hash of the entry before it.
    pub previous: EntryHash,
    /// When it was written.
    pub at: UnixTime,
    /// Why.
    pub cause: Cause,
    /// What moves, in order.
    pub postings: Vec<Posting>,
}

impl Entry {
    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = b"unum/ledger-entry/v1".to_vec();
        out.extend(self.ledger.0);
        out.extend(self.sequence.to_be_bytes());
        out.extend(self.previous.0);
        out.extend(self.at.0.to_be_bytes());
        out.push(self.cause.code());
        out.extend(self.cause.programme().0);
        out.extend(self.cause.period().unwrap_or(Period(0)).0.to_be_bytes());
        put_bytes(&mut out, &self.cause.reference());
        out.extend(short(self.postings.len()));
        for Posting { account, amount } in &self.postings {
            put_bytes(&mut out, account.to_string().as_bytes());
            out.extend(amount.minor().to_be_bytes());
        }
        out
    }

    /// SHA-256 of the canonical bytes.
    pub fn hash(&self) -> EntryHash {
        EntryHash(Sha256::digest(self.to_bytes()).into())
    }

    /// The chain's end once this entry is its last.
    pub fn head(&self) -> Head {
        Head { sequence: self.sequence, hash: self.hash() }
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(short(bytes.len()));
    out.extend(bytes);
}

fn short(len: usize) -> [u8; 2] {
    u16::try_from(len)
        .expect("names and references have at most 120 bytes, an entry three lines")
        .to_be_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LEDGER: LedgerId = LedgerId([1; 16]);
    const PROGRAMME: ProgrammeId = ProgrammeId([2; 16]);

    fn amount(minor: u128) -> Amount {
        Amount::new(minor).unwrap()
    }

    fn claim(share: u128, fee: u128) -> Option<Draft> {
        let recipient = AccountId([3; 32]);
        Draft::claim((PROGRAMME, Period(7)), Nullifier(5.into()), recipient, amount(share), amount(fee))
    }

    #[test]
    fn a_claim_with_a_fee_hashes_to() {
        // Computed from the table above with Python's hashlib.
        let entry = claim(1000, 30).unwrap().place(
            LEDGER,
            Head { sequence: 41, hash: EntryHash([9; 32]) },
            UnixTime(1_700_000_000),
        );
        assert_eq!(
            entry.hash().to_string(),
            "3f5584644fead4c73bb4e13a1983d363d1707b2953428420442530ef28d45f8e"
        );
    }

    #[test]
    fn a_fee_above_the_share_is_no_claim() {
        assert_eq!(claim(1000, 1001), None);
        assert_eq!(
            claim(1000, 1000).unwrap().postings.len(),
            2,
            "the recipient's line of nothing is left out"
        );
    }

    #[test]
    fn nothing_left_is_nothing_to_return() {
        assert_eq!(Draft::return_rest(PROGRAMME, Period(0), Amount::ZERO), None);
    }

    #[test]
    fn parts_of_no_cause() {
        let period = Some(Period(1));
        for (kind, period, reference) in [
            ("reversal", period, &b""[..]),
            ("deposit", period, b"key"),
            ("deposit", None, b"Not A Label"),
            ("reserve", None, b""),
            ("reserve", period, b"x"),
            ("claim", period, &[0xff; 32]),
            ("claim", period, &[0; 31]),
        ] {
            assert_eq!(Cause::from_parts(kind, PROGRAMME, period, reference), None, "{kind}");
        }
    }

    fn draft() -> impl Strategy<Value = Draft> {
        let label = "[a-z0-9._-]{1,64}".prop_map(|text| text.parse::<Label>().unwrap());
        let minor = 1..=Amount::MAX.minor();
        (0..4_u8, label.clone(), label, minor, any::<u64>(), any::<u64>(), any::<[u8; 32]>()).prop_map(
            |(kind, source, key, minor, period, nullifier, to)| {
                let period = Period(period);
                match kind {
                    0 => Draft::deposit(PROGRAMME, source, key, amount(minor)),
                    1 => Draft::reserve(PROGRAMME, period, amount(minor)),
                    2 => Draft::claim(
                        (PROGRAMME, period),
                        Nullifier(nullifier.into()),
                        AccountId(to),
                        amount(minor),
                        amount(minor / 3),
                    )
                    .unwrap(),
                    _ => Draft::return_rest(PROGRAMME, period, amount(minor)).unwrap(),
                }
            },
        )
    }

    proptest! {
        #[test]
        fn every_draft_balances_and_has_no_empty_line(draft in draft()) {
            prop_assert_eq!(draft.postings.iter().map(|line| line.amount.minor()).sum::<i128>(), 0);
            prop_assert!(draft.postings.len() >= 2);
            prop_assert!(draft.postings.iter().all(|line| line.amount != Balance::ZERO));
        }

        #[test]
        fn a_cause_is_its_four_parts(draft in draft()) {
            let cause = draft.cause;
            let parts = Cause::from_parts(cause.kind(), cause.programme(), cause.period(), &cause.reference());
            prop_assert_eq!(parts, Some(cause));
        }

        #[test]
        fn different_entries_have_different_bytes(a in draft(), b in draft(), at in 0..2_u64) {
            let same = a == b && at == 0;
            let (a, b) = (a.place(LEDGER, Head::GENESIS, UnixTime(0)), b.place(LEDGER, Head::GENESIS, UnixTime(at)));
            prop_assert_eq!(a.to_bytes() == b.to_bytes(), same);
        }
    }
}
