//! The ledger from its first entry to the place that the statement names.

use std::collections::hash_map::Entry as Place;
use std::collections::{BTreeSet, HashMap};

use unum_identity::action::Period;
use unum_identity::bytes::{AccountId, EntryHash, LedgerId, ProgrammeId};
use unum_identity::field::Nullifier;
use unum_identity::ledger::Balance;
use unum_identity::programme::{PeriodStatement, ProgrammeTerms};
use unum_identity::published::PublishedEntry;
use unum_identity::time::UnixTime;

use super::report::{AuditProblem, Check, Findings, Sum};
use crate::ledger::account::Account;
use crate::ledger::audit::{Audit, StoredEntry, clamp};
use crate::ledger::entry::{Cause, Entry, Head};

/// An entry that paid a claim of the period.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paid {
    /// Where it stands, with the hash that was written beside it.
    pub(super) head: Head,
    /// Hash of the entry before it.
    pub(super) previous: EntryHash,
    /// When.
    pub(super) at: UnixTime,
    /// Out of the period's reserve.
    pub(super) amount: Balance,
    /// Who got the fee, if there is one and it went to a wallet: the proof does not bind this.
    pub(super) relayer: Option<AccountId>,
    /// Whether its claim was seen.
    pub(super) is_claimed: bool,
}

/// The chain so far.
pub(super) struct Chain {
    audit: Audit,
    ledger: LedgerId,
    place: (ProgrammeId, Period),
    /// The place that the statement names.
    end: u64,
    entries: u64,
    /// Accounts that were found below nothing; each is named once.
    negative: BTreeSet<Account>,
    /// What the pool held when everyone's share was put aside.
    pool: Option<Balance>,
    paid: HashMap<Nullifier, Paid>,
}

impl Chain {
    pub(super) fn new(ledger: LedgerId, place: (ProgrammeId, Period), end: u64) -> Self {
        let audit = Audit::new(ledger, &[]);
        Self {
            audit,
            ledger,
            place,
            end,
            entries: 0,
            negative: BTreeSet::new(),
            pool: None,
            paid: HashMap::new(),
        }
    }

    /// Entries up to the stated place.
    pub(super) fn entries(&self) -> u64 {
        self.entries
    }

    /// Who was paid in the period.
    pub(super) fn paid(&self) -> &HashMap<Nullifier, Paid> {
        &self.paid
    }

    pub(super) fn paid_mut(&mut self) -> &mut HashMap<Nullifier, Paid> {
        &mut self.paid
    }

    pub(super) fn entry(&mut self, published: &PublishedEntry, findings: &mut Findings) {
        let sequence = published.sequence;
        if sequence > self.end {
            return; // the statement was made before
        }
        self.entries += 1;
        if sequence <= self.audit.head().sequence {
            return findings.problem(AuditProblem::EntryOutOfOrder { sequence });
        }
        let stored = StoredEntry::published(self.ledger, published);
        self.fund(stored.entry.as_ref());
        self.audit.link(&stored);
        if let Some(entry) = &stored.entry {
            self.balances(entry, findings);
            self.pay(entry, published.hash, findings);
        }
    }

    /// Before the entry moves anything.
    fn fund(&mut self, entry: Option<&Entry>) {
        if let Some(Cause::Reserve { programme, period }) = entry.map(|entry| &entry.cause)
            && (*programme, *period) == self.place
        {
            self.pool = Some(clamp(self.audit.posted(&Account::Pool(*programme))));
        }
    }

    fn balances(&mut self, entry: &Entry, findings: &mut Findings) {
        let taken = entry.postings.iter().filter(|line| line.amount < Balance::ZERO);
        for account in taken.map(|line| &line.account) {
            let may_owe = matches!(account, Account::Funding(_));
            if !may_owe && self.audit.posted(account) < 0 && self.negative.insert(account.clone()) {
                let (sequence, account) = (entry.sequence, account.to_string());
                findings.problem(AuditProblem::AccountNegative { sequence, account });
            }
        }
    }

    fn pay(&mut self, entry: &Entry, hash: EntryHash, findings: &mut Findings) {
        let Cause::Claim { programme, period, nullifier } = entry.cause else { return };
        if (programme, period) != self.place {
            return;
        }
        let sequence = entry.sequence;
        let paid = Paid {
            head: Head { sequence, hash },
            previous: entry.previous,
            at: entry.at,
            amount: clamp(entry.moves(&Account::Reserve(programme, period)).saturating_neg()),
            relayer: match entry.postings.last().map(|line| &line.account) {
                Some(Account::Wallet(last)) => Some(*last),
                _ => None,
            },
            is_claimed: false,
        };
        // The first one counts: it is the second that should not be there.
        match self.paid.entry(nullifier) {
            Place::Vacant(place) => {
                place.insert(paid);
            }
            Place::Occupied(_) => findings.problem(AuditProblem::PaidTwice { sequence, nullifier }),
        }
    }

    /// Compares with what is stated.
    pub(super) fn finish(self, terms: &ProgrammeTerms, stated: &PeriodStatement, findings: &mut Findings) {
        if let Some(pool) = self.pool.and_then(Balance::amount) {
            let promised = terms.policy.most_of(pool, stated.set.people);
            if stated.amount != promised {
                findings.problem(AuditProblem::ShareWrong { stated: stated.amount, promised });
            }
        }
        findings.checked(Check::Chain);
        findings.checked(Check::Balances);
        findings.checked(Check::Sums);
        self.sums(stated, findings);
        let head = self.audit.head();
        if head.sequence == self.end && head.hash != stated.chain_head {
            let (sequence, stated, found) = (head.sequence, stated.chain_head, head.hash);
            findings.problem(AuditProblem::HeadWrong { sequence, stated, found });
        }
        findings.extend(self.audit.into_problems(self.end).into_iter().map(AuditProblem::Ledger));
    }

    fn sums(&self, stated: &PeriodStatement, findings: &mut Findings) {
        let (programme, period) = self.place;
        let tally = self.audit.tally(programme, period);
        if stated.claims != tally.claims {
            findings.problem(AuditProblem::CountWrong { stated: stated.claims, found: tally.claims });
        }
        let promised = stated.amount.checked_mul(stated.set.people);
        let promised = promised.map_or(i128::MAX, |promised| Balance::from(promised).minor());
        let left = tally.reserved.saturating_sub(tally.paid).saturating_sub(tally.returned);
        for (sum, stated, found) in [
            (Sum::Reserved, promised, tally.reserved),
            (Sum::Paid, Balance::from(stated.paid).minor(), tally.paid),
            (Sum::Expired, Balance::from(stated.expired).minor(), tally.returned),
            (Sum::Left, 0, left),
        ] {
            if stated != found {
                findings.problem(AuditProblem::SumWrong { sum, stated: clamp(stated), found: clamp(found) });
            }
        }
    }
}
