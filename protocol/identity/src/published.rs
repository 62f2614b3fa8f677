//! What a distribution publishes, so that anyone can recompute what it states: every entry of its ledger, and every claim of
//! a period that is closed.
//!
//! An entry is published as it stands, also if it is nothing that an entry can say: whoever reads it has to find that out.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::action::Period;
use crate::bytes::{EntryHash, NullifierSetHash, ProgrammeId};
use crate::claim::{Claim, ClaimReceipt};
use crate::field::Nullifier;
use crate::ledger::Balance;
use crate::signed::Signed;
use crate::time::UnixTime;

/// One line of an entry: what is added to an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PublishedLine {
    /// The account's name, as in [`crate::ledger::LedgerAccount`].
    pub account: String,
    /// How much; less than nothing where it is taken.
    pub amount: Balance,
}

/// One entry of the ledger, with the hash that was written beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PublishedEntry {
    /// Its place, from 1.
    pub sequence: u64,
    /// When it was written.
    pub at: UnixTime,
    /// Why money moves: `deposit`, `reserve`, `claim`, `return`, `payment`, `reversal`.
    pub kind: String,
    /// Whose money, if it is a programme's.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub programme: Option<ProgrammeId>,
    /// Which period it is about, if it is about one.
    pub period: Option<Period>,
    /// What tells it from others of its kind, in hex: such as the nullifier of a claim.
    pub reference: String,
    /// What moves, in order.
    pub lines: Vec<PublishedLine>,
    /// Hash of the entry before it; zeros for the first.
    pub previous: EntryHash,
    /// Its own.
    pub hash: EntryHash,
}

/// The ledger from one entry on, as far as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EntryPage {
    /// By place. None at the end.
    pub entries: Vec<PublishedEntry>,
}

/// A claim that was paid: what the wallet sent, and what it was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PublishedClaim {
    /// As it was proved.
    pub claim: Claim,
    /// For it.
    pub receipt: Signed<ClaimReceipt>,
}

/// A period's claims from one nullifier on, as far as they were sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClaimPage {
    /// By nullifier. None at the end.
    pub claims: Vec<PublishedClaim>,
}

/// `SHA-256("unum/nullifier-set/v1" ‖ every nullifier)`, 32 bytes each, big-endian, in ascending order.
///
/// The order of `nullifiers` does not matter; one that comes twice counts twice.
pub fn nullifier_set_hash(nullifiers: impl IntoIterator<Item = Nullifier>) -> NullifierSetHash {
    let mut sorted: Vec<[u8; 32]> = nullifiers.into_iter().map(Nullifier::to_be_bytes).collect();
    sorted.sort_unstable();
    let hash = Sha256::new().chain_update(b"unum/nullifier-set/v1").chain_update(sorted.as_flattened());
    NullifierSetHash(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bytes::{KeyHash, LedgerId};
    use crate::claim::Amount;
    use crate::field::Root;
    use crate::programme::{EligibleSet, PeriodStatement};
    use crate::signed::Statement as _;

    #[test]
    fn the_bytes_of_a_statement_hash_to() {
        let amount = |minor| Amount::new(minor).unwrap();
        let statement = PeriodStatement {
            programme: ProgrammeId([1; 16]),
            period: Period(2),
            ledger: LedgerId([3; 16]),
            set: EligibleSet { root: Root(4.into()), size: 5, people: 6 },
            amount: amount(7),
            claims: 8,
            paid: amount(9),
            expired: amount(10),
            nullifiers: NullifierSetHash([11; 32]),
            ledger_sequence: 12,
            chain_head: EntryHash([13; 32]),
            verifying_key: KeyHash([14; 32]),
            sealed_at: UnixTime(15),
        };
        // The fields in this order, integers big-endian, amounts of 16 bytes; with Python's hashlib.
        assert_eq!(
            hex::encode(Sha256::digest(statement.to_bytes())),
            "4ea01cadcfbcc818bad2d8b758826d257afa01c7c986126a54cdef75d714b26f"
        );
    }

    fn hash_of(nullifiers: &[u64]) -> NullifierSetHash {
        nullifier_set_hash(nullifiers.iter().map(|n| Nullifier((*n).into())))
    }

    #[test]
    fn sets_with_names() {
        // Computed from the definition with Python's hashlib.
        for (nullifiers, expected) in [
            (&[][..], "961d8e569a6218a4850cdadbfe121062f9a78562a6c9963c5d5ee9ff534e1e60"),
            (&[7, 1, 256], "75d675e00c0d252441a44984204f1b1e9f6b81225622483315c6d64115761afd"),
        ] {
            assert_eq!(hash_of(nullifiers).to_string(), expected, "{nullifiers:?}");
        }
    }

    proptest! {
        #[test]
        fn the_order_does_not_matter_and_the_members_do(mut set in prop::collection::btree_set(any::<u64>(), 1..20)) {
            let ascending: Vec<u64> = set.iter().copied().collect();
            let descending: Vec<u64> = set.iter().rev().copied().collect();
            prop_assert_eq!(hash_of(&ascending), hash_of(&descending));
            let left_out = set.pop_first().unwrap();
            let rest: Vec<u64> = set.into_iter().collect();
            prop_assert_ne!(hash_of(&rest), hash_of(&ascending));
            let twice = [&ascending[..], &[left_out]].concat();
            prop_assert_ne!(hash_of(&twice), hash_of(&ascending));
        }
    }
}
