use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use unum_identity::bytes::{AccountId, KeyHash};
use unum_identity::field::{Nullifier, Root};
use unum_identity::programme::EligibleSet;
use unum_identity::time::UnixTime;

use super::super::entry::{Draft, Posting};
use super::*;

const LEDGER: LedgerId = LedgerId([1; 16]);
const PROGRAMME: ProgrammeId = ProgrammeId([2; 16]);
const PERIOD: Period = Period(0);
const SHARE: u128 = 1000;

fn amount(minor: u128) -> Amount {
    Amount::new(minor).unwrap()
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// A ledger as it stands in the database: one deposit, one period of three people of whom two claim.
struct Books {
    entries: Vec<StoredEntry>,
    head: Head,
    accounts: Vec<LedgerAccount>,
    periods: Vec<StoredPeriod>,
}

impl Books {
    fn sealed() -> Self {
        let mut books = Self { entries: vec![], head: Head::GENESIS, accounts: vec![], periods: vec![] };
        let label = |text: &str| text.parse().unwrap();
        books.post(Draft::deposit(PROGRAMME, label("city"), label("first"), amount(5000)));
        books.post(Draft::reserve(PROGRAMME, PERIOD, amount(3 * SHARE)));
        books.claim(11, 0);
        books.claim(12, 30);
        books.post(Draft::return_rest(PROGRAMME, PERIOD, amount(SHARE)).unwrap());
        books.seal();
        books
    }

    fn post(&mut self, draft: Draft) {
        let entry = draft.place(LEDGER, self.head, UnixTime(100 + self.head.sequence));
        self.head = entry.head();
        for line in &entry.postings {
            let name = line.account.to_string();
            match self.accounts.iter_mut().find(|account| account.name == name) {
                Some(account) => account.balance = account.balance.checked_add(line.amount).unwrap(),
                None => self.accounts.push(LedgerAccount { name, balance: line.amount }),
            }
        }
        let Head { sequence, hash } = self.head;
        self.entries.push(StoredEntry { sequence, hash, entry: Some(entry), receipt: None });
    }

    fn claim(&mut self, person: u64, fee: u128) {
        let (nullifier, recipient) = (Nullifier(person.into()), AccountId([person as u8; 32]));
        let place = (PROGRAMME, PERIOD);
        self.post(Draft::claim(place, nullifier, recipient, amount(SHARE), amount(fee)).unwrap());
        let entry = self.entries.last_mut().unwrap();
        let receipt = ClaimReceipt {
            programme: PROGRAMME,
            period: PERIOD,
            nullifier,
            recipient,
            amount: amount(SHARE - fee),
            ledger_sequence: entry.sequence,
            entry_hash: entry.hash,
            paid_at: entry.entry.as_ref().unwrap().at,
        };
        entry.receipt = Some(Signed::new(receipt, &key()));
    }

    fn seal(&mut self) {
        let statement = PeriodStatement {
            programme: PROGRAMME,
            period: PERIOD,
            ledger: LEDGER,
            set: EligibleSet { root: Root(9.into()), size: 3, people: 3 },
            amount: amount(SHARE),
            claims: 2,
            paid: amount(2 * SHARE),
            expired: amount(SHARE),
            ledger_sequence: self.head.sequence,
            chain_head: self.head.hash,
            verifying_key: KeyHash([5; 32]),
            sealed_at: UnixTime(999),
        };
        self.periods.push(StoredPeriod {
            programme: PROGRAMME,
            period: PERIOD,
            state: PeriodState::Sealed,
            promised: amount(3 * SHARE),
            statement: Some(Signed::new(statement, &key())),
        });
    }

    fn check(self) -> LedgerReport {
        let mut audit = Audit::new(LEDGER, &self.periods);
        self.entries.iter().for_each(|entry| audit.entry(entry));
        audit.finish(self.head, self.accounts, &self.periods)
    }

    fn line(&mut self, entry: usize, line: usize) -> &mut Posting {
        &mut self.entries[entry].entry.as_mut().unwrap().postings[line]
    }

    fn statement(&mut self) -> &mut Signed<PeriodStatement> {
        self.periods[0].statement.as_mut().unwrap()
    }
}

fn minor(n: i128) -> Balance {
    Balance::new(n).unwrap()
}

#[track_caller]
fn finds(change: impl FnOnce(&mut Books), expected: &[LedgerProblem]) {
    let mut books = Books::sealed();
    change(&mut books);
    let report = books.check();
    for problem in expected {
        assert!(report.problems.contains(problem), "{problem:?} not in {:?}", report.problems);
    }
}

#[test]
fn good_books_have_no_problem() {
    let books = Books::sealed();
    let head = books.head.hash;
    let report = books.check();
    assert_eq!(report.problems, []);
    assert_eq!((report.transfers, report.difference, report.chain_head), (5, Balance::ZERO, head));
    let balances: Vec<_> = report.accounts.iter().map(|account| account.balance.minor()).collect();
    assert_eq!(balances, [-5000, 3000, 0, 1000, 970, 30], "source, pool, reserve, two wallets, fees");
}

#[test]
fn an_empty_ledger_has_no_problem() {
    let books = Books { entries: vec![], head: Head::GENESIS, accounts: vec![], periods: vec![] };
    assert_eq!(books.check().problems, []);
}

#[test]
fn altered_amount() {
    let more = |books: &mut Books| books.line(2, 1).amount = minor(2000);
    let unbalanced = LedgerProblem::EntryUnbalanced { sequence: 3, sum: minor(1000) };
    finds(
        more,
        &[
            LedgerProblem::EntryAltered { sequence: 3 },
            unbalanced,
            LedgerProblem::ClaimMismatch { sequence: 3 },
        ],
    );
}

#[test]
fn altered_recipient() {
    let thief = Account::Wallet(AccountId([66; 32]));
    finds(|books| books.line(2, 1).account = thief, &[LedgerProblem::EntryAltered { sequence: 3 }]);
}

#[test]
fn dropped_line() {
    let drop = |books: &mut Books| drop(books.entries[3].entry.as_mut().unwrap().postings.pop());
    let unbalanced = LedgerProblem::EntryUnbalanced { sequence: 4, sum: minor(-30) };
    finds(drop, &[LedgerProblem::EntryAltered { sequence: 4 }, unbalanced]);
}

#[test]
fn dropped_entry() {
    finds(|books| drop(books.entries.remove(2)), &[LedgerProblem::EntryMissing { sequence: 3 }]);
}

#[test]
fn chain_cut_short() {
    finds(|books| drop(books.entries.pop()), &[LedgerProblem::EntryMissing { sequence: 5 }]);
}

#[test]
fn reordered_entries() {
    let swap = |books: &mut Books| {
        for (place, sequence) in [(2, 4), (3, 3)] {
            books.entries[place].sequence = sequence;
            books.entries[place].entry.as_mut().unwrap().sequence = sequence;
        }
        books.entries.swap(2, 3);
    };
    finds(swap, &[LedgerProblem::EntryAltered { sequence: 3 }, LedgerProblem::EntryAltered { sequence: 4 }]);
}

#[test]
fn rewritten_entry_with_its_own_hash() {
    let rewrite = |books: &mut Books| {
        let stored = &mut books.entries[0];
        let entry = stored.entry.as_mut().unwrap();
        entry.at = UnixTime(7);
        stored.hash = entry.hash();
    };
    finds(rewrite, &[LedgerProblem::ChainBroken { sequence: 2 }]);
}

#[test]
fn entry_that_says_nothing() {
    finds(|books| books.entries[4].entry = None, &[LedgerProblem::EntryAltered { sequence: 5 }]);
}

#[test]
fn altered_balance() {
    let name = || Account::Wallet(AccountId([11; 32])).to_string();
    let richer = |books: &mut Books| books.accounts[3].balance = minor(1001);
    finds(
        richer,
        &[LedgerProblem::BalanceWrong { account: name(), stored: minor(1001), posted: minor(1000) }],
    );
    let poorer = |books: &mut Books| books.accounts[3].balance = minor(-1);
    finds(poorer, &[LedgerProblem::BalanceNegative { account: name() }]);
    let gone = |books: &mut Books| drop(books.accounts.remove(3));
    finds(
        gone,
        &[LedgerProblem::BalanceWrong { account: name(), stored: Balance::ZERO, posted: minor(1000) }],
    );
}

#[test]
fn claims_without_receipt_and_receipts_without_claim() {
    finds(|books| books.entries[2].receipt = None, &[LedgerProblem::ClaimMismatch { sequence: 3 }]);
    let stray = |books: &mut Books| books.entries[0].receipt = books.entries[2].receipt.clone();
    finds(stray, &[LedgerProblem::ClaimMismatch { sequence: 1 }]);
    let forged = |books: &mut Books| {
        books.entries[2].receipt.as_mut().unwrap().statement.recipient = AccountId([66; 32]);
    };
    finds(forged, &[LedgerProblem::ClaimMismatch { sequence: 3 }]);
}

#[test]
fn a_period_that_paid_more_than_it_reserved() {
    let unbalanced = [LedgerProblem::PeriodUnbalanced { programme: PROGRAMME, period: PERIOD }];
    finds(|books| books.claim(13, 0), &unbalanced);
    finds(|books| books.periods[0].promised = amount(2 * SHARE), &unbalanced);
}

#[test]
fn a_statement_that_lies() {
    let wrong = || [LedgerProblem::StatementWrong { programme: PROGRAMME, period: PERIOD }];
    finds(|books| books.statement().statement.claims = 1, &wrong());
    let resigned = |change: fn(&mut PeriodStatement)| {
        move |books: &mut Books| {
            let signed = books.statement();
            let mut statement = signed.statement.clone();
            change(&mut statement);
            *signed = Signed::new(statement, &key());
        }
    };
    finds(resigned(|statement| statement.claims = 1), &wrong());
    finds(resigned(|statement| statement.paid = amount(SHARE)), &wrong());
    finds(resigned(|statement| statement.chain_head = EntryHash([0; 32])), &wrong());
    finds(resigned(|statement| statement.ledger_sequence = 99), &wrong());
    finds(|books| books.periods[0].statement = None, &wrong());
    finds(|books| books.periods[0].state = PeriodState::Closed, &wrong());
}

#[test]
fn a_forged_place_far_away_does_not_fill_the_report() {
    let mut books = Books::sealed();
    books.entries[4].sequence = u64::MAX;
    assert!(books.check().problems.len() < 2 * MAX_MISSING + 10);
}

proptest! {
    #[test]
    fn any_other_amount_anywhere_is_found(entry in 0..5_usize, line in 0..2_usize, to in any::<i64>()) {
        let mut books = Books::sealed();
        let posting = books.line(entry, line);
        prop_assume!(posting.amount.minor() != i128::from(to));
        posting.amount = minor(to.into());
        let expected = LedgerProblem::EntryAltered { sequence: entry as u64 + 1 };
        prop_assert!(books.check().problems.contains(&expected));
    }

    #[test]
    fn sums_never_overflow(amounts in prop::collection::vec(-(10_i128.pow(38) - 1)..10_i128.pow(38), 5)) {
        let mut books = Books::sealed();
        for (entry, amount) in amounts.into_iter().enumerate() {
            books.line(entry, 0).amount = minor(amount);
            books.line(entry, 1).amount = minor(amount);
        }
        books.check();
    }
}
