//! Entries: what moves, why, and the canonical bytes that the chain hashes.
//!
//! ```text
//! "unum/ledger-entry/v1" ‖ ledger (16) ‖ sequence (u64) ‖ previous hash (32) ‖ seconds since 1970 (u64)
//!  ‖ kind (u8) ‖ programme (16, zeros for a payment) ‖ period (u64, 0 without one) ‖ reference (u16 length, bytes)
//!  ‖ lines (u16) ‖ for each: account's name (u16 length, bytes) ‖ amount (i128)
//! ```
//! Integers are big-endian. `hash = SHA-256` of these.
//!
//! | kind | code | reference |
//! |---|---|---|
//! | deposit | 0 | the sender's key, as text |
//! | reserve | 1 | |
//! | claim | 2 | nullifier (32) |
//! | return | 3 | |
//! | payment | 4 | payer (32) ‖ key (16) |
//! | reversal | 5 | place of the deposit (u64) ‖ reason, as text |

use sha2::{Digest, Sha256};
use unum_identity::action::Period;
use unum_identity::bytes::{AccountId, EntryHash, LedgerId, PaymentKey, ProgrammeId};
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
    /// Somebody paid somebody. No programme's money any more.
    Payment {
        /// Who paid.
        from: AccountId,
        /// The payer's name for it.
        key: PaymentKey,
    },
    /// A deposit that was a mistake was taken back.
    Reversal {
        /// Out of which pool.
        programme: ProgrammeId,
        /// Place of the deposit.
        reversed: u64,
        /// Why.
        reason: Label,
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
            Self::Payment { .. } => "payment",
            Self::Reversal { .. } => "reversal",
        }
    }

    /// The programme whose money moves, if it is one's.
    pub fn programme(&self) -> Option<ProgrammeId> {
        match self {
            Self::Deposit { programme, .. }
            | Self::Reserve { programme, .. }
            | Self::Claim { programme, .. }
            | Self::Return { programme, .. }
            | Self::Reversal { programme, .. } => Some(*programme),
            Self::Payment { .. } => None,
        }
    }

    /// The period, if it concerns one.
    pub fn period(&self) -> Option<Period> {
        match self {
            Self::Deposit { .. } | Self::Payment { .. } | Self::Reversal { .. } => None,
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
            Self::Payment { from, key } => [&from.0[..], &key.0].concat(),
            Self::Reversal { reversed, reason, .. } => {
                [&reversed.to_be_bytes()[..], reason.as_str().as_bytes()].concat()
            }
        }
    }

    /// The cause with these four parts; none if no cause has them.
    pub fn from_parts(
        kind: &str,
        programme: Option<ProgrammeId>,
        period: Option<Period>,
        reference: &[u8],
    ) -> Option<Self> {
        Some(match (kind, programme, period) {
            ("deposit", Some(programme), None) => Self::Deposit { programme, key: label(reference)? },
            ("reserve", Some(programme), Some(period)) if reference.is_empty() => {
                Self::Reserve { programme, period }
            }
            ("claim", Some(programme), Some(period)) => {
                Self::Claim { programme, period, nullifier: Nullifier::from_be_bytes(reference).ok()? }
            }
            ("return", Some(programme), Some(period)) if reference.is_empty() => {
                Self::Return { programme, period }
            }
            ("payment", None, None) => {
                let (from, key) = reference.split_first_chunk()?;
                Self::Payment { from: AccountId(*from), key: PaymentKey(key.try_into().ok()?) }
            }
            ("reversal", Some(programme), None) => {
                let (reversed, reason) = reference.split_first_chunk()?;
                Self::Reversal { programme, reversed: u64::from_be_bytes(*reversed), reason: label(reason)? }
            }
            _ => return None,
        })
    }

    fn code(&self) -> u8 {
        match self {
            Self::Deposit { .. } => 0,
            Self::Reserve { .. } => 1,
            Self::Claim { .. } => 2,
            Self::Return { .. } => 3,
            Self::Payment { .. } => 4,
            Self::Reversal { .. } => 5,
        }
    }
}

fn label(bytes: &[u8]) -> Option<Label> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
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

    /// One person's share, and the fee for whoever relayed it. None if the fee is larger than the share.
    pub fn claim(
        (programme, period): (ProgrammeId, Period),
        nullifier: Nullifier,
        recipient: AccountId,
        share: Amount,
        fee: Amount,
        relayer: Option<AccountId>,
    ) -> Option<Self> {
        let rest = share.checked_sub(fee)?;
        let cause = Cause::Claim { programme, period, nullifier };
        let paid =
            [(Account::Wallet(recipient), rest), (relayer.map_or(Account::Fees, Account::Wallet), fee)];
        Some(Self::new(cause, Account::Reserve(programme, period), paid))
    }

    /// What nobody claimed, back into the pool. None if everyone did.
    pub fn return_rest(programme: ProgrammeId, period: Period, rest: Amount) -> Option<Self> {
        let reserve = Account::Reserve(programme, period);
        let cause = Cause::Return { programme, period };
        (rest > Amount::ZERO).then(|| Self::new(cause, reserve, [(Account::Pool(programme), rest)]))
    }

    /// From one wallet to another. None to oneself, or of nothing.
    pub fn payment(from: AccountId, to: AccountId, key: PaymentKey, amount: Amount) -> Option<Self> {
        let moves = from != to && amount > Amount::ZERO;
        let paid = [(Account::Wallet(to), amount)];
        moves.then(|| Self::new(Cause::Payment { from, key }, Account::Wallet(from), paid))
    }

    /// What a deposit moved, back. None if the entry is no deposit: every other follows from a rule, not from somebody's
    /// typing.
    pub fn reversal(entry: &Entry, reason: Label) -> Option<Self> {
        let Cause::Deposit { programme, .. } = entry.cause else { return None };
        let cause = Cause::Reversal { programme, reversed: entry.sequence, reason };
        let back = |line: &Posting| Posting { account: line.account.clone(), amount: -line.amount };
        Some(Self { cause, postings: entry.postings.iter().map(back).collect() })
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
        out.extend(self.cause.programme().map_or([0; 16], |programme| programme.0));
        out.extend(self.cause.period().unwrap_or(Period(0)).0.to_be_bytes());
        put_bytes(&mut out, &self.cause.reference());
        out.extend(short(self.postings.len()));
        for Posting { account, amount } in &self.postings {
            put_bytes(&mut out, account.to_string().as_bytes());
            out.extend(amount.minor().to_be_bytes());
        }
        out
    }

    /// Whether it moves what `draft` wants to, for the same reason.
    pub fn books(&self, draft: &Draft) -> bool {
        self.cause == draft.cause && self.postings == draft.postings
    }

    /// What it adds to an account.
    pub fn moves(&self, account: &Account) -> i128 {
        let lines = self.postings.iter().filter(|line| line.account == *account);
        lines.fold(0, |sum, line| sum.saturating_add(line.amount.minor()))
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
mod tests;
