//! Checks a whole ledger, entry by entry: recomputes the chain, every balance, what each claim was due, and what became of
//! each reserve.
//!
//! Fed from the database in order of place; believes nothing that it can compute. What it cannot see is a chain that
//! somebody with every right rewrote from some entry to its end, with the end and all receipts: compare the head with
//! one that was published in a sealed statement, or sits in a receipt.

mod deposits;
mod payments;

use std::collections::{BTreeMap, HashMap};

use unum_identity::action::Period;
use unum_identity::bytes::{EntryHash, LedgerId, ProgrammeId};
use unum_identity::claim::{Amount, ClaimReceipt};
use unum_identity::ledger::{Balance, LedgerAccount, LedgerProblem, LedgerReport};
use unum_identity::programme::{PeriodState, PeriodStatement, ProgrammeTerms};
use unum_identity::signed::Signed;

use super::account::Account;
use super::entry::{Cause, Draft, Entry, Head, Posting};
use deposits::Deposits;
pub use payments::PaidPayment;
use payments::Payments;

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
    /// The payment that it made.
    pub payment: Option<PaidPayment>,
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
    /// What was promised; none if no programme says so.
    pub terms: Option<ProgrammeTerms>,
    /// To how many.
    pub people: u64,
    /// The most that each of them gets; nothing before the period is funded.
    pub most: Amount,
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
    /// More or less was put aside than the policy makes of the pool.
    pub misjudged: bool,
}

/// What a period's entries are held to.
#[derive(Debug)]
struct Promise {
    terms: ProgrammeTerms,
    people: u64,
    most: Amount,
}

/// A check under way.
#[derive(Debug)]
pub struct Audit {
    ledger: LedgerId,
    head: Head,
    transfers: u64,
    posted: BTreeMap<String, i128>,
    tallies: BTreeMap<(ProgrammeId, Period), Tally>,
    promises: HashMap<(ProgrammeId, Period), Promise>,
    /// Places that sealed statements name, with the hash that the chain has there.
    sealed: BTreeMap<u64, Option<EntryHash>>,
    deposits: Deposits,
    payments: Payments,
    problems: Vec<LedgerProblem>,
}

impl Audit {
    /// Starts before the first entry. The statements of `periods` name places in the chain.
    pub fn new(ledger: LedgerId, periods: &[StoredPeriod]) -> Self {
        let statements = periods.iter().filter_map(|period| period.statement.as_ref());
        let promise = |period: &StoredPeriod| {
            let promise = Promise { terms: period.terms.clone()?, people: period.people, most: period.most };
            Some(((period.programme, period.period), promise))
        };
        Self {
            ledger,
            head: Head::GENESIS,
            transfers: 0,
            posted: BTreeMap::new(),
            tallies: BTreeMap::new(),
            promises: periods.iter().filter_map(promise).collect(),
            sealed: statements.map(|signed| (signed.statement.ledger_sequence, None)).collect(),
            deposits: Deposits::default(),
            payments: Payments::default(),
            problems: Vec::new(),
        }
    }

    /// The next entry, in order of place, with what was signed for it.
    pub fn entry(&mut self, stored: &StoredEntry) {
        self.link(stored);
        if let Some(entry) = &stored.entry {
            self.claim(entry, stored.hash, stored.receipt.as_ref());
            if !self.payments.follow(entry, stored.hash, stored.payment.as_ref()) {
                self.problems.push(LedgerProblem::PaymentMismatch { sequence: stored.sequence });
            }
        }
    }

    /// The next entry, in order of place, whatever its receipt: for whoever holds claims against entries by other means.
    pub(crate) fn link(&mut self, stored: &StoredEntry) {
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
            self.promise(entry);
            self.balance(entry);
            if !self.deposits.follow(entry) {
                self.problems.push(LedgerProblem::ReversalWrong { sequence });
            }
        }
        if let Some(hash) = self.sealed.get_mut(&sequence) {
            *hash = Some(stored.hash);
        }
        self.head = Head { sequence, hash: stored.hash };
    }

    /// The last entry so far.
    pub(crate) fn head(&self) -> Head {
        self.head
    }

    /// What was posted to an account so far.
    pub(crate) fn posted(&self, account: &Account) -> i128 {
        self.posted.get(&account.to_string()).copied().unwrap_or_default()
    }

    /// What the entries of one period moved so far.
    pub(crate) fn tally(&self, programme: ProgrammeId, period: Period) -> Tally {
        self.tallies.get(&(programme, period)).copied().unwrap_or_default()
    }

    /// What does not hold so far. The chain should have reached `end`, and no balances are known to compare with.
    pub(crate) fn into_problems(mut self, end: u64) -> Vec<LedgerProblem> {
        self.missing(self.head.sequence.saturating_add(1), end.saturating_add(1));
        self.problems
    }

    /// Places from `from` up to, not including, `to` are empty.
    fn missing(&mut self, from: u64, to: u64) {
        let places = (from..to).take(MAX_MISSING);
        self.problems.extend(places.map(|sequence| LedgerProblem::EntryMissing { sequence }));
    }

    /// What is put aside, and what each claim is paid, has to be what the policy says. Before the entry moves anything:
    /// what a share of the pool is depends on what the pool held.
    fn promise(&mut self, entry: &Entry) {
        let (Some(programme), Some(period)) = (entry.cause.programme(), entry.cause.period()) else { return };
        let place = (programme, period);
        let Some(Promise { terms, people, most }) = self.promises.get(&place) else { return };
        let left_reserve = -entry.moves(&Account::Reserve(programme, period));
        match entry.cause {
            Cause::Reserve { .. } => {
                let pool =
                    self.posted.get(&Account::Pool(programme).to_string()).copied().unwrap_or_default();
                let said = clamp(pool).amount().map(|pool| terms.policy.most_of(pool, *people));
                self.tallies.entry(place).or_default().misjudged |= said != Some(*most);
            }
            Cause::Claim { .. } => {
                let due = terms.share(period, *most).at(entry.at);
                if left_reserve != Balance::from(due).minor() {
                    let (sequence, paid) = (entry.sequence, clamp(left_reserve));
                    self.problems.push(LedgerProblem::ShareWrong { sequence, due, paid });
                }
            }
            _ => {}
        }
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
        let (Some(programme), Some(period)) = (entry.cause.programme(), entry.cause.period()) else { return };
        let moved = entry.moves(&Account::Reserve(programme, period));
        let tally = self.tallies.entry((programme, period)).or_default();
        match entry.cause {
            Cause::Deposit { .. } | Cause::Payment { .. } | Cause::Reversal { .. } => {}
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
                    && pays(entry, said)
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

    /// A payment that no entry made.
    pub fn stray_payment(&mut self, sequence: u64) {
        self.problems.push(LedgerProblem::PaymentMismatch { sequence });
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
        let tally = self.tally(programme, period);
        let promised = stored.most.checked_mul(stored.people).unwrap_or(Amount::MAX);
        let promised = if stored.state >= PeriodState::Funded { promised.minor() as i128 } else { 0 };
        let conserved = tally.reserved == promised
            && !tally.misjudged
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

/// Whether a claim's entry pays what its receipt says and to whom, and the rest of the share to one other.
fn pays(entry: &Entry, said: &ClaimReceipt) -> bool {
    let place = (said.programme, said.period);
    let share = entry.moves(&Account::Reserve(said.programme, said.period));
    let share = u128::try_from(share.saturating_neg()).ok().and_then(|minor| Amount::new(minor).ok());
    let fee = share.and_then(|share| share.checked_sub(said.amount));
    let (Some(share), Some(fee)) = (share, fee) else { return false };
    let relayer = match entry.postings.last() {
        Some(Posting { account: Account::Wallet(relayer), .. }) if fee > Amount::ZERO => Some(*relayer),
        _ => None,
    };
    let claim = Draft::claim(place, said.nullifier, said.recipient, share, fee, relayer);
    claim.is_some_and(|claim| entry.books(&claim))
}

/// Sums of altered entries can be anything; the report's largest number then stands for "more".
pub(crate) fn clamp(minor: i128) -> Balance {
    let most = Balance::from(Amount::MAX).minor();
    Balance::new(minor.clamp(-most, most)).expect("clamped")
}

#[cfg(test)]
mod tests;
