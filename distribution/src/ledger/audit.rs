//! Checks a whole ledger, entry by entry: recomputes the chain, every balance, and what became of each reserve.
//!
//! Fed from the database in order of place; believes nothing that it can compute. What it cannot see is a chain that
//! somebody with every right rewrote from some entry to its end, with the end and all receipts: compare the head with
//! one that was published in a sealed statement, or sits in a receipt.

use std::collections::{BTreeMap, HashMap};

use unum_identity::action::Period;
use unum_identity::bytes::{EntryHash, LedgerId, ProgrammeId};
use unum_identity::claim::{Amount, ClaimReceipt};
use unum_identity::ledger::{Balance, LedgerAccount, LedgerProblem, LedgerReport};
use unum_identity::programme::{PeriodState, PeriodStatement};
use unum_identity::signed::Signed;

use super::account::Account;
use super::entry::{Cause, Entry, Head};

/// Missing places named for one gap: a forged sequence could otherwise fill the report, and memory.
const MAX_MISSING: usize = 100;

/// An entry as it stands in the database.
#[derive(Debug)]
pub struct StoredEntry {
    /// Its place.
    pub sequence: u64,
    /// The hash written beside it.
    pub hash: EntryHash,
    /// What it says; none if that is nothing an entry can say.
    pub entry: Option<Entry>,
    /// The receipt that its claim gave out.
    pub receipt: Option<Signed<ClaimReceipt>>,
}

/// A period as it stands in the database.
#[derive(Debug)]
pub struct StoredPeriod {
    /// The programme.
    pub programme: ProgrammeId,
    /// The period.
    pub period: Period,
    /// Where it stands.
    pub state: PeriodState,
    /// People × share.
    pub promised: Amount,
    /// Its statement, once sealed.
    pub statement: Option<Signed<PeriodStatement>>,
}

/// What the entries of one period moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Put aside for it.
    pub reserved: i128,
    /// Paid to people and for fees.
    pub paid: i128,
    /// Claims paid.
    pub claims: u64,
    /// Gone back to the pool.
    pub returned: i128,
}

/// A check under way.
#[derive(Debug)]
pub struct Audit {
    ledger: LedgerId,
    head: Head,
    transfers: u64,
    posted: BTreeMap<String, i128>,
    tallies: BTreeMap<(ProgrammeId, Period), Tally>,
    /// Places that sealed statements name, with the hash that the chain has there.
    sealed: BTreeMap<u64, Option<EntryHash>>,
    problems: Vec<LedgerProblem>,
}

impl Audit {
    /// Starts before the first entry. The statements of `periods` name places in the chain.
    pub fn new(ledger: LedgerId, periods: &[StoredPeriod]) -> Self {
        let statements = periods.iter().filter_map(|period| period.statement.as_ref());
        Self {
            ledger,
            head: Head::GENESIS,
            transfers: 0,
            posted: BTreeMap::new(),
            tallies: BTreeMap::new(),
            sealed: statements.map(|signed| (signed.statement.ledger_sequence, None)).collect(),
            problems: Vec::new(),
        }
    }

    /// The next entry, in order of place.
    pub fn entry(&mut self, stored: &StoredEntry) {
        let sequence = stored.sequence;
        self.transfers += 1;
        self.missing(self.head.sequence.saturating_add(1), sequence);
        match &stored.entry {
            Some(entry) if entry.ledger == self.ledger && entry.hash() == stored.hash => {
                // After a gap the next entry continues one that nobody can see: the gap is the finding.
                if Some(sequence) == self.head.sequence.checked_add(1) && entry.previous != self.head.hash {
                    self.problems.push(LedgerProblem::ChainBroken { sequence });
                }
            }
            _ => self.problems.push(LedgerProblem::EntryAltered { sequence }),
        }
        if let Some(entry) = &stored.entry {
            self.balance(entry);
            self.claim(entry, stored.hash, stored.receipt.as_ref());
        }
        if let Some(hash) = self.sealed.get_mut(&sequence) {
            *hash = Some(stored.hash);
        }
        self.head = Head { sequence, hash: stored.hash };
    }

    /// Places from `from` up to, not including, `to` are empty.
    fn missing(&mut self, from: u64, to: u64) {
        let places = (from..to).take(MAX_MISSING);
        self.problems.extend(places.map(|sequence| LedgerProblem::EntryMissing { sequence }));
    }

    fn balance(&mut self, entry: &Entry) {
        let mut sum: i128 = 0;
        for line in &entry.postings {
            sum = sum.saturating_add(line.amount.minor());
            let posted = self.posted.entry(line.account.to_string()).or_default();
            *posted = posted.saturating_add(line.amount.minor());
        }
        if sum != 0 || entry.postings.is_empty() {
            let sum = clamp(sum);
            self.problems.push(LedgerProblem::EntryUnbalanced { sequence: entry.sequence, sum });
        }
        let Some(period) = entry.cause.period() else { return };
        let programme = entry.cause.programme();
        let moved = moved(entry, &Account::Reserve(programme, period));
        let tally = self.tallies.entry((programme, period)).or_default();
        match entry.cause {
            Cause::Deposit { .. } => {}
            Cause::Reserve { .. } => tally.reserved = tally.reserved.saturating_add(moved),
            Cause::Return { .. } => tally.returned = tally.returned.saturating_sub(moved),
            Cause::Claim { .. } => {
                tally.paid = tally.paid.saturating_sub(moved);
                tally.claims += 1;
            }
        }
    }

    /// A claim's receipt must say what its entry says, under the key that stands in it.
    fn claim(&mut self, entry: &Entry, hash: EntryHash, receipt: Option<&Signed<ClaimReceipt>>) {
        let agrees = match (&entry.cause, receipt) {
            (Cause::Claim { programme, period, nullifier }, Some(signed)) => {
                let said = &signed.statement;
                signed.verify(&signed.key).is_ok()
                    && (said.programme, said.period, said.nullifier) == (*programme, *period, *nullifier)
                    && (said.ledger_sequence, said.entry_hash, said.paid_at)
                        == (entry.sequence, hash, entry.at)
                    && Balance::from(said.amount).minor() == moved(entry, &Account::Wallet(said.recipient))
            }
            (Cause::Claim { .. }, None) | (_, Some(_)) => false,
            (_, None) => true,
        };
        if !agrees {
            self.problems.push(LedgerProblem::ClaimMismatch { sequence: entry.sequence });
        }
    }

    /// A claim that no entry paid.
    pub fn stray_claim(&mut self, sequence: u64) {
        self.problems.push(LedgerProblem::ClaimMismatch { sequence });
    }

    /// Compares with what the database says beside the entries: the chain's end, all balances, all periods.
    pub fn finish(
        mut self,
        head: Head,
        accounts: Vec<LedgerAccount>,
        periods: &[StoredPeriod],
    ) -> LedgerReport {
        self.missing(self.head.sequence.saturating_add(1), head.sequence.saturating_add(1));
        if self.head.sequence >= head.sequence && self.head != head {
            self.problems.push(LedgerProblem::ChainBroken { sequence: head.sequence });
        }
        self.accounts(&accounts);
        let held: HashMap<&str, Balance> =
            accounts.iter().map(|account| (account.name.as_str(), account.balance)).collect();
        for period in periods {
            let reserve = Account::Reserve(period.programme, period.period).to_string();
            self.period(period, held.get(reserve.as_str()).map_or(0, |balance| balance.minor()));
        }
        let difference =
            accounts.iter().fold(0_i128, |sum, account| sum.saturating_add(account.balance.minor()));
        LedgerReport {
            transfers: self.transfers,
            accounts,
            difference: clamp(difference),
            chain_head: self.head.hash,
            problems: self.problems,
        }
    }

    fn accounts(&mut self, accounts: &[LedgerAccount]) {
        let mut posted = std::mem::take(&mut self.posted);
        for LedgerAccount { name, balance } in accounts {
            let expected = clamp(posted.remove(name).unwrap_or_default());
            if expected != *balance {
                let (account, stored) = (name.clone(), *balance);
                self.problems.push(LedgerProblem::BalanceWrong { account, stored, posted: expected });
            }
            if *balance < Balance::ZERO && !matches!(name.parse(), Ok(Account::Funding(_))) {
                self.problems.push(LedgerProblem::BalanceNegative { account: name.clone() });
            }
        }
        // Accounts that entries name, and that are not there.
        self.problems.extend(posted.into_iter().map(|(account, sum)| LedgerProblem::BalanceWrong {
            account,
            stored: Balance::ZERO,
            posted: clamp(sum),
        }));
    }

    fn period(&mut self, stored: &StoredPeriod, left: i128) {
        let (programme, period) = (stored.programme, stored.period);
        let tally = self.tallies.get(&(programme, period)).copied().unwrap_or_default();
        let promised = if stored.state >= PeriodState::Funded { stored.promised.minor() as i128 } else { 0 };
        let conserved = tally.reserved == promised
            && tally.reserved == tally.paid.saturating_add(tally.returned).saturating_add(left)
            && (stored.state < PeriodState::Closed || left == 0);
        if !conserved {
            self.problems.push(LedgerProblem::PeriodUnbalanced { programme, period });
        }
        if (stored.state == PeriodState::Sealed)
            != stored.statement.as_ref().is_some_and(|s| self.states(s, tally))
        {
            self.problems.push(LedgerProblem::StatementWrong { programme, period });
        }
    }

    /// Whether the statement is signed, and says what the entries say.
    fn states(&self, signed: &Signed<PeriodStatement>, tally: Tally) -> bool {
        let said = &signed.statement;
        signed.verify(&signed.key).is_ok()
            && said.claims == tally.claims
            && said.paid.minor() as i128 == tally.paid
            && said.expired.minor() as i128 == tally.returned
            && self.sealed.get(&said.ledger_sequence) == Some(&Some(said.chain_head))
    }
}

/// What an entry adds to an account.
fn moved(entry: &Entry, account: &Account) -> i128 {
    let lines = entry.postings.iter().filter(|line| line.account == *account);
    lines.fold(0, |sum, line| sum.saturating_add(line.amount.minor()))
}

/// Sums of altered entries can be anything; the report's largest number then stands for "more".
fn clamp(minor: i128) -> Balance {
    let most = Balance::from(Amount::MAX).minor();
    Balance::new(minor.clamp(-most, most)).expect("clamped")
}

#[cfg(test)]
mod tests;
